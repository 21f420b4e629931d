package ring

import (
	"fmt"
	"slices"
	"testing"

	"github.com/spillwayhq/spillway/core"
)

// offer offers the numbers from from to to, to excluded.
func offer(t *testing.T, r buffer[int], from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if v := r.Offer(n); v != core.Accepted {
			t.Fatalf("Offer(%d): %v", n, v)
		}
	}
}

// wantTaken takes more than there can be, and compares it with the numbers from from to to.
func wantTaken(t *testing.T, r buffer[int], from, to int) {
	t.Helper()
	var want []int
	for n := from; n < to; n++ {
		want = append(want, n)
	}
	dst := make([]int, 100)
	if got := dst[:r.Take(dst)]; !slices.Equal(got, want) {
		t.Fatalf("took %v, want %v", got, want)
	}
}

// Across the place where the laps in the slots wrap a ring does what it does elsewhere, for a reader that keeps up,
// for one that is always behind and for one that is lapped there.
func TestH77LapsWrap(t *testing.T) {
	for _, capacity := range []int{1, 2, 3, 5, 8} {
		for _, behind := range []int{0, 1, capacity - 1, capacity, capacity + 1, 3 * capacity} {
			t.Run(fmt.Sprintf("capacity=%d/behind=%d", capacity, behind), func(t *testing.T) {
				r := newOverwriting[int](capacity, nearWrap(capacity))
				before := r.shape.pack(r.head/r.size, 0, 0)
				sent, read := 0, 0
				for range 5 * capacity {
					offer(t, r, sent, sent+behind+1)
					sent += behind + 1
					oldest := max(read, sent-capacity)
					wantTaken(t, r, oldest, sent)
					if read = sent; r.Lost() != uint64(sent/(behind+1)*max(0, behind+1-capacity)) {
						t.Fatalf("Lost: got %d after %d", r.Lost(), sent)
					}
				}
				if after := r.shape.pack(r.head/r.size, 0, 0); after > before {
					t.Errorf("the laps went from %x to %x, and did not wrap", before, after)
				}
			})
		}
	}
}

// A reader that has been away for so long that the laps in the slots seem to lie behind it still finds the newest.
func TestH80AwayUntilTheLapsWrap(t *testing.T) {
	for _, capacity := range []int{1, 2, 3, 5} {
		half := uint64(1) << (61 - shapeFor(capacity).cellBits)
		if half*uint64(capacity) < longAway {
			t.Fatalf("capacity %d: half of the laps are %d, and a reader may be away for %d events", capacity, half, uint64(longAway))
		}
		for _, away := range []uint64{1, 2, half - 1, half, half + 1, 2*half - 2, 2 * half, 3*half + 1} {
			t.Run(fmt.Sprintf("capacity=%d/away=%d", capacity, away), func(t *testing.T) {
				r := newOverwriting[int](capacity, 8*half*uint64(capacity))
				offer(t, r, 0, capacity)
				r.head -= away * r.size // as it would be, had it read all up to there
				wantTaken(t, r, 0, capacity)
				wantTaken(t, r, 0, 0)
				offer(t, r, capacity, capacity+1)
				wantTaken(t, r, capacity, capacity+1)
			})
		}
	}
}

// Where no cell is left for a writer that passes another, its event is lost and counted, and holds up nobody.
func TestHoleIsPassed(t *testing.T) {
	for _, first := range []uint64{0, nearWrap(3) + 3} {
		r := newOverwriting[int](3, first)
		var out []uint64
		for n, ok := r.cells.get(); ok; n, ok = r.cells.get() {
			out = append(out, n)
		}
		offer(t, r, 0, 1)

		// Number 1 is claimed, and its writer stops.
		number := r.tail.Add(1) - 1
		slot := &r.slots[number%r.size]
		before := slot.Load()
		claimed := r.shape.pack(number/r.size, writing, r.shape.cell(before))
		if !slot.CompareAndSwap(before, claimed) {
			t.Fatal("number 1 could not be claimed")
		}
		wantTaken(t, r, 0, 1)
		offer(t, r, 2, 4)
		wantTaken(t, r, 0, 0)
		offer(t, r, 4, 5) // it would have the place of number 1
		if r.Lost() != 1 {
			t.Errorf("Lost: got %d, want the one there is no cell for", r.Lost())
		}
		wantTaken(t, r, 2, 4)
		offer(t, r, 5, 7)
		wantTaken(t, r, 5, 7)
		offer(t, r, 7, 8) // the same place once more
		wantTaken(t, r, 0, 0)
		if r.Lost() != 2 {
			t.Errorf("Lost: got %d, want 2", r.Lost())
		}

		if slot.CompareAndSwap(claimed, r.shape.pack(number/r.size, full, r.shape.cell(claimed))) {
			t.Error("the writer that was passed could publish")
		}
		r.cells.put(r.shape.cell(claimed))
		offer(t, r, 8, 11)
		wantTaken(t, r, 8, 11)
		if r.Lost() != 2 {
			t.Errorf("Lost: got %d, want 2", r.Lost())
		}
		if n, ok := r.cells.get(); ok {
			t.Errorf("cell %d is free, and in a slot too", n)
		}
		for _, n := range out {
			r.cells.put(n)
		}
	}
}
