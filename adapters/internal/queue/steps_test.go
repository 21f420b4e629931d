//go:build spillway_steps

package queue_test

import (
	"math"
	"testing"

	"github.com/spillwayhq/spillway/adapters/internal/queue"
	"github.com/spillwayhq/spillway/adapters/internal/steptest"
)

// A writer that stops anywhere in its Put holds up no other writer, and the limit stays exact.
func TestStoppedWriterHoldsUpNoWriter(t *testing.T) {
	for _, step := range []string{"queue:seen-room", "queue:claimed"} {
		for _, first := range []uint64{0, math.MaxUint64 - 1} {
			q := new(queue.Shared[int])
			q.Init(3, first)
			var ok bool
			goOn := steptest.StopAt(t, step, func() { ok = q.Put(0) })
			claims := 0
			if step == "queue:claimed" {
				claims = 1
			}
			for n := 1; n <= 3-claims; n++ {
				if !q.Put(n) {
					t.Fatalf("%s: refused at %d of 3", step, q.Len())
				}
			}
			if q.Put(9) || q.Len() != 3 {
				t.Errorf("%s: more than the limit, or %d held", step, q.Len())
			}
			dst := make([]int, 4)
			if n := q.Take(dst); claims == 1 && n != 0 || claims == 0 && n != 3 {
				t.Errorf("%s: took %d", step, n)
			}
			goOn()
			if !ok {
				t.Errorf("%s: the one that was stopped is refused, though there is room", step)
			}
			if n := q.Take(dst); n != 1+2*claims || dst[0] != 0 {
				t.Errorf("%s: took %v at the end", step, dst[:n])
			}
		}
	}
}

// One that has seen room, and finds when it goes on that others have taken it, is refused.
func TestRoomIsGoneMeanwhile(t *testing.T) {
	q := queue.NewShared[int](2)
	ok := true
	goOn := steptest.StopAt(t, "queue:seen-room", func() { ok = q.Put(0) })
	if !q.Put(1) || !q.Put(2) {
		t.Fatal("refused while there is room")
	}
	if goOn(); ok || q.Len() != 2 {
		t.Errorf("accepted: %v; %d held", ok, q.Len())
	}
}

// What a reader has taken out counts until it gives the places back: they are wiped by then.
func TestTakenCountsUntilGivenBack(t *testing.T) {
	for name, open := range kinds {
		q := open(2, math.MaxUint64)
		q.Put(1)
		q.Put(2)
		dst := make([]int, 2)
		goOn := steptest.StopAt(t, "queue:taken", func() { q.Take(dst) })
		if q.Put(3) || q.Len() != 2 {
			t.Errorf("%s: a place was given away before its time; %d held", name, q.Len())
		}
		goOn()
		if !q.Put(3) || q.Len() != 1 || dst[0] != 1 || dst[1] != 2 {
			t.Errorf("%s: took %v, holds %d", name, dst, q.Len())
		}
	}
}

// The same for a single one.
func TestTakenOneCountsUntilGivenBack(t *testing.T) {
	for name, open := range kinds {
		q := open(1, math.MaxUint64)
		q.Put(1)
		var got int
		goOn := steptest.StopAt(t, "queue:taken", func() { got, _ = q.TakeOne() })
		if q.Put(2) || q.Len() != 1 {
			t.Errorf("%s: the place was given away before its time; %d held", name, q.Len())
		}
		goOn()
		if !q.Put(2) || q.Len() != 1 || got != 1 {
			t.Errorf("%s: took %d, holds %d", name, got, q.Len())
		}
	}
}

// What is written and not published is not there.
func TestWrittenIsNotThereYet(t *testing.T) {
	q := queue.NewSingle[int](2)
	goOn := steptest.StopAt(t, "queue:written", func() { q.Put(1) })
	dst := make([]int, 2)
	if n := q.Take(dst); n != 0 || q.Len() != 0 {
		t.Errorf("took %d, %d held", n, q.Len())
	}
	if goOn(); q.Take(dst) != 1 || dst[0] != 1 {
		t.Errorf("took %v", dst)
	}
}
