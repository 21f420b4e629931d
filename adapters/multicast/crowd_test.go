package multicast_test

import (
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/adapters/multicast"
	"github.com/spillwayhq/spillway/core"
)

// A hundred thousand Readers that wait are that many goroutines of their owners' and none a Reader, nor a shard, of the ring's; nothing runs and no
// timer is set, or the day would not pass. An event wakes them all, and then it is as quiet as before.
func TestIdleReadersCostNothing(t *testing.T) {
	readers := 100_000
	if testing.Short() || raceEnabled {
		readers = 5_000
	}
	const few = 8 // goroutines of other tests come and go, and one that has ended is counted a moment longer
	synctest.Test(t, func(t *testing.T) {
		f, m := open(t, false, 16)
		before := runtime.NumGoroutine()
		var got atomic.Int64
		for range readers {
			r := reader(t, m, multicast.FromNext)
			go func() {
				for _, err := range r.All() {
					if err != nil {
						return
					}
					got.Add(1)
				}
			}()
		}
		for event := range 3 {
			start := time.Now()
			time.Sleep(24 * time.Hour) // synctest's: it passes at once when everybody sleeps
			synctest.Wait()
			if past := time.Since(start); past != 24*time.Hour {
				t.Errorf("it took %v until all slept", past)
			}
			if n := runtime.NumGoroutine() - before; n > readers+few {
				t.Errorf("%d goroutines for %d Readers that wait", n, readers)
			}
			if n := got.Load(); n != int64(event*readers) {
				t.Errorf("%d deliveries, want %d", n, event*readers)
			}
			f.Broadcast(event)
		}
		synctest.Wait()
		finish(t, f)
		synctest.Wait() // whoever outlived the ring would be the bubble's panic at its end
		if n := got.Load(); n != int64(3*readers) {
			t.Errorf("%d deliveries, want %d", n, 3*readers)
		}
	})
}

// Readers come and go at any time, in any number, beside one that stays and reads everything; none sleeps on
// beside its own end.
func TestReadersComeAndGo(t *testing.T) {
	each(t, func(t *testing.T, single bool) {
		synctest.Test(t, func(t *testing.T) {
			f, m := open(t, single, 8)
			stays := reader(t, m, multicast.FromNext)
			var left atomic.Int64
			for n := range rounds(500) {
				var some []*multicast.Reader[int]
				for i := range n % 7 {
					from := multicast.Start(i % 2)
					r := reader(t, m, from)
					some = append(some, r)
					go func() {
						for v, err := range r.All() {
							if err != nil {
								lapped := from == multicast.FromOldest && errors.Is(err, core.ErrPruned) // it began as far behind as may be
								if err != core.ErrCancelled && !lapped {
									t.Errorf("ended with %v", err)
								}
								break
							}
							if v > n {
								break
							}
						}
						left.Add(1)
					}()
				}
				if n%3 == 0 {
					synctest.Wait() // they wait
				}
				f.Broadcast(n)
				take(t, stays, n, 1)
				for _, r := range some {
					r.Cancel()
				}
				left.Add(int64(-len(some)))
			}
			synctest.Wait()
			if left.Load() != 0 {
				t.Errorf("%d sleep beside their end", -left.Load())
			}
			finish(t, f)
		})
	})
}
