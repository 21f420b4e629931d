package core_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// The tests here are named after the hazards that they guard, of registry and lifecycle; docs/hazards.md
// has the list.

// Subscribes and Cancels meet: no change to the registry is lost.
func TestH4SubscribesAtOnce(t *testing.T) {
	const goroutines, each = 8, 100
	f := core.New(located())
	subs := make([][]*core.Subscription, goroutines)
	var wg sync.WaitGroup
	for g := range subs {
		wg.Go(func() {
			for i := range each {
				r := []region.Region{{}, about("a"), about(fmt.Sprint("a:", i))}[i%3]
				subs[g] = append(subs[g], subscribe(t, f, r, handler{}))
				if i%2 == 1 {
					subs[g][i-1].Cancel()
				}
			}
		})
	}
	wg.Wait()
	wait(t, f)
	want := core.Outcome{Live: goroutines * each / 2}
	for i := 1; i < each; i += 2 {
		if i%3 != 2 || i == 5 { // the zero Region, a, or a:5
			want.Accepted += goroutines
		}
	}
	want.Matched = want.Accepted
	wantOutcome(t, "Broadcast", f.Broadcast(event{"a:5", 1}), want)
	listed := 0
	for range f.Subscriptions() {
		listed++
	}
	if f.Len() != want.Live || listed != want.Live {
		t.Errorf("Len %d, listed %d; want %d", f.Len(), listed, want.Live)
	}
	for g := range subs {
		for i := 1; i < each; i += 2 {
			subs[g][i].Cancel()
		}
	}
	wait(t, f)
	wantOutcome(t, "Broadcast afterwards", f.Broadcast(event{"a:5", 2}), core.Outcome{})
}

// Nothing ever happens where it listens: it leaves all the same, and takes its table in the index along.
func TestH6DeadOutOfRegion(t *testing.T) {
	for _, c := range ends[:5] { // those that take no event
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				looked := 0
				f := core.New(core.Config[event]{Locate: func(e event) region.Point { looked++; return e.Point() }})
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				s := subscribeFor(t, ctx, f, about("elsewhere"), handler{offer: func(event) core.Verdict {
					t.Error("offered an event from outside its Region")
					return core.Accepted
				}})
				stays := subscribe(t, f, region.Region{}, handler{})
				f.Broadcast(event{"here", 1})
				c.by(f, s, cancel)
				synctest.Wait()
				if !over(s) || f.Len() != 0 && over(stays) {
					t.Errorf("over %v, Len %d", over(s), f.Len())
				}
				for i := range f.Subscriptions() {
					if i.ID == s.ID() {
						t.Error("listed still")
					}
				}
				before := looked
				f.Broadcast(event{"here", 2})
				if before != 1 || looked != before {
					t.Errorf("Locate was called %d times, and %d times afterwards; want 1 and 0", before, looked-before)
				}
			})
		})
	}
}

// A million Regions, no two alike, come and go: index and registry are as small as before.
func TestH7DistinctRegionsGiveMemoryBack(t *testing.T) {
	const wave = 5000
	crowd := 1_000_000
	if testing.Short() {
		crowd = 50_000
	}
	f := core.New(located())
	subscribe(t, f, region.Region{}, handler{})
	var before int64
	for n := 0; n < crowd; n += wave {
		if n == wave {
			before = heap() // with what one wave has made grow
		}
		subs := make([]*core.Subscription, wave)
		for i := range subs {
			id := n + i
			r := region.Region{Kind: region.OneKind(region.Kind(id)), Scope: fmt.Sprint("s", id/7)}
			if i%2 == 0 {
				r.Entity = fmt.Sprintf("e%d:%d", id%97, id)
			}
			subs[i] = subscribe(t, f, r, handler{})
		}
		for _, s := range subs {
			s.Cancel()
		}
		wait(t, f)
	}
	if left := heap() - before; left > 1<<20 || f.Len() != 1 {
		t.Errorf("%d bytes are left, Len %d", left, f.Len())
	}
	wantOutcome(t, "Broadcast", f.Broadcast(event{"a", 1}), core.Outcome{Live: 1, Matched: 1, Accepted: 1})
}

// A bucket of the index is emptied and filled at once: who has joined is found.
func TestH8JoinsABucketBeingEmptied(t *testing.T) {
	rounds := 3000
	if testing.Short() {
		rounds = 500
	}
	f := core.New(located())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range rounds {
				s := subscribe(t, f, about("a"), handler{})
				other := subscribe(t, f, about("a"), handler{})
				if i%2 == 0 {
					other.Cancel()
				}
				if out := f.Broadcast(event{"a", 1}); out.Matched < 1+i%2 {
					t.Errorf("round %d: got %+v, want my own to be found", i, out)
				}
				other.Cancel()
				s.Cancel()
				if i%16 == 0 {
					<-s.Done()
				}
			}
		})
	}
	wg.Wait()
	wait(t, f)
	if st := f.Stats(); st.Live != 0 || st.Retiring != 0 || st.Accepted != st.Matched {
		t.Errorf("Stats: got %+v", st)
	}
}

// Who is subscribed by a handler may get the event that the handler has in hand, where the broadcast has not
// come past its place yet, but once; and gets each that comes after it.
func TestH12SubscribeInsideAHandler(t *testing.T) {
	regions := []region.Region{{}, about("a"), about("a:b"), {Kind: region.InCategory(0)}}
	for _, outer := range regions {
		for _, inner := range regions {
			f := core.New(located())
			var got [3]int
			late := handler{offer: func(e event) core.Verdict { got[e.seq]++; return core.Accepted }}
			subscribe(t, f, outer, handler{offer: func(e event) core.Verdict {
				if e.seq == 1 {
					subscribe(t, f, inner, late)
				}
				return core.Accepted
			}})
			f.Broadcast(event{"a:b", 1})
			f.Broadcast(event{"a:b", 2})
			if got[1] > 1 || outer == inner && got[1] > 0 || got[2] != 1 {
				t.Errorf("%v subscribed from a handler of %v: got event 1 %d times, 2 %d times", inner, outer, got[1], got[2])
			}
		}
	}
}

// Close returns though a Broadcast hangs in a sink and a reader has left a full buffer behind.
func TestH16CloseBesideAStuckReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := core.New(located())
		gate := make(chan struct{})
		stuck := subscribe(t, f, region.Region{}, handler{offer: func(event) core.Verdict { <-gate; return core.Accepted }})
		p := &pipe{t: t, c: make(chan event, 1)}
		full := subscribe(t, f, about("a"), p)
		p.c <- event{}
		go f.Broadcast(event{"b", 1})
		synctest.Wait()
		if err := f.Close(); err != nil { // in no time: a bubble in which all wait is a deadlock
			t.Error(err)
		}
		if f.Len() != 0 || f.HasSubscribers() {
			t.Errorf("Len %d, HasSubscribers %v", f.Len(), f.HasSubscribers())
		}
		close(gate)
		wait(t, f)
		if !over(stuck) || !over(full) || full.Err() != core.ErrClosed {
			t.Errorf("over %v and %v, Err %v", over(stuck), over(full), full.Err())
		}
	})
}

// Close in the middle of a broadcast: who comes before has the event, who comes after has the reason.
func TestH19CloseDuringBroadcast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := core.New(located())
		var subs [3]*core.Subscription
		var got [3]int
		for i := range subs {
			subs[i] = subscribe(t, f, region.Region{}, handler{
				offer: func(event) core.Verdict {
					if got[i]++; i == 1 {
						_ = f.Close()
						synctest.Wait()
						if over(subs[0]) || over(subs[1]) || over(subs[2]) {
							t.Error("over before the broadcast has left")
						}
					}
					return core.Accepted
				},
			})
		}
		wantOutcome(t, "Broadcast", f.Broadcast(event{}), core.Outcome{Live: 3, Matched: 2, Accepted: 2})
		wait(t, f)
		for i, s := range subs {
			if want := []int{1, 1, 0}[i]; got[i] != want || s.Err() != core.ErrClosed {
				t.Errorf("subscription %d got %d events, Err %v; want %d, ErrClosed", i, got[i], s.Err(), want)
			}
		}
		wantOutcome(t, "after Close", f.Broadcast(event{}), core.Outcome{})
	})
}

// After each way of ending no goroutine is left, of the fan-out's or of a context's.
func TestH22EveryEndStopsItsGoroutines(t *testing.T) {
	for _, c := range ends {
		before := goleak.IgnoreCurrent()
		f := core.New(located())
		ctx, cancel := context.WithCancelCause(t.Context())
		var subs []*core.Subscription
		for range 10 {
			subs = append(subs, subscribeFor(t, ctx, f, region.Region{}, &bounded{panics: c.name == "panic"}))
		}
		for _, s := range subs {
			c.by(f, s, cancel)
		}
		wait(t, f)
		if err := goleak.Find(before); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		cancel(nil)
	}
}

// A Subscribe that is refused, however late, leaves nothing behind.
func TestH23RefusedLeavesNothing(t *testing.T) {
	f := core.New(located())
	closed := core.New(located())
	_ = closed.Close()
	never := handler{
		offer: func(event) core.Verdict { t.Error("offered"); return core.Accepted },
		close: func(error) { t.Error("closed") },
	}
	over, cancel := context.WithCancelCause(t.Context())
	cancel(errMine)
	for _, c := range []struct {
		name   string
		f      *core.Fanout[event]
		ctx    context.Context
		region region.Region
		sink   core.Sink[event]
		want   error
	}{
		{"nil sink", f, t.Context(), region.Region{}, nil, core.ErrNilSink},
		{"nil channel", f, t.Context(), about("a"), &pipe{t: t}, core.ErrNilSink},
		{"clock", f, t.Context(), region.Region{Clock: region.Clocks(1, 2)}, never, core.ErrLiveClock},
		{"name", f, t.Context(), about("\xff"), never, region.ErrUTF8},
		{"context", f, over, about("a"), never, errMine},
		{"closed", closed, t.Context(), about("a"), never, core.ErrClosed},
	} {
		if s, err := c.f.Subscribe(c.ctx, c.region, c.sink); s != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, %v; want nil, %v", c.name, s, err, c.want)
		}
	}
	for _, f := range []*core.Fanout[event]{f, closed} {
		wantOutcome(t, "Broadcast", f.Broadcast(event{"a", 1}), core.Outcome{})
		wait(t, f)
		if st := f.Stats(); st != (core.Stats{}) {
			t.Errorf("Stats: got %+v, want nothing", st)
		}
		for i := range f.Subscriptions() {
			t.Errorf("listed: %+v", i)
		}
	}
}
