package multicast

import (
	"context"
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

func numbers(single bool) *core.Fanout[int] {
	return core.New(core.Config[int]{
		Name:         "numbers",
		SingleWriter: single,
		Locate:       func(n int) region.Point { return region.Point{Sequence: uint64(n)} },
	})
}

// openAt opens a ring whose first place has the number first.
func openAt(t interface{ Fatal(...any) }, f *core.Fanout[int], capacity int, first uint64) *Ring[int] {
	m, err := newRing(f, capacity, first)
	if err != nil {
		t.Fatal(err)
	}
	if m.sub, err = f.Subscribe(context.Background(), region.Region{}, sink[int]{m}); err != nil {
		t.Fatal(err)
	}
	return m
}

// A modelled reader is a place in the list of all that was ever broadcast.
type modelled struct {
	*Reader[int]
	place    int
	expected int // the sequence after what it read last
	lapped   bool
	over     bool
}

// Readers of a ring see what readers of a list see that remembers capacity events, also where numbers wrap.
func TestAgainstList(t *testing.T) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	rapid.Check(t, func(t *rapid.T) {
		capacity := rapid.IntRange(1, 20).Draw(t, "capacity")
		f := numbers(rapid.Bool().Draw(t, "single writer"))
		first := rapid.SampledFrom([]uint64{0, 1, 5, math.MaxUint64 - 9, math.MaxUint64}).Draw(t, "first")
		m := openAt(t, f, capacity, first)
		var all []int
		sequence := 0
		var readers []*modelled
		pick := func(t *rapid.T) *modelled {
			if len(readers) == 0 {
				t.Skip("no reader")
			}
			return rapid.SampledFrom(readers).Draw(t, "reader")
		}
		t.Repeat(map[string]func(*rapid.T){
			"broadcast": func(t *rapid.T) {
				for range rapid.IntRange(1, 2*capacity+1).Draw(t, "events") {
					sequence += rapid.IntRange(1, 3).Draw(t, "step")
					all = append(all, sequence)
					if o := f.Broadcast(sequence); o.Accepted != 1 {
						t.Fatalf("Broadcast: %+v", o)
					}
				}
			},
			"join": func(t *rapid.T) {
				from := rapid.SampledFrom([]Start{FromNext, FromOldest}).Draw(t, "from")
				r, err := m.Reader(context.Background(), from)
				if err != nil {
					t.Fatal(err)
				}
				place := len(all)
				if from == FromOldest {
					place = max(0, len(all)-capacity)
				}
				expected := 0
				if place > 0 {
					expected = all[place-1] + 1
				}
				readers = append(readers, &modelled{Reader: r, place: place, expected: expected})
			},
			"read": func(t *rapid.T) {
				r := pick(t)
				dst := make([]int, rapid.IntRange(1, 2*capacity).Draw(t, "room"))
				n, err := r.NextBatch(over, dst)
				switch {
				case r.over:
					if n != 0 || err != core.ErrCancelled || r.Err() != err {
						t.Fatalf("cancelled: got %d, %v", n, err)
					}
				case r.lapped || len(all)-r.place > capacity:
					r.lapped = true
					var pruned *core.PrunedError
					if n != 0 || !errors.As(err, &pruned) || r.Err() != err {
						t.Fatalf("%d behind of %d: got %d, %v", len(all)-r.place, capacity, n, err)
					}
					if !pruned.HasMissed || pruned.Missed > uint64(all[r.place]) || pruned.Missed < uint64(r.expected) {
						t.Fatalf("missed %d, want %d to %d", pruned.Missed, r.expected, all[r.place])
					}
					if pruned.Fanout != "numbers" || pruned.ID != m.ID() {
						t.Fatalf("got %+v", pruned)
					}
				case r.place == len(all):
					if n != 0 || !errors.Is(err, context.Canceled) {
						t.Fatalf("nothing there: got %d, %v", n, err)
					}
				default:
					want := all[r.place:min(len(all), r.place+len(dst))]
					if err != nil || n > len(want) || n == 0 {
						t.Fatalf("got %v, %v, want %v", dst[:n], err, want)
					}
					for i, v := range dst[:n] {
						if v != want[i] {
							t.Fatalf("got %v, want %v", dst[:n], want)
						}
					}
					if n < len(want) {
						t.Fatalf("got %d of %d that are there", n, len(want))
					}
					r.place += n
					r.expected = all[r.place-1] + 1
				}
			},
			"cancel": func(t *rapid.T) {
				r := pick(t)
				r.Cancel()
				r.over = !r.lapped
				<-r.Done()
			},
		})
		m.Cancel()
		if err := f.Wait(context.Background()); err != nil {
			t.Fatal(err)
		}
		for _, r := range readers {
			<-r.Done()
			for r.place < len(all) && !r.lapped && !r.over {
				n, err := r.Next(context.Background())
				if len(all)-r.place > capacity {
					if !errors.Is(err, core.ErrPruned) {
						t.Fatalf("lapped when the ring ended: got %d, %v", n, err)
					}
					r.lapped = true
				} else if n != all[r.place] || err != nil {
					t.Fatalf("after the end: got %d, %v, want %d", n, err, all[r.place])
				}
				r.place++
			}
			if _, err := r.Next(context.Background()); err == nil || err != r.Err() {
				t.Fatalf("at the end: got %v, want %v", err, r.Err())
			}
		}
		if _, err := m.Reader(context.Background(), FromOldest); err != core.ErrCancelled {
			t.Fatalf("Reader of a ring that is over: got %v", err)
		}
	})
}
