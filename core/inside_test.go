package core_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/core"
)

// A bounded sink has room for so many events, and then refuses or panics.
type bounded struct {
	left   atomic.Int64
	room   int64
	panics bool
}

func (b *bounded) Offer(event) core.Verdict {
	switch {
	case b.left.Add(1) <= b.room:
		return core.Accepted
	case b.panics:
		panic("no room")
	case b.room%2 == 0:
		return core.Closed
	}
	return core.Full
}

func (b *bounded) Close(error) {}

// calledFromInside calls everything from Offer, Close, Attach and the Observer. A mutex held around
// one of them would be a deadlock.
func calledFromInside(t *testing.T) {
	for _, c := range []struct {
		name string
		call func(t *testing.T, f *core.Fanout[event], s *core.Subscription)
	}{
		{"Broadcast", func(_ *testing.T, f *core.Fanout[event], _ *core.Subscription) { f.Broadcast(event{who: "inner"}) }},
		{"BroadcastAll", func(_ *testing.T, f *core.Fanout[event], _ *core.Subscription) {
			f.BroadcastAll([]event{{who: "inner"}, {who: "inner"}})
		}},
		{"Subscribe", func(t *testing.T, f *core.Fanout[event], _ *core.Subscription) {
			s := subscribe(t, f, about("inner"), handler{})
			f.Broadcast(event{who: "inner"})
			s.Cancel()
		}},
		{"Cancel", func(_ *testing.T, _ *core.Fanout[event], s *core.Subscription) { s.Cancel() }},
		{"Close", func(_ *testing.T, f *core.Fanout[event], _ *core.Subscription) { _ = f.Close() }},
		{"Stats and Subscriptions", func(t *testing.T, f *core.Fanout[event], _ *core.Subscription) {
			for i := range f.Subscriptions() {
				if f.Stats().Live == 0 {
					t.Errorf("%+v is listed, and nobody lives", i)
				}
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				// Each place gets a Fanout of its own: a Close in the first would leave nothing for the others.
				for _, place := range []string{"Offer", "Close", "Attach", "Subscribed", "Ended"} {
					fromInside(t, place, c.call)
				}
			})
		})
	}
}

// fromInside makes the call once, from the place, and not from what the call itself causes.
func fromInside(t *testing.T, place string, call func(*testing.T, *core.Fanout[event], *core.Subscription)) {
	t.Helper()
	var f *core.Fanout[event]
	var kept atomic.Pointer[core.Subscription]
	called := false
	at := func(here string) {
		if here == place && !called {
			called = true
			call(t, f, kept.Load())
		}
	}
	cfg := located()
	cfg.Observer = observer{
		subscribed: func(core.Info) { at("Subscribed") },
		ended:      func(core.Info, error) { at("Ended") },
	}
	f = core.New(cfg)
	s := &attached{keep: &kept, attach: func() { at("Attach") }}
	s.offer = func(event) core.Verdict { at("Offer"); return core.Accepted }
	s.close = func(error) { at("Close") }
	if sub, err := f.Subscribe(t.Context(), about("a"), s); err == nil {
		f.Broadcast(event{who: "a"})
		sub.Cancel()
		<-sub.Done()
	}
	wait(t, f)
	if !called {
		t.Errorf("%s was not called", place)
	}
	if st := f.Stats(); st.Live != 0 || st.Retiring != 0 || st.Panics != 0 {
		t.Errorf("from %s: Stats %+v, want nobody left", place, st)
	}
}

// An attached sink keeps the Subscription it is given.
type attached struct {
	handler
	keep   *atomic.Pointer[core.Subscription]
	attach func()
}

func (a *attached) Attach(s *core.Subscription) {
	if a.keep != nil {
		a.keep.Store(s)
	}
	if a.attach != nil {
		a.attach()
	}
}
