package core_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A pipe is a sink that is nothing but a channel. Its Offer must never be called.
type pipe struct {
	t     *testing.T
	c     chan event
	asked int // for the channel
	keep  bool
}

func (p *pipe) Chan() chan<- event { p.asked++; return p.c }

func (p *pipe) Offer(event) core.Verdict {
	p.t.Error("Offer called on a sink that is a channel")
	return core.Closed
}

func (p *pipe) Close(error) {
	if !p.keep {
		close(p.c)
	}
}

func TestChanSink(t *testing.T) {
	t.Run("nil", func(t *testing.T) {
		f := core.New(located())
		if _, err := f.Subscribe(t.Context(), region.Region{}, &pipe{t: t, keep: true}); !errors.Is(err, core.ErrNilSink) {
			t.Errorf("got %v, want ErrNilSink", err)
		}
		if st := f.Stats(); st.Subscribed != 0 || st.Live != 0 {
			t.Errorf("Stats: got %+v, want nobody", st)
		}
	})
	t.Run("sent on by core itself", func(t *testing.T) {
		f := core.New(located())
		p := &pipe{t: t, c: make(chan event, 2)}
		s := subscribe[event](t, f, about("a"), p)
		for seq := range uint64(3) {
			f.Broadcast(event{"a", seq})
		}
		<-s.Done()
		if e, ok := <-p.c; !ok || e.seq != 0 || p.asked != 1 {
			t.Errorf("got %v, %v, Chan called %d times; want event 0, once", e, ok, p.asked)
		}
		wantPruned(t, s, core.PrunedError{Fanout: "promises", ID: 1, Region: about("a"), Verdict: core.Full, Missed: 2, HasMissed: true, Held: 2})
	})
	t.Run("unbuffered: not ready is Full", func(t *testing.T) {
		f := core.New(located())
		s := subscribe[event](t, f, region.Region{}, &pipe{t: t, c: make(chan event)})
		wantOutcome(t, "nobody receives", f.Broadcast(event{}), core.Outcome{Live: 1, Matched: 1, Pruned: 1})
		<-s.Done()
	})
	t.Run("closed by someone else", func(t *testing.T) {
		f := core.New(located())
		p := &pipe{t: t, c: make(chan event, 2), keep: true}
		s := subscribe[event](t, f, region.Region{}, p)
		others := 0
		subscribe(t, f, region.Region{}, handler{offer: func(event) core.Verdict { others++; return core.Accepted }})
		close(p.c)
		wantOutcome(t, "Broadcast", f.Broadcast(event{"a", 7}), core.Outcome{Live: 2, Matched: 2, Accepted: 1, Pruned: 1})
		<-s.Done()
		wantPruned(t, s, core.PrunedError{Fanout: "promises", ID: 1, Verdict: core.Closed, Missed: 7, HasMissed: true})
		var p2 *core.PanicError
		if !errors.As(s.Err(), &p2) || len(p2.Stack) == 0 || others != 1 || f.Stats().Panics != 1 {
			t.Errorf("Err %v, others got %d, Stats %+v; want a PanicError, 1, 1 panic", s.Err(), others, f.Stats())
		}
	})
}

func TestAttach(t *testing.T) {
	cause := errors.New("the far end has gone")
	t.Run("Cancel inside", func(t *testing.T) {
		for _, want := range []error{core.ErrCancelled, cause} {
			var told []error
			cfg := located()
			cfg.Observer = observer{ended: func(_ core.Info, err error) { told = append(told, err) }}
			f := core.New(cfg)
			var closes []error
			var kept atomic.Pointer[core.Subscription]
			a := &attached{keep: &kept}
			a.offer = func(event) core.Verdict { t.Error("Offer called"); return core.Accepted }
			a.close = func(err error) { closes = append(closes, err) }
			a.attach = func() {
				if s := kept.Load(); want == cause {
					s.CancelCause(cause)
				} else {
					s.Cancel()
				}
			}
			s := subscribe[event](t, f, region.Region{}, a)
			wantOutcome(t, "Broadcast", f.Broadcast(event{}), core.Outcome{})
			<-s.Done()
			if s != kept.Load() || s.Err() != want {
				t.Errorf("Err: got %v, want %v; the same Subscription: %v", s.Err(), want, s == kept.Load())
			}
			if len(closes) != 1 || closes[0] != want || len(told) != 1 || told[0] != want {
				t.Errorf("closed with %v, told %v, want %v once", closes, told, want)
			}
			if st := f.Stats(); st.Subscribed != 1 || st.Cancelled != 1 || st.Live != 0 || st.Retiring != 0 {
				t.Errorf("Stats: got %+v, want one subscribed and cancelled", st)
			}
		}
	})
	for _, cancels := range []bool{false, true} {
		name := "a Subscribe that fails"
		if cancels {
			name += ", cancelled before"
		}
		t.Run(name, func(t *testing.T) {
			cfg := located()
			cfg.Observer = observer{
				subscribed: func(core.Info) { t.Error("Subscribed told") },
				ended:      func(core.Info, error) { t.Error("Ended told") },
			}
			f := core.New(cfg)
			var kept atomic.Pointer[core.Subscription]
			a := &attached{keep: &kept}
			a.close = func(error) { t.Error("Close called") }
			a.attach = func() {
				if cancels {
					kept.Load().CancelCause(cause)
				}
				_ = f.Close()
			}
			if _, err := f.Subscribe(context.Background(), region.Region{}, a); !errors.Is(err, core.ErrClosed) {
				t.Errorf("Subscribe: got %v, want ErrClosed", err)
			}
			s, want := kept.Load(), core.ErrClosed
			if cancels {
				want = cause
			}
			s.Cancel() // late
			<-s.Done() // whoever kept it is not left waiting
			wait(t, f)
			if s.Err() != want {
				t.Errorf("Err: got %v, want %v", s.Err(), want)
			}
			if st := f.Stats(); st.Subscribed != 0 || st.Cancelled != 0 || st.Retiring != 0 {
				t.Errorf("Stats: got %+v, want nobody", st)
			}
		})
	}
	t.Run("a panic is the subscriber's", func(t *testing.T) {
		f := core.New(located())
		a := &attached{attach: func() { panic(errMine) }}
		if got := panicOf(func() { _, _ = f.Subscribe(t.Context(), region.Region{}, a) }); got != errMine {
			t.Errorf("got panic %v, want Attach's own", got)
		}
		if f.Len() != 0 || f.Stats().Subscribed != 0 {
			t.Errorf("Len %d, Stats %+v: want nobody", f.Len(), f.Stats())
		}
	})
	t.Run("refused before it", func(t *testing.T) {
		f := core.New(located())
		a := &attached{attach: func() { t.Error("Attach called") }}
		for name, r := range map[string]region.Region{
			"a clock":             {Clock: region.Clocks(3, 9)},
			"a category too high": {Kind: region.InCategory(16)},
			"a name with a pipe":  {Entity: "a|b"},
		} {
			_, err := f.Subscribe(t.Context(), r, a)
			if err == nil || errors.Is(err, core.ErrLiveClock) != (name == "a clock") {
				t.Errorf("%s: got %v", name, err)
			}
		}
	})
}
