package core_test

import (
	"errors"
	"testing"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// The last one live is pruned in the midst of a chunk. The events after it come past for the sake of who was pruned, find
// nobody, and are in no count.
func TestChunkGoesOnWithoutSubscribers(t *testing.T) {
	for name, r := range map[string]region.Region{"everything": {}, "a Region": about("a")} {
		f := core.New(located())
		left := 2
		s := subscribe(t, f, r, handler{offer: func(event) core.Verdict {
			if left--; left < 0 {
				return core.Full
			}
			return core.Accepted
		}})
		// The third is the one refused; one that comes after it and lies before it is passed over.
		out := f.BroadcastAll([]event{{"a", 4}, {"a", 5}, {"a", 7}, {"a", 6}, {"a", 8}})
		wantOutcome(t, name, out, core.Outcome{Live: 1, Matched: 3, Accepted: 2, Pruned: 1})
		<-s.Done()
		if st := f.Stats(); st.Broadcasts != 3 || st.Matched != 3 || st.Accepted != 2 || st.PrunedFull != 1 {
			t.Errorf("%s: Stats %+v, want three broadcasts", name, st)
		}
		var pruned *core.PrunedError
		if !errors.As(s.Err(), &pruned) || !pruned.HasMissed || pruned.Missed != 6 {
			t.Errorf("%s: Err: got %v, want 6 as the first missed", name, s.Err())
		}
	}
}

// Each event of a chunk is asked for its own sequence.
func TestChunkLocatesEachEvent(t *testing.T) {
	f := core.New(located())
	var subs []*core.Subscription
	for refuses := range uint64(3) {
		subs = append(subs, subscribe(t, f, region.Region{}, handler{offer: func(e event) core.Verdict {
			if e.seq == refuses {
				return core.Full
			}
			return core.Accepted
		}}))
	}
	f.BroadcastAll([]event{{"a", 0}, {"a", 1}, {"a", 2}})
	for want, s := range subs {
		<-s.Done()
		var pruned *core.PrunedError
		if !errors.As(s.Err(), &pruned) || !pruned.HasMissed || pruned.Missed != uint64(want) {
			t.Errorf("Err: got %v, want %d as the first missed", s.Err(), want)
		}
	}
}

// An event that came when nobody was live, and yet finds somebody, who has just begun, is counted.
func TestFindsWhoHasJustBegun(t *testing.T) {
	for name, broadcast := range map[string]func(f *core.Fanout[event], e event) core.Outcome{
		"Broadcast":    func(f *core.Fanout[event], e event) core.Outcome { return f.Broadcast(e) },
		"BroadcastAll": func(f *core.Fanout[event], e event) core.Outcome { return f.BroadcastAll([]event{e}) },
	} {
		var f *core.Fanout[event]
		cfg := located()
		cfg.Locate = func(e event) region.Point {
			if e.seq == 5 {
				subscribe(t, f, about("a"), handler{})
			}
			return e.Point()
		}
		f = core.New(cfg)
		var s *core.Subscription
		s = subscribe(t, f, about("a"), handler{offer: func(event) core.Verdict {
			s.Cancel()
			wantOutcome(t, name, broadcast(f, event{"a", 5}), core.Outcome{Matched: 1, Accepted: 1})
			return core.Accepted
		}})
		wantOutcome(t, name, broadcast(f, event{"a", 6}), core.Outcome{Live: 1, Matched: 1, Accepted: 1})
		if st := f.Stats(); st.Broadcasts != 2 || st.Accepted != 2 {
			t.Errorf("%s: Stats %+v, want two broadcasts", name, st)
		}
		_ = f.Close()
		wait(t, f)
	}
}

// A sink panics, and so does Locate on what it missed: the caller gets the panic of Locate, and the grace is left.
func TestSinkAndLocatePanic(t *testing.T) {
	f := core.New(core.Config[event]{Locate: func(event) region.Point { panic(errMine) }})
	s := subscribe(t, f, region.Region{}, handler{offer: func(event) core.Verdict { panic("the sink's") }})
	if got := panicOf(func() { f.Broadcast(event{}) }); got != errMine {
		t.Errorf("got panic %v, want Locate's", got)
	}
	<-s.Done() // were somebody still inside, it would not come
	var pruned *core.PrunedError
	if !errors.As(s.Err(), &pruned) || pruned.HasMissed || pruned.Verdict != core.Closed || pruned.Cause == nil {
		t.Errorf("Err: got %v, want the sink's panic, and nothing of what was missed", s.Err())
	}
	if st := f.Stats(); st.Broadcasts != 1 || st.Matched != 1 || st.PrunedClosed != 1 || st.Panics != 1 {
		t.Errorf("Stats %+v", st)
	}
}

// The offer from inside which SingleWriter is broken has not been made: it is in no count.
func TestMisuseIsNoOffer(t *testing.T) {
	f := core.New(core.Config[event]{SingleWriter: true})
	subscribe(t, f, region.Region{}, handler{})
	subscribe(t, f, region.Region{}, handler{offer: func(event) core.Verdict {
		f.Broadcast(event{})
		return core.Accepted
	}})
	for range 2 {
		if err, ok := panicOf(func() { f.Broadcast(event{}) }).(*core.MisuseError); !ok {
			t.Errorf("got panic %v, want a *MisuseError", err)
		}
	}
	if st := f.Stats(); st.Broadcasts != 2 || st.Accepted != 2 || st.Matched != 2 || st.Live != 2 {
		t.Errorf("Stats %+v, want two broadcasts that one subscription accepted", st)
	}
	_ = f.Close()
	wait(t, f)
}
