package multicast_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/spillwayhq/spillway/adapters/multicast"
	"github.com/spillwayhq/spillway/core"
)

// A count is how many broadcasts have begun, and how many have returned.
type count struct{ begun, returned atomic.Int64 }

func (c *count) broadcast(f *core.Fanout[int], n int) {
	c.begun.Add(1)
	f.Broadcast(n)
	c.returned.Add(1)
}

// A Reader that joins while events come has a place before the first that it was not there for, and misses nothing
// from there on: place and registration are one step.
func TestH93NoGapAtTheStart(t *testing.T) {
	const capacity = 64
	for _, from := range []multicast.Start{multicast.FromNext, multicast.FromOldest} {
		each(t, func(t *testing.T, single bool) {
			f, m := open(t, single, capacity)
			var sent count
			var joining, writing sync.WaitGroup
			writing.Go(func() { // one writer, so that an event's number says how many came before
				for n := range rounds(100_000) {
					sent.broadcast(f, n)
				}
			})
			for range 3 {
				joining.Go(func() {
					for range rounds(2000) {
						before := int(sent.returned.Load())
						r, err := m.Reader(context.Background(), from)
						if err != nil {
							t.Error(err)
							return
						}
						after := int(sent.begun.Load())
						if from == multicast.FromOldest {
							before = max(0, before-capacity)
						}
						if after == rounds(100_000) {
							return // it may have begun after the last, even after those for who waits
						}
						joined(t, r, before, after)
						r.Cancel()
					}
				})
			}
			writing.Wait()
			broadcast(f, rounds(100_000), rounds(100_000)+2) // for those who wait
			joining.Wait()
			finish(t, f)
		})
	}
}

// joined reads two events, unless r is lapped, and expects the first between two places.
func joined(t *testing.T, r *multicast.Reader[int], least, most int) {
	first, err := r.Next(context.Background())
	var pruned *core.PrunedError
	if errors.As(err, &pruned) {
		if missed := int(pruned.Missed); missed < least || missed > most {
			t.Errorf("missed %d, want %d to %d", missed, least, most)
		}
		return
	}
	if err != nil || first < least || first > most {
		t.Errorf("the first was %d, %v, want %d to %d", first, err, least, most)
		return
	}
	over, cancel := context.WithCancel(context.Background())
	cancel()
	n, err := r.Next(over)
	if err == nil && n != first+1 || errors.As(err, &pruned) && int(pruned.Missed) != first+1 {
		t.Errorf("after %d came %d, %v", first, n, err)
	}
}

// At any instant what a Reader has read and what it lags by are what was broadcast since it began; when all is over, too,
// and then the lag of one that was lapped is what it lost.
func TestH97AccountsAddUp(t *testing.T) {
	for _, capacity := range []int{1, 2, 3, 64} {
		each(t, func(t *testing.T, single bool) {
			f, m := open(t, single, capacity)
			var sent count
			var reading, writing sync.WaitGroup
			for i := range 4 {
				reading.Go(func() {
					for {
						r, over := account(t, m, &sent, i+1)
						if over {
							return
						}
						if err := r.Err(); !errors.Is(err, core.ErrPruned) && !errors.Is(err, core.ErrClosed) {
							t.Errorf("ended with %v", err)
						}
					}
				})
			}
			writers, events := map[bool]int{true: 1, false: 3}[single], rounds(10_000)
			for w := range writers {
				writing.Go(func() {
					for n := range events {
						sent.broadcast(f, w*events+n)
						if n%16 == 0 {
							runtime.Gosched()
						}
					}
				})
			}
			writing.Wait()
			_ = f.Close()
			reading.Wait()
			if got := f.Stats(); got.Accepted != uint64(writers*events) || got.PrunedFull != 0 {
				t.Errorf("got %+v, want all of %d accepted", got, writers*events)
			}
			finish(t, f)
		})
	}
}

// account reads by a Reader of its own to that one's end; over where there can be none any more.
func account(t *testing.T, m *multicast.Ring[int], sent *count, room int) (r *multicast.Reader[int], over bool) {
	least := sent.returned.Load()
	r, err := m.Reader(context.Background(), multicast.FromNext)
	if err != nil {
		return nil, true
	}
	most := sent.begun.Load()
	dst := make([]int, room)
	read := int64(0)
	for err == nil {
		// Its place is start + read, and start lies between least and most.
		before := sent.returned.Load()
		lag := int64(r.Lag())
		after := sent.begun.Load()
		if lag < 0 || least+read+lag > after || most+read+lag < before {
			t.Errorf("began at %d to %d, read %d, lags by %d; broadcast were %d to %d", least, most, read, lag, before, after)
		}
		// Each look narrows down where it began: no start but this one adds up.
		least, most = max(least, before-read-lag), min(most, after-read-lag)
		var n int
		n, err = r.NextBatch(context.Background(), dst)
		read += int64(n)
	}
	return r, false
}

// The accounts of one goroutine are exact to the event.
func TestH97LagIsExact(t *testing.T) {
	each(t, func(t *testing.T, single bool) {
		f, m := open(t, single, 10)
		sent := 0
		for _, more := range []int{0, 3, 25} {
			broadcast(f, sent, sent+more)
			sent += more
			before := sent
			next, oldest, lapped := reader(t, m, multicast.FromNext), reader(t, m, multicast.FromOldest), reader(t, m, multicast.FromNext)
			if next.Lag() != 0 || oldest.Lag() != min(10, before) {
				t.Errorf("after %d: lag %d and %d", before, next.Lag(), oldest.Lag())
			}
			for n := range 10 {
				f.Broadcast(sent)
				sent++
				if n < 9 {
					take(t, next, sent-1, 1)
				}
				if want := map[bool]int{true: 0, false: 1}[n < 9]; next.Lag() != want || lapped.Lag() != n+1 {
					t.Errorf("after %d and %d more: lag %d and %d", before, n+1, next.Lag(), lapped.Lag())
				}
			}
			broadcast(f, sent, sent+5)
			sent += 5
			wantLapped(t, lapped, uint64(sent-15), uint64(sent-15))
			if lapped.Lag() != 15 {
				t.Errorf("lapped: Lag %d, want the 15 that it lost", lapped.Lag())
			}
		}
		last := reader(t, m, multicast.FromOldest)
		take(t, last, sent-10, 4)
		finish(t, f)
		if last.Lag() != 6 {
			t.Errorf("when the ring is over: Lag %d, want the 6 that are left", last.Lag())
		}
		take(t, last, sent-6, 6)
		if n, err := last.Next(t.Context()); n != 0 || err != core.ErrClosed || last.Lag() != 0 {
			t.Errorf("at the end: got %d, %v, Lag %d", n, err, last.Lag())
		}
	})
}
