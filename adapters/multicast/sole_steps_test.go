//go:build spillway_steps

package multicast

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/adapters/internal/steptest"
	"github.com/spillwayhq/spillway/core"
)

// reading has r read the numbers from from to to, to excluded, and waits until it sleeps or is done. A Reader that sleeps beside
// its event sleeps for ever, and so does who takes what was read: synctest says so.
func reading(t *testing.T, r *Reader[int], from, to int) (done <-chan struct{}) {
	t.Helper()
	over := make(chan struct{})
	go func() {
		defer close(over)
		for n := from; n < to; n++ {
			if v, err := r.Next(context.Background()); v != n || err != nil {
				t.Errorf("read %d, %v; want %d", v, err, n)
				return
			}
		}
	}()
	synctest.Wait()
	return over
}

// startsNobody has it fail the test that a writer starts the waker.
func startsNobody(t *testing.T, m *Ring[int]) {
	m.sleep.start = func() {
		t.Error("a goroutine was started")
		m.sleep.wakeAll()
	}
}

// A second Reader begins and lies down while a writer that has found the first asleep stops, before it looks whether there
// is only one, or after: both get what that one has published and what comes next, whether or not it has gone on.
func TestSecondReaderBeginsWhileTheSoleOneIsWoken(t *testing.T) {
	for _, at := range []string{"multicast:waking", "park:waking"} {
		for _, from := range []Start{FromNext, FromOldest} {
			for _, meanwhile := range []bool{true, false} {
				synctest.Test(t, func(t *testing.T) {
					f := numbers(false)
					m := openAt(t, f, 20, 0)
					first := reading(t, readerOf(t, m, FromNext), 0, 2)
					goOn := steptest.StopAt(t, at, func() { f.Broadcast(0) })
					begins := 0
					if from == FromNext {
						begins = 1
					}
					second := reading(t, readerOf(t, m, from), begins, 2)
					if !meanwhile {
						goOn()
					}
					f.Broadcast(1)
					<-first
					<-second
					if meanwhile {
						goOn()
					}
					closeAll(t, f)
				})
			}
		}
	}
}

// A Reader is the only one from when the other has ended, though it sleeps then, and has lain down beside that one.
func TestBecomesTheSoleReaderAsleep(t *testing.T) {
	for _, otherSleeps := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			f := numbers(false)
			m := openAt(t, f, 20, 0)
			other := readerOf(t, m, FromNext)
			if otherSleeps {
				go func() { _, _ = other.Next(context.Background()) }()
			}
			stays := reading(t, readerOf(t, m, FromNext), 0, 3)
			other.Cancel()
			startsNobody(t, m)
			for n := range 3 {
				f.Broadcast(n)
				synctest.Wait()
			}
			<-stays
			closeAll(t, f)
		})
	}
}

// The other ends while a writer wakes the two: before it looks who there is, before the waker takes the list, and before it
// hands over a token.
func TestBecomesTheSoleReaderWhileItIsWoken(t *testing.T) {
	for _, at := range []string{"multicast:waking", "multicast:round", "park:waking"} {
		for _, meanwhile := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				f := numbers(false)
				m := openAt(t, f, 20, 0)
				other, stays := readerOf(t, m, FromNext), readerOf(t, m, FromNext)
				got := reading(t, stays, 0, 2)
				goOn := steptest.StopAt(t, at, func() { f.Broadcast(0); synctest.Wait() })
				other.Cancel()
				if meanwhile {
					f.Broadcast(1)
				}
				goOn()
				if !meanwhile {
					f.Broadcast(1)
				}
				<-got
				closeAll(t, f)
			})
		}
	}
}

// A Reader that has stopped in the middle of its end is there still, for the writer: it wakes all.
func TestOtherReaderStopsInItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := numbers(false)
		m := openAt(t, f, 20, 0)
		other := readerOf(t, m, FromNext)
		stays := reading(t, readerOf(t, m, FromNext), 0, 3)
		goOn := steptest.StopAt(t, "park:ended", other.Cancel)
		f.Broadcast(0)
		synctest.Wait()
		f.Broadcast(1)
		synctest.Wait()
		goOn()
		startsNobody(t, m)
		f.Broadcast(2)
		<-stays
		closeAll(t, f)
	})
}

// One token is for all who read by the only Reader: whoever gets it lets the next look, for the events too that came while
// it was on its way.
func TestManyReadByTheSoleReader(t *testing.T) {
	for _, readers := range []int{1, 2, 10} {
		for _, events := range []int{1, readers} { // a round of which comes to each
			synctest.Test(t, func(t *testing.T) {
				f := numbers(false)
				m := openAt(t, f, 20, 0)
				startsNobody(t, m)
				r := readerOf(t, m, FromNext)
				var mu sync.Mutex
				var got []int
				var wg sync.WaitGroup
				for range readers {
					wg.Go(func() {
						v, err := r.Next(context.Background())
						if err != nil {
							t.Error(err)
						}
						mu.Lock()
						defer mu.Unlock()
						got = append(got, v)
					})
				}
				synctest.Wait() // all sleep
				for n := 0; n < readers; n += events {
					woken := make(chan struct{})
					goOn := steptest.StopAt(t, "park:woken", func() {
						f.Broadcast(n)
						<-woken
					})
					for more := 1; more < events; more++ {
						f.Broadcast(n + more)
					}
					close(woken)
					goOn()
					synctest.Wait()
				}
				wg.Wait()
				if slices.Sort(got); !slices.Equal(got, numbersFrom(0, readers)) {
					t.Errorf("%d who read by one Reader got %v", readers, got)
				}
				closeAll(t, f)
			})
		}
	}
}

// The only Reader gets one token from the writer for as many events as come before it looks again.
func TestH87SoleReaderGetsOneToken(t *testing.T) {
	for _, single := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			f := numbers(single)
			m := openAt(t, f, 100, 0)
			startsNobody(t, m)
			got := reading(t, readerOf(t, m, FromNext), 0, 20)
			var woken, tokens atomic.Int32
			release := make(chan struct{})
			core.OnStep(func(name string) {
				switch name {
				case "park:woken":
					if woken.Add(1) == 1 {
						<-release
					}
				case "park:waking":
					tokens.Add(1)
				}
			})
			defer core.OnStep(nil)
			for n := range 20 {
				f.Broadcast(n)
				synctest.Wait()
			}
			if n := tokens.Load(); n != 1 {
				t.Errorf("%d tokens for 20 events, want one", n)
			}
			close(release)
			<-got
			closeAll(t, f)
		})
	}
}
