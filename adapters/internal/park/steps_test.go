//go:build spillway_steps

package park_test

import (
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/adapters/internal/steptest"
)

// A writer that stops before it hands over the token holds up neither the next writer nor the reader.
func TestStoppedWakerHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox()
		got := make(chan error)
		go func() { got <- b.Await(t.Context(), b.take) }()
		synctest.Wait()
		goOn := steptest.StopAt(t, "park:waking", func() { b.put(1) })
		b.put(10_000)
		if err := <-got; err != nil {
			t.Errorf("Await: %v", err)
		}
		goOn()
		if held, _ := b.counts(); held != 10_000 {
			t.Errorf("%d are left, want all but one", held)
		}
	})
}

// A reader that stops on its way to sleep, or on waking, holds up no writer and no other reader.
func TestStoppedReaderHoldsUpNobody(t *testing.T) {
	for _, step := range []string{"park:said-parked", "park:woken"} {
		synctest.Test(t, func(t *testing.T) {
			b := newBox()
			var first error
			goOn := steptest.StopAt(t, step, func() { first = b.Await(t.Context(), b.take) }, func() {
				synctest.Wait()
				if step == "park:woken" {
					b.Wake() // for nothing
				}
			})
			second := make(chan error)
			go func() { second <- b.Await(t.Context(), b.take) }()
			synctest.Wait()
			b.put(10_000)
			if err := <-second; err != nil {
				t.Errorf("%s: the other reader: %v", step, err)
			}
			if goOn(); first != nil {
				t.Errorf("%s: %v", step, first)
			}
		})
	}
}
