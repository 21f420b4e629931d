package core_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

func TestG8NoCrashByDesign(t *testing.T) {
	t.Run("Locate panics", locatePanics)
	t.Run("Offer panics", offerPanics)
	t.Run("Offer exits", offerExits)
	t.Run("Close and Observer panic", func(t *testing.T) { endsBadly(t, func() { panic("mine") }) })
	t.Run("Close and Observer exit", func(t *testing.T) { endsBadly(t, runtime.Goexit) })
	t.Run("Subscribed exits", subscribedExits)
	t.Run("called from inside", calledFromInside)
	t.Run("SingleWriter is held to", singleWriter)
	t.Run("all at once", allAtOnce)
}

func locatePanics(t *testing.T) {
	for _, c := range []struct {
		name   string
		region region.Region
		answer core.Verdict
		prunes bool
	}{
		{"looked up for a Region", about("a"), core.Accepted, false},
		{"looked up for a refusal", region.Region{}, core.Full, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := core.New(core.Config[event]{Locate: func(event) region.Point { panic(errMine) }})
				s := subscribe(t, f, c.region, handler{offer: func(event) core.Verdict { return c.answer }})
				for _, broadcast := range []func(){
					func() { f.Broadcast(event{}) },
					func() { f.BroadcastAll(make([]event, 3)) },
				} {
					if got := panicOf(broadcast); c.prunes && f.Len() == 0 {
						break
					} else if got != errMine {
						t.Errorf("got panic %v, want Locate's own", got)
					}
				}
				synctest.Wait()
				if over(s) != c.prunes {
					t.Errorf("over: got %v, want %v", over(s), c.prunes)
				}
				s.Cancel()
				<-s.Done() // the grace was left
				var pruned *core.PrunedError
				if errors.As(s.Err(), &pruned) != c.prunes || c.prunes && (pruned.HasMissed || pruned.Cause != nil) {
					t.Errorf("Err: got %#v", s.Err())
				}
				if st := f.Stats(); st.Panics != 0 || st.Retiring != 0 {
					t.Errorf("Stats: got %+v: this panic is the caller's", st)
				}
			})
		})
	}
}

// panicOf returns what f panics with.
func panicOf(f func()) (value any) {
	defer func() { value = recover() }()
	f()
	return nil
}

func offerPanics(t *testing.T) {
	for _, value := range []any{errMine, "a text", nil} {
		f := core.New(located())
		got := 0
		count := handler{offer: func(event) core.Verdict { got++; return core.Accepted }}
		subscribe(t, f, region.Region{}, count)
		bad := []*core.Subscription{
			subscribe(t, f, region.Region{}, handler{offer: panicky(value)}),
			subscribe(t, f, region.Region{}, handler{offer: panicky(value)}),
			subscribe(t, f, about("a"), handler{offer: panicky(value)}),
		}
		subscribe(t, f, region.Region{}, count)
		subscribe(t, f, about("a"), count)
		wantOutcome(t, "with the panics", f.Broadcast(event{"a", 9}), core.Outcome{Live: 6, Matched: 6, Accepted: 3, Pruned: 3})
		wantOutcome(t, "without them", f.Broadcast(event{"a", 10}), core.Outcome{Live: 3, Matched: 3, Accepted: 3})
		wait(t, f)
		if got != 6 {
			t.Errorf("the others got %d events, want 6", got)
		}
		for _, s := range bad {
			wantPruned(t, s, core.PrunedError{Fanout: "promises", ID: s.ID(), Region: s.Region(), Verdict: core.Closed, Missed: 9, HasMissed: true})
			var p *core.PanicError
			if !errors.As(s.Err(), &p) || !strings.Contains(string(p.Stack), "panicky") {
				t.Fatalf("Err: got %v, want a *PanicError with the sink on its stack", s.Err())
			}
			if _, isNil := p.Value.(*runtime.PanicNilError); p.Value != value && (value != nil || !isNil) {
				t.Errorf("PanicError.Value: got %v, want %v", p.Value, value)
			}
			if errors.Is(s.Err(), errMine) != (value == errMine) {
				t.Errorf("Err is the error it panicked with: got %v", s.Err())
			}
		}
		if st := f.Stats(); st.Panics != 3 || st.PrunedClosed != 3 || st.Matched != 9 || st.Accepted != 6 {
			t.Errorf("Stats: got %+v, want 3 panics, 3 pruned closed, 9 matched", st)
		}
	}
}

func panicky(value any) func(event) core.Verdict {
	return func(event) core.Verdict { panic(value) }
}

// offerExits: runtime.Goexit in a sink takes the broadcasting goroutine along, and nobody else's event.
func offerExits(t *testing.T) {
	exits := func(event) core.Verdict { runtime.Goexit(); return core.Accepted }
	for _, c := range []struct {
		name string
		bad  []region.Region
	}{
		{"among those that want everything", []region.Region{{}}},
		{"twice", []region.Region{{}, {}}},
		{"in a Region", []region.Region{about("a:b")}},
		{"everywhere, once in a Region", []region.Region{{}, about("a")}},
		{"in two Regions", []region.Region{about("a"), about("a:b")}},
		{"in three Regions", []region.Region{about("a"), about("a:b"), {Kind: region.InCategory(0)}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := core.New(located())
				got := make(map[string]int)
				var bad []*core.Subscription
				good := []region.Region{{}, about("a"), about("a:b"), about("a:b:c"), {Kind: region.InCategory(0)}, {Lane: region.OneLane(0)}}
				listen := func(when string) {
					for _, r := range good {
						subscribe(t, f, r, handler{offer: func(event) core.Verdict { got[when+" "+r.String()]++; return core.Accepted }})
					}
				}
				listen("before")
				for _, r := range c.bad {
					bad = append(bad, subscribe(t, f, r, handler{offer: exits}))
				}
				listen("after")
				survived := false
				go func() {
					f.Broadcast(event{"a:b:c", 4})
					survived = true
				}()
				synctest.Wait()
				for _, when := range []string{"before ", "after "} {
					for _, r := range good {
						if n := got[when+r.String()]; n != 1 {
							t.Errorf("subscribed %sthem to %v: got %d events, want 1", when, r, n)
						}
					}
				}
				for _, s := range bad {
					if !over(s) || !errors.Is(s.Err(), core.ErrGoexit) || !errors.Is(s.Err(), core.ErrPruned) {
						t.Errorf("Err: got %v, want ErrPruned and ErrGoexit", s.Err())
					}
				}
				if survived {
					t.Error("the goroutine went on after Goexit")
				}
				if st := f.Stats(); int(st.Panics) != len(bad) || int(st.PrunedClosed) != len(bad) || int(st.Accepted) != 2*len(good) {
					t.Errorf("Stats: got %+v", st)
				}
				_ = f.Close()
			})
		})
	}
}

// endsBadly: a Close, an Ended and a Subscribed that misbehave cost the others nothing.
func endsBadly(t *testing.T, misbehave func()) {
	synctest.Test(t, func(t *testing.T) {
		cfg := located()
		told := 0
		cfg.Observer = observer{ended: func(core.Info, error) { told++; misbehave() }}
		f := core.New(cfg)
		ctx, cancel := context.WithCancel(t.Context())
		var subs []*core.Subscription
		closes := 0
		for range 50 {
			subs = append(subs, subscribeFor(t, ctx, f, region.Region{}, handler{close: func(error) { closes++; misbehave() }}))
		}
		subs[0].Cancel()
		subs[1].Cancel()
		synctest.Wait()
		cancel()
		wait(t, f)
		for i, s := range subs {
			if !over(s) || !errors.Is(s.Err(), core.ErrCancelled) {
				t.Errorf("subscription %d: over %v, Err %v", i, over(s), s.Err())
			}
		}
		if st := f.Stats(); told != 50 || closes != 50 || st.Panics != 100 || st.Retiring != 0 || st.SlowClose != 0 {
			t.Errorf("got %d told, %d closed, Stats %+v; want 50, 50, 100 panics", told, closes, st)
		}
		s := subscribe(t, f, region.Region{}, handler{})
		s.Cancel()
		<-s.Done() // the reaper works still
	})
}

func subscribedExits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := located()
		var why error
		misbehave := runtime.Goexit
		cfg.Observer = observer{
			subscribed: func(core.Info) { misbehave() },
			ended:      func(_ core.Info, cause error) { why = cause },
		}
		f := core.New(cfg)
		go func() { _, _ = f.Subscribe(t.Context(), region.Region{}, handler{}) }()
		synctest.Wait()
		if !errors.Is(why, core.ErrGoexit) || f.Len() != 0 {
			t.Errorf("nobody has the Subscription: ended by %v, Len %d; want ErrGoexit, 0", why, f.Len())
		}
		misbehave = func() { panic("mine") }
		s := subscribe(t, f, region.Region{}, handler{})
		if st := f.Stats(); st.Panics != 2 || st.Live != 1 || st.Subscribed != 2 || st.Cancelled != 1 {
			t.Errorf("Stats: got %+v, want 2 panics, one live of two", st)
		}
		s.Cancel()
	})
}

func singleWriter(t *testing.T) {
	misuse := func(t *testing.T, value any) {
		t.Helper()
		err, ok := value.(*core.MisuseError)
		if !ok || !strings.Contains(err.Error(), "SingleWriter") {
			t.Errorf("got panic %v, want a *MisuseError that names SingleWriter", value)
		}
	}
	cfg := located()
	cfg.SingleWriter = true
	t.Run("nested", func(t *testing.T) {
		f := core.New(cfg)
		s := subscribe(t, f, region.Region{}, handler{offer: func(e event) core.Verdict { f.Broadcast(e); return core.Accepted }})
		misuse(t, panicOf(func() { f.Broadcast(event{}) }))
		misuse(t, panicOf(func() { f.BroadcastAll(make([]event, 2)) }))
		s.Cancel()
		<-s.Done() // the grace was left
		if !f.SingleWriter() || s.Err() != core.ErrCancelled {
			t.Errorf("SingleWriter %v, Err %v", f.SingleWriter(), s.Err())
		}
	})
	t.Run("concurrent", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := core.New(cfg)
			gate := make(chan struct{})
			s := subscribe(t, f, region.Region{}, handler{offer: func(event) core.Verdict { <-gate; return core.Accepted }})
			var first core.Outcome
			go func() { first = f.Broadcast(event{}) }()
			synctest.Wait()
			misuse(t, panicOf(func() { f.Broadcast(event{}) }))
			close(gate)
			synctest.Wait()
			wantOutcome(t, "the first", first, core.Outcome{Live: 1, Matched: 1, Accepted: 1})
			wantOutcome(t, "afterwards", f.Broadcast(event{}), core.Outcome{Live: 1, Matched: 1, Accepted: 1})
			s.Cancel()
			<-s.Done()
		})
	})
}

// allAtOnce runs everything against everything, and looks whether the figures add up.
func allAtOnce(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 50
	}
	f := core.New(located())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	sums := make([]core.Outcome, 4)
	for w := range sums {
		wg.Go(func() {
			for i := range uint64(rounds) * 4 {
				out := f.Broadcast(event{"a", i})
				if out.Matched != out.Accepted+out.Pruned {
					t.Errorf("got %+v, want Matched to be the sum", out)
				}
				sums[w].Accepted += out.Accepted
				sums[w].Pruned += out.Pruned
			}
		})
	}
	for w := range 4 {
		wg.Go(func() {
			for i := range rounds {
				room := i % 5
				r := []region.Region{{}, about("a"), about("b")}[i%3]
				s, err := f.Subscribe(ctx, r, &bounded{room: int64(room), panics: i%11 == 0})
				if err != nil {
					t.Error(err)
					return
				}
				if (i+w)%4 == 0 {
					s.Cancel()
				}
				if got := f.Stats(); got.Matched < got.Accepted || got.Live < 0 {
					t.Errorf("Stats under way: %+v", got)
				}
			}
		})
	}
	wg.Wait()
	wait(t, f)
	var sum core.Outcome
	for _, o := range sums {
		sum.Accepted += o.Accepted
		sum.Pruned += o.Pruned
	}
	st := f.Stats()
	if st.Subscribed != uint64(4*rounds) || st.Subscribed != uint64(st.Live)+st.Cancelled+st.PrunedFull+st.PrunedClosed {
		t.Errorf("Stats: got %+v; Subscribed is not Live and the ends", st)
	}
	if st.Accepted != uint64(sum.Accepted) || st.PrunedFull+st.PrunedClosed != uint64(sum.Pruned) || st.Retiring != 0 {
		t.Errorf("Stats: got %+v, the Outcomes %+v", st, sum)
	}
	live := 0
	for range f.Subscriptions() {
		live++
	}
	if live != st.Live || f.Len() != live {
		t.Errorf("listed %d, Len %d, Stats %d: want the same", live, f.Len(), st.Live)
	}
}
