package multicast_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/spillwayhq/spillway/adapters/multicast"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// wantLapped expects r to find that it was lapped, Missed between least and most.
func wantLapped(t testing.TB, r *multicast.Reader[int], least, most uint64) {
	t.Helper()
	n, err := r.Next(t.Context())
	var pruned *core.PrunedError
	if n != 0 || !errors.As(err, &pruned) || err != r.Err() {
		t.Fatalf("Next: got %d, %v, Err %v; want a *PrunedError", n, err, r.Err())
	}
	if !pruned.HasMissed || pruned.Missed < least || pruned.Missed > most {
		t.Errorf("missed %d (known: %v), want %d to %d", pruned.Missed, pruned.HasMissed, least, most)
	}
	if pruned.Verdict != core.Full || pruned.Fanout != "numbers" || pruned.ID != r.ID() || pruned.Region != r.Region() {
		t.Errorf("got %+v, want the ring's name, ID and Region", pruned)
	}
	select {
	case <-r.Done():
	default:
		t.Error("lapped, and not Done")
	}
}

// A Reader may lag by the capacity, wherever in a window that is, and is lapped by one event more.
func TestH82LappedAtCapacityPlusOne(t *testing.T) {
	each(t, func(t *testing.T, single bool) {
		for _, capacity := range []int{1, 2, 3, 5, 7, 8, 14, 15, 100} {
			for offset := range 2 * capacity {
				f, m := open(t, single, capacity)
				r, lapped := reader(t, m, multicast.FromNext), reader(t, m, multicast.FromNext)
				for n := range offset {
					f.Broadcast(n)
					take(t, r, n, 1)
					take(t, lapped, n, 1)
				}
				broadcast(f, offset, offset+capacity)
				if r.Lag() != capacity {
					t.Fatalf("capacity %d at %d: Lag %d", capacity, offset, r.Lag())
				}
				take(t, r, offset, capacity)
				f.Broadcast(offset + capacity)
				if lapped.Lag() != capacity+1 {
					t.Fatalf("capacity %d at %d: Lag %d", capacity, offset, lapped.Lag())
				}
				wantLapped(t, lapped, uint64(offset), uint64(offset))
				take(t, r, offset+capacity, 1)
				finish(t, f)
			}
		}
	})
}

// What Missed may be: nothing below it was missed, and it is the first that was missed where sequences rise by one.
func TestH82Missed(t *testing.T) {
	const last = math.MaxUint64
	for _, c := range []struct {
		name        string
		before      []uint64 // before the Reader begins, in a ring of three
		from        multicast.Start
		reads       int      // of what comes then
		then        []uint64 // four more than it reads
		least, most uint64
	}{
		{"one after the other", nil, multicast.FromNext, 2, []uint64{1, 2, 3, 4, 5, 6}, 3, 3},
		{"with gaps", nil, multicast.FromNext, 2, []uint64{10, 20, 30, 40, 50, 60}, 21, 30},
		{"nothing read", []uint64{0, 1, 2}, multicast.FromNext, 0, []uint64{3, 4, 5, 6}, 3, 3},
		{"nothing read, and nothing before", nil, multicast.FromNext, 0, []uint64{100, 101, 102, 103}, 0, 0},
		{"nothing read from the oldest on", []uint64{5, 6, 7, 8, 9}, multicast.FromOldest, 0, []uint64{10}, 7, 7},
		{"nothing read from the oldest on, and nothing there", nil, multicast.FromOldest, 0, []uint64{0, 1, 2, 3}, 0, 0},
		{"one of them is late", nil, multicast.FromNext, 2, []uint64{10, 11, 12, 5, 13, 14}, 0, 5},
		{"the last that was read is late", nil, multicast.FromNext, 2, []uint64{10, 5, 6, 11, 12, 13}, 0, 6},
		{"one was late before it began", []uint64{10, 3}, multicast.FromNext, 0, []uint64{4, 11, 12, 13}, 0, 4},
		{"all alike", []uint64{7}, multicast.FromNext, 1, []uint64{7, 7, 7, 7, 7}, 0, 7},
		{"the last number there is", nil, multicast.FromNext, 1, []uint64{last - 1, last, last, last, last}, last, last},
		{"after the last number there is", nil, multicast.FromNext, 1, []uint64{last, 3, 4, 5, 6}, 0, 3},
	} {
		each(t, func(t *testing.T, single bool) {
			t.Run(c.name, func(t *testing.T) {
				f := core.New(core.Config[uint64]{
					SingleWriter: single,
					Locate:       func(n uint64) region.Point { return region.Point{Sequence: n} },
				})
				m := ringOn(t, f, 3)
				for _, n := range c.before {
					f.Broadcast(n)
				}
				r := reader(t, m, c.from)
				for i, n := range c.then {
					f.Broadcast(n)
					if i < c.reads {
						if got, err := r.Next(t.Context()); got != n || err != nil {
							t.Fatalf("Next: got %d, %v, want %d", got, err, n)
						}
					}
				}
				_, err := r.Next(t.Context())
				var pruned *core.PrunedError
				if !errors.As(err, &pruned) || !pruned.HasMissed || pruned.Missed < c.least || pruned.Missed > c.most {
					t.Errorf("got %+v, want one that missed %d to %d", err, c.least, c.most)
				}
				finish(t, f)
			})
		})
	}
}

// Where nobody says at which sequence an event is, what was missed isn't known; nor where no event came that somebody
// could have located.
func TestH82MissedIsNotKnown(t *testing.T) {
	each(t, func(t *testing.T, single bool) {
		f := core.New(core.Config[int]{SingleWriter: single})
		m := ringOn(t, f, 2)
		r := reader(t, m, multicast.FromNext)
		broadcast(f, 0, 3)
		_, err := r.Next(t.Context())
		var pruned *core.PrunedError
		if !errors.As(err, &pruned) || pruned.HasMissed || pruned.Missed != 0 {
			t.Errorf("got %+v, want one that doesn't say what was missed", err)
		}
		finish(t, f)
	})
}

// A Reader that lags too far when its ring ends is lapped all the same, whoever ended the ring; one that does not
// reads the rest, and then why.
func TestH82LappedWhenTheRingEnds(t *testing.T) {
	each(t, func(t *testing.T, single bool) {
		for name, by := range map[string]func(*core.Fanout[int], *multicast.Ring[int]){
			"Close":  func(f *core.Fanout[int], _ *multicast.Ring[int]) { _ = f.Close() },
			"Cancel": func(_ *core.Fanout[int], m *multicast.Ring[int]) { m.Cancel() },
		} {
			f, m := open(t, single, 3)
			lapped, behind, upToDate := reader(t, m, multicast.FromNext), reader(t, m, multicast.FromNext), reader(t, m, multicast.FromNext)
			for n := range 4 {
				f.Broadcast(n)
				take(t, upToDate, n, 1)
				if n == 0 {
					take(t, behind, n, 1)
				}
			}
			by(f, m)
			<-m.Done()
			for _, r := range []*multicast.Reader[int]{lapped, behind, upToDate} {
				<-r.Done()
			}
			wantLapped(t, lapped, 0, 0)
			take(t, behind, 1, 3)
			for _, r := range []*multicast.Reader[int]{behind, upToDate} {
				if n, err := r.Next(t.Context()); n != 0 || err != m.Err() || r.Err() != err {
					t.Errorf("%s: got %d, %v, want %v", name, n, err, m.Err())
				}
			}
			if lost := f.Stats().Lost; lost != 1 {
				t.Errorf("%s: Lost %d, want the Reader that was lapped", name, lost)
			}
			finish(t, f)
		}
	})
}

// A Reader that was lapped begins anew by another, at the oldest or the next, and knows from where on it missed.
func TestLappedBeginsAnew(t *testing.T) {
	for from, want := range map[multicast.Start]int{multicast.FromOldest: 7, multicast.FromNext: 10} {
		t.Run(fmt.Sprint(want), func(t *testing.T) {
			f, m := open(t, false, 3)
			r := reader(t, m, multicast.FromNext)
			broadcast(f, 0, 10)
			wantLapped(t, r, 0, 0)
			r = reader(t, m, from)
			f.Broadcast(10)
			if want == 7 {
				wantLapped(t, r, 7, 7)
				r = reader(t, m, from)
				want++
			}
			take(t, r, want, 11-want)
			over, cancel := context.WithCancel(t.Context())
			cancel()
			if n, err := r.Next(over); n != 0 || !errors.Is(err, context.Canceled) {
				t.Errorf("got %d, %v, want nothing more", n, err)
			}
			finish(t, f)
		})
	}
}
