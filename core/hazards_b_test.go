package core_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// The tests here are named after the hazards that they guard, of what delivery means; docs/hazards.md has
// the list.

// listen subscribes a channel for what happens to "a".
func listen(t *testing.T, f *core.Fanout[event], capacity int) *channel.Subscription[event] {
	t.Helper()
	s, err := channel.Subscribe(t.Context(), f, about("a"), capacity)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A reader that has taken all there is tells loss, end and failure apart by Err alone.
func TestH48LossEndFailureToldApart(t *testing.T) {
	say := func(err error) string {
		var failure *core.PanicError
		switch {
		case errors.As(err, &failure):
			return "failure"
		case errors.Is(err, core.ErrPruned):
			return "loss"
		case errors.Is(err, core.ErrClosed):
			return "the source's end"
		case errors.Is(err, core.ErrCancelled):
			return "my own end"
		}
		return "unknown"
	}
	for _, c := range []struct {
		name, want string
		offer      func(event) core.Verdict
		end        func(f *core.Fanout[event], s *core.Subscription)
	}{
		{"full", "loss", func(event) core.Verdict { return core.Full }, nil},
		{"gone", "loss", func(event) core.Verdict { return core.Closed }, nil},
		{"panic", "failure", func(event) core.Verdict { panic("mine") }, nil},
		{"Close", "the source's end", nil, func(f *core.Fanout[event], _ *core.Subscription) { _ = f.Close() }},
		{"Cancel", "my own end", nil, func(_ *core.Fanout[event], s *core.Subscription) { s.Cancel() }},
	} {
		f := core.New(located())
		s := subscribe(t, f, region.Region{}, handler{offer: c.offer})
		if c.end != nil {
			c.end(f, s)
		}
		f.Broadcast(event{"a", 1})
		wait(t, f)
		if got := say(s.Err()); got != c.want {
			t.Errorf("%s: %v is %s, want %s", c.name, s.Err(), got, c.want)
		}
	}
}

// A burst comes before the reader's first look: what fitted is there, the rest is a typed loss, and nothing hangs.
func TestH49BurstBeforeTheFirstRead(t *testing.T) {
	f := core.New(located())
	s := listen(t, f, 8)
	for seq := range uint64(1000) {
		f.Broadcast(event{"a", seq})
	}
	got := 0
	for e := range s.C() {
		if e.seq != uint64(got) {
			t.Errorf("got %d, want %d next", e.seq, got)
		}
		got++
	}
	if got != 8 {
		t.Errorf("got %d events, want the 8 there was room for", got)
	}
	wantPruned(t, s, core.PrunedError{Fanout: "promises", ID: 1, Region: about("a"), Verdict: core.Full, Missed: 8, HasMissed: true, Held: 8})
}

// An end needs no room in the buffer: with a capacity of one, and that taken, the event is read before it.
func TestH51EndTakesNoRoom(t *testing.T) {
	for _, c := range ends[:5] {
		f := core.New(located())
		ctx, cancel := context.WithCancelCause(t.Context())
		p := &pipe{t: t, c: make(chan event, 1)}
		s := subscribeFor(t, ctx, f, about("a"), p)
		f.Broadcast(event{"a", 7})
		c.by(f, s, cancel)
		wait(t, f)
		var got []event
		for e := range p.c {
			got = append(got, e)
		}
		if !slices.Equal(got, []event{{"a", 7}}) || s.Err() == nil {
			t.Errorf("%s: got %v, then %v; want the event, then the end", c.name, got, s.Err())
		}
		cancel(nil)
	}
}

// Counters outlive those they count.
func TestH52CountersOutliveSubscriptions(t *testing.T) {
	f := core.New(located())
	s := listen(t, f, 2)
	for seq := range uint64(5) {
		f.Broadcast(event{"a", seq})
	}
	_ = f.Close()
	wait(t, f)
	want := core.Stats{Subscribed: 1, Broadcasts: 3, Matched: 3, Accepted: 2, PrunedFull: 1}
	if st := f.Stats(); st != want {
		t.Errorf("Stats after all is over: got %+v, want %+v", st, want)
	}
	runtime.KeepAlive(s)
}

// A sink that broadcasts into itself is its own author's recursion; one that does so once a level ends with it,
// in an order that is written down: the inner event before whoever comes later in the outer's walk.
func TestH60BroadcastInsideOffer(t *testing.T) {
	f := core.New(located())
	var first, second []uint64
	subscribe(t, f, region.Region{}, handler{offer: func(e event) core.Verdict {
		first = append(first, e.seq)
		if e.seq < 200 {
			f.Broadcast(event{"a", e.seq + 1})
		}
		return core.Accepted
	}})
	subscribe(t, f, region.Region{}, handler{offer: func(e event) core.Verdict {
		second = append(second, e.seq)
		return core.Accepted
	}})
	wantOutcome(t, "outermost", f.Broadcast(event{"a", 1}), core.Outcome{Live: 2, Matched: 2, Accepted: 2})
	if len(first) != 200 || !slices.IsSorted(first) {
		t.Errorf("the one that broadcasts got %d events of 200, in order: %v", len(first), slices.IsSorted(first))
	}
	slices.Reverse(second)
	if len(second) != 200 || !slices.IsSorted(second) {
		t.Errorf("the one behind it got %d events of 200, innermost first: %v", len(second), slices.IsSorted(second))
	}
}

// A reader takes the mutex that the writer holds while it broadcasts, beyond every buffer's size: the writer
// waits for nobody, so there is no cycle.
func TestH61ReaderWantsTheWritersMutex(t *testing.T) {
	f := core.New(located())
	s := listen(t, f, 4)
	var mu sync.Mutex
	var wg sync.WaitGroup
	mu.Lock()
	got := 0
	wg.Go(func() {
		for range s.C() {
			mu.Lock()
			got++
			mu.Unlock()
		}
	})
	for seq := range uint64(1000) {
		f.Broadcast(event{"a", seq})
	}
	mu.Unlock()
	wg.Wait()
	if got < 4 || got > 5 || !errors.Is(s.Err(), core.ErrPruned) {
		t.Errorf("got %d events, then %v; want 4, or 5 with the one in hand, then ErrPruned", got, s.Err())
	}
}

// A broadcast is not cut short: with Close and Cancel in its middle each subscription has the event, or a
// reason, never neither, and nobody has it twice.
func TestH68NobodyIsLeftWithoutEventOrReason(t *testing.T) {
	for _, c := range ends[:5] {
		synctest.Test(t, func(t *testing.T) {
			f := core.New(located())
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			var subs [10]*core.Subscription
			var got [10]int
			for i := range subs {
				subs[i] = subscribeFor(t, ctx, f, region.Region{}, handler{offer: func(event) core.Verdict {
					if got[i]++; i == 4 {
						for _, s := range subs {
							c.by(f, s, cancel)
						}
						synctest.Wait()
					}
					return core.Accepted
				}})
			}
			out := f.Broadcast(event{"a", 1})
			wait(t, f)
			sum := 0
			for i, s := range subs {
				if sum += got[i]; got[i] > 1 || got[i] == 0 && s.Err() == nil {
					t.Errorf("%s: subscription %d got %d, Err %v", c.name, i, got[i], s.Err())
				}
			}
			if out.Accepted != sum || out.Matched != sum {
				t.Errorf("%s: got %+v, %d in all", c.name, out, sum)
			}
		})
	}
}

// After Cancel has returned, broadcasts that begin later offer nothing; after Wait has, nor do those under way.
func TestH69NoOfferAfterCancelAndWait(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 50
	}
	f := core.New(located())
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for seq := uint64(0); ; seq++ {
				select {
				case <-stop:
					return
				default:
					f.Broadcast(event{"a", seq})
					runtime.Gosched()
				}
			}
		})
	}
	subscribe(t, f, region.Region{}, handler{})
	for range rounds {
		var mu sync.Mutex
		cancelled, waited, late := false, false, 0
		s := subscribe(t, f, region.Region{}, handler{offer: func(e event) core.Verdict {
			mu.Lock()
			defer mu.Unlock()
			if waited || cancelled && e.who == "mine" {
				late++
			}
			return core.Accepted
		}})
		f.Broadcast(event{who: "mine"})
		s.Cancel()
		mu.Lock()
		cancelled = true
		mu.Unlock()
		f.Broadcast(event{who: "mine"})
		wait(t, f)
		mu.Lock()
		waited = true
		mu.Unlock()
		runtime.Gosched()
		mu.Lock()
		if late != 0 {
			t.Errorf("%d late offers", late)
		}
		mu.Unlock()
	}
	close(stop)
	wg.Wait()
}

// No goroutine and no timer a send: a thousand broadcasts beside stuck readers start nothing, and in a
// bubble, where timers would show, no time passes.
func TestH74NothingStartedForASend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := core.New(located())
		slow := listen(t, f, 1000)
		before, start := runtime.NumGoroutine(), time.Now()
		for seq := range uint64(1000) {
			f.Broadcast(event{"a", seq})
		}
		if n := runtime.NumGoroutine(); n > before {
			t.Errorf("%d goroutines, %d before", n, before)
		}
		synctest.Wait()
		if d := time.Since(start); d != 0 {
			t.Errorf("it took %v", d)
		}
		slow.Cancel()
		wait(t, f)
	})
}
