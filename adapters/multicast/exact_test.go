package multicast

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/spillwayhq/spillway/core"
)

// openWithReader returns a ring that has seen some events, and a Reader who has read them.
func openWithReader(t *testing.T, capacity int) (f *core.Fanout[int], m *Ring[int], r *Reader[int], next int) {
	t.Helper()
	f = numbers(false)
	m = openAt(t, f, capacity, 0)
	r, err := m.Reader(t.Context(), FromNext)
	if err != nil {
		t.Fatal(err)
	}
	for ; next < 3; next++ {
		f.Broadcast(next)
		if n, err := r.Next(t.Context()); n != next || err != nil {
			t.Fatalf("got %d, %v, want %d", n, err, next)
		}
	}
	return f, m, r, next
}

func endRing(t *testing.T, f *core.Fanout[int]) {
	t.Helper()
	_ = f.Close()
	if err := f.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// A Reader that lags by the capacity reads all of it; by one more it is lapped, and what it missed first is what came after
// the last that it read.
func TestLappedAtExactlyOneMore(t *testing.T) {
	for _, capacity := range []int{1, 2, 3, 7, 8, 100} {
		f, m, r, next := openWithReader(t, capacity)
		dst := make([]int, 2*capacity)
		for n := range capacity {
			f.Broadcast(next + n)
		}
		if n, err := r.NextBatch(t.Context(), dst); n != capacity || err != nil || dst[0] != next || dst[n-1] != next+n-1 {
			t.Errorf("capacity %d, as many behind: got %v, %v", capacity, dst[:n], err)
		}
		next += capacity
		for n := range capacity + 1 {
			f.Broadcast(next + n)
		}
		n, err := r.NextBatch(t.Context(), dst)
		var pruned *core.PrunedError
		if n != 0 || !errors.As(err, &pruned) {
			t.Errorf("capacity %d, one more behind: got %v, %v, want it lapped", capacity, dst[:n], err)
		} else if !pruned.HasMissed || pruned.Missed != uint64(next) {
			t.Errorf("capacity %d: missed %d first, want %d", capacity, pruned.Missed, next)
		}
		if lost := (sink[int]{m}).Lost(); lost != 1 {
			t.Errorf("capacity %d: Lost %d, want the one Reader", capacity, lost)
		}
		endRing(t, f)
	}
}

// A window that somebody is inside is not written when the ring comes round: another takes its place, and the ring goes
// on. With a Reader inside it keeps what it held; with a writer inside it is dead for all who come.
func TestWindowWithSomebodyInsideIsLeft(t *testing.T) {
	for name, enter := range map[string]func(w *window[int]){
		"a Reader": func(w *window[int]) { w.readers.Add(1) },
		"a writer": func(w *window[int]) { w.word.Add(1) },
	} {
		t.Run(name, func(t *testing.T) {
			const capacity = 14
			f, m, _, next := openWithReader(t, capacity)
			at := &m.windows[0] // of places 0 and 1, which are published
			w := at.Load()
			enter(w)
			held := slices.Clone(w.events)
			places := windows << m.bits
			for range 2 * places {
				f.Broadcast(next)
				next++
			}
			if at.Load() == w || modeOf(w.word.Load()) != isDead {
				t.Error("it is in use still, though the ring has come round")
			}
			if name == "a Reader" && !slices.Equal(w.events, held) {
				t.Errorf("it holds %v, and held %v when the Reader came in", w.events, held)
			}
			r, err := m.Reader(t.Context(), FromOldest)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]int, 2*capacity)
			if n, err := r.NextBatch(t.Context(), got); n != capacity || err != nil || got[0] != next-capacity {
				t.Errorf("the ring went on with %v, %v, want the newest %d before %d", got[:n], err, capacity, next)
			}
			endRing(t, f)
		})
	}
}
