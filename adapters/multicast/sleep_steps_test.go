//go:build spillway_steps

package multicast

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/adapters/internal/steptest"
	"github.com/spillwayhq/spillway/core"
)

// sleeper has a Reader wait for its next event, and sends it.
func sleeper(r *Reader[int]) <-chan int {
	got := make(chan int, 1)
	go func() {
		v, err := r.Next(context.Background())
		if err != nil {
			v = -1
		}
		got <- v
	}()
	synctest.Wait()
	return got
}

// The writer publishes while the Reader is anywhere on its way to sleep, for the first time or once more, whether or not
// another sleeps already; and nothing comes after it.
func TestH85PublishedOnTheWayToSleep(t *testing.T) {
	for _, c := range []struct {
		at    string
		again bool // it slept, and was woken for nothing
	}{
		{"multicast:copied", false},
		{"multicast:listed", false},
		{"park:said-parked", false},
		{"park:woken", true},
		{"multicast:copied", true},
		{"multicast:listed", true},
	} {
		for _, another := range []bool{false, true} {
			for _, single := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/again=%v/another=%v/single=%v", c.at, c.again, another, single), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { publishOnTheWay(t, c.at, c.again, another, single) })
				})
			}
		}
	}
}

func publishOnTheWay(t *testing.T, at string, again, another, single bool) {
	f := numbers(single)
	defer closeAll(t, f)
	m := openAt(t, f, 20, 0)
	r := readerOf(t, m, FromNext)
	f.Broadcast(0) // the window is open: the first look is at the place
	wantThere(t, r, 0, 1)
	var others <-chan int
	if another {
		others = sleeper(readerOf(t, m, FromNext))
	}
	var got int
	next := func() { got, _ = r.Next(context.Background()) }
	if again {
		slept := sleeper(r)
		next = func() {
			if another {
				r.lot.Wake() // it stays on the list
			} else {
				m.sleep.round()
			}
			got = <-slept
		}
	}
	goOn := steptest.StopAt(t, at, next)
	f.Broadcast(1)
	synctest.Wait() // the waker has gone
	if another {
		if v := <-others; v != 1 {
			t.Errorf("the other read %d", v)
		}
	}
	goOn() // were it asleep, everybody would be: synctest says so
	if got != 1 {
		t.Errorf("read %d", got)
	}
}

// A Reader lies down behind a waker that is in mid-round, and the event for it finds that waker at work: it goes round
// again, whether or not it has been past the Reader's shard.
func TestH85RoundIsWantedWhileTheWakerGoesRound(t *testing.T) {
	for _, at := range []string{"multicast:round", "park:waking"} {
		for _, shard := range []int{0, 1, 2, 15} { // before, in and after that of the one who is being woken
			t.Run(fmt.Sprintf("%s/shard=%d", at, shard), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := numbers(false)
					m := openAt(t, f, 20, 0)
					first := sleeper(readerOf(t, m, FromNext))
					second := readerOf(t, m, FromNext)
					for int(second.number%shards) != shard || second.number == 1 {
						second.Cancel()
						second = readerOf(t, m, FromNext)
					}
					goOn := steptest.StopAt(t, at, func() {
						f.Broadcast(0)
						if v := <-first; v != 0 {
							t.Errorf("the first read %d", v)
						}
					})
					wantThere(t, second, 0, 1)
					woken := sleeper(second)
					f.Broadcast(1)
					synctest.Wait()
					if len(woken) > 0 {
						t.Error("somebody else woke it: this test is about nothing")
					}
					goOn()
					if v := <-woken; v != 1 {
						t.Errorf("the second read %d", v)
					}
					closeAll(t, f)
				})
			})
		}
	}
}

// A writer that stops before it has started the waker is stood in for by the next, once somebody has lain down since.
func TestStoppedWakerIsStoodInFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := numbers(false)
		m := openAt(t, f, 20, 0)
		first := sleeper(readerOf(t, m, FromNext))
		goOn := steptest.StopAt(t, "multicast:waking", func() { f.Broadcast(0) })
		second := sleeper(readerOf(t, m, FromNext))
		f.Broadcast(1)
		if v, w := <-first, <-second; v != 0 || w != 1 {
			t.Errorf("read %d and %d", v, w)
		}
		goOn()
		closeAll(t, f)
	})
}

// An end that comes while a Reader is anywhere on its way to sleep is what it wakes to.
func TestH21EndOnTheWayToSleep(t *testing.T) {
	mine := errors.New("mine")
	for _, at := range []string{"multicast:not-lapped", "multicast:copied", "multicast:listed", "park:said-parked"} {
		for name, c := range map[string]struct {
			end  func(m *Ring[int], r *Reader[int], cancel func(error))
			want error
		}{
			"Reader.Cancel": {func(_ *Ring[int], r *Reader[int], _ func(error)) { r.Cancel() }, core.ErrCancelled},
			"Cancel":        {func(m *Ring[int], _ *Reader[int], _ func(error)) { m.Cancel() }, core.ErrCancelled},
			"context":       {func(_ *Ring[int], _ *Reader[int], cancel func(error)) { cancel(mine) }, mine},
			"lapped":        {func(m *Ring[int], _ *Reader[int], _ func(error)) { broadcast(m.fanout, 1, 200) }, core.ErrPruned},
		} {
			t.Run(at+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := numbers(false)
					m := openAt(t, f, 20, 0)
					r := readerOf(t, m, FromNext)
					f.Broadcast(0)
					wantThere(t, r, 0, 1)
					ctx, cancel := context.WithCancelCause(context.Background())
					defer cancel(nil)
					var v int
					var err error
					goOn := steptest.StopAt(t, at, func() { v, err = r.Next(ctx) })
					c.end(m, r, cancel)
					goOn()
					if v != 0 || !errors.Is(err, c.want) {
						t.Errorf("Next: got %d, %v, want %v", v, err, c.want)
					}
					closeAll(t, f)
				})
			})
		}
	}
}

// The ring ends while a Reader is in mid-read: one that lags by no more than the capacity then reads the rest; one that was
// lapped meanwhile keeps what it has in hand, and then is lapped, not merely over.
func TestEndOfTheRingInMidRead(t *testing.T) {
	for _, at := range []string{"multicast:not-lapped", "multicast:inside", "multicast:copied"} {
		for _, sent := range []int{4, 20, 21, 24, 25, 200} {
			t.Run(fmt.Sprintf("%s/sent=%d", at, sent), func(t *testing.T) {
				f := numbers(false)
				defer closeAll(t, f)
				m := openAt(t, f, 20, 0)
				r := readerOf(t, m, FromNext)
				broadcast(f, 0, 4) // a window
				got := make([]int, 4)
				var n int
				var err error
				goOn := steptest.StopAt(t, at, func() { n, err = r.NextBatch(context.Background(), got) })
				broadcast(f, 4, sent)
				m.Cancel()
				goOn()
				if at == "multicast:not-lapped" && sent == 200 {
					if n != 0 || !errors.Is(err, core.ErrPruned) {
						t.Errorf("read %v, %v; its window was another's", got[:n], err)
					}
					return
				}
				if n != 4 || err != nil || got[0] != 0 || got[3] != 3 {
					t.Errorf("read %v, %v; want the first four", got[:n], err)
				}
				<-r.Done()
				want, rest := core.ErrCancelled, sent
				if sent > 4+20 {
					want, rest = core.ErrPruned, 4
				}
				for i := 4; i < rest; i++ {
					if v, err := r.Next(context.Background()); v != i || err != nil {
						t.Errorf("read %d, %v; want %d", v, err, i)
					}
				}
				if v, err := r.Next(context.Background()); v != 0 || !errors.Is(err, want) {
					t.Errorf("at the end: read %d, %v; want %v", v, err, want)
				}
			})
		}
	}
}
