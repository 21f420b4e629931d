//go:build spillway_steps

package park_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/core"
)

// stopAt stops the first who comes to the step, until release is closed; stopped is closed when it has.
func stopAt(t *testing.T, step string) (stopped, release chan struct{}) {
	stopped, release = make(chan struct{}), make(chan struct{})
	var once atomic.Bool
	core.OnStep(func(name string) {
		if name == step && once.CompareAndSwap(false, true) {
			close(stopped)
			<-release
		}
	})
	t.Cleanup(func() { core.OnStep(nil) })
	return stopped, release
}

// A writer that stops before it hands over the token holds up neither the next writer nor the reader.
func TestStoppedWakerHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox()
		stopped, release := stopAt(t, "park:waking")
		got := make(chan error)
		go func() { got <- b.Await(t.Context(), b.take) }()
		synctest.Wait()
		done := make(chan struct{})
		go func() { defer close(done); b.put(1) }()
		<-stopped
		b.put(10_000)
		if err := <-got; err != nil {
			t.Errorf("Await: %v", err)
		}
		close(release)
		<-done
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
			stopped, release := stopAt(t, step)
			first, second := make(chan error), make(chan error)
			go func() { first <- b.Await(t.Context(), b.take) }()
			synctest.Wait()
			if step == "park:woken" {
				b.Wake() // for nothing
			}
			<-stopped
			go func() { second <- b.Await(t.Context(), b.take) }()
			synctest.Wait()
			b.put(10_000)
			if err := <-second; err != nil {
				t.Errorf("%s: the other reader: %v", step, err)
			}
			close(release)
			if err := <-first; err != nil {
				t.Errorf("%s: %v", step, err)
			}
		})
	}
}
