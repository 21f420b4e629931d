package core_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

var errMine = errors.New("mine")

// An end is a way for a subscription to be over, and what Err says then.
type end struct {
	name string
	by   func(f *core.Fanout[event], s *core.Subscription, cancel context.CancelCauseFunc)
	is   []error
}

var ends = []end{
	{"Cancel", func(_ *core.Fanout[event], s *core.Subscription, _ context.CancelCauseFunc) { s.Cancel() }, []error{core.ErrCancelled}},
	{"CancelCause", func(_ *core.Fanout[event], s *core.Subscription, _ context.CancelCauseFunc) { s.CancelCause(errMine) }, []error{errMine}},
	{"CancelCause of nil", func(_ *core.Fanout[event], s *core.Subscription, _ context.CancelCauseFunc) { s.CancelCause(nil) }, []error{core.ErrCancelled}},
	{"context", func(_ *core.Fanout[event], _ *core.Subscription, cancel context.CancelCauseFunc) { cancel(errMine) }, []error{core.ErrCancelled, errMine}},
	{"Close", func(f *core.Fanout[event], _ *core.Subscription, _ context.CancelCauseFunc) { _ = f.Close() }, []error{core.ErrClosed}},
	{"prune", func(f *core.Fanout[event], _ *core.Subscription, _ context.CancelCauseFunc) {
		f.Broadcast(event{who: "full"})
	}, []error{core.ErrPruned}},
	{"panic", func(f *core.Fanout[event], _ *core.Subscription, _ context.CancelCauseFunc) {
		f.Broadcast(event{who: "panic"})
	}, []error{core.ErrPruned, errMine}},
}

func TestG7OverIsOver(t *testing.T) {
	for _, c := range ends {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { overInOrder(t, c) })
		})
	}
	t.Run("one of many ends wins, for good", func(t *testing.T) {
		for range 100 {
			race(t)
		}
	})
	t.Run("Subscribed is told before Subscribe returns, Ended after it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			gate := make(chan struct{})
			var told []string
			cfg := located()
			cfg.Observer = observer{
				subscribed: func(core.Info) { <-gate; told = append(told, "subscribed") },
				ended:      func(core.Info, error) { told = append(told, "ended") },
			}
			f := core.New(cfg)
			ctx, cancel := context.WithCancel(t.Context())
			returned := make(chan *core.Subscription, 1)
			go func() {
				s, err := f.Subscribe(ctx, region.Region{}, handler{})
				if err != nil {
					t.Error(err)
				}
				returned <- s
			}()
			synctest.Wait()
			cancel() // before it is open
			synctest.Wait()
			if len(told) != 0 {
				t.Errorf("told %v while Subscribed is under way", told)
			}
			close(gate)
			s := <-returned
			<-s.Done()
			if want := []string{"subscribed", "ended"}; !slices.Equal(told, want) {
				t.Errorf("told %v, want %v", told, want)
			}
			if st := f.Stats(); st.Subscribed != 1 || st.Cancelled != 1 || st.Live != 0 {
				t.Errorf("Stats: got %+v, want one subscribed and cancelled", st)
			}
		})
	})
	t.Run("a Subscribe that fails closes nothing", func(t *testing.T) {
		f := core.New(located())
		ended, cancel := context.WithCancelCause(t.Context())
		cancel(errMine)
		s := handler{close: func(error) { t.Error("Close called") }, offer: func(event) core.Verdict { t.Error("Offer called"); return 0 }}
		if _, err := f.Subscribe(ended, region.Region{}, s); !errors.Is(err, core.ErrCancelled) || !errors.Is(err, errMine) {
			t.Errorf("with a context that is over: got %v, want ErrCancelled and its cause", err)
		}
		if _, err := f.Subscribe(t.Context(), region.Region{}, nil); !errors.Is(err, core.ErrNilSink) {
			t.Errorf("without a sink: got %v, want ErrNilSink", err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if _, err := f.Subscribe(t.Context(), region.Region{}, s); !errors.Is(err, core.ErrClosed) {
			t.Errorf("after Close: got %v, want ErrClosed", err)
		}
		f.Broadcast(event{})
		wait(t, f)
		if st := f.Stats(); st.Subscribed != 0 || st.Cancelled != 0 {
			t.Errorf("Stats: got %+v, want nobody", st)
		}
	})
}

// overInOrder ends a subscription while an Offer of it is under way, and writes down what happens.
func overInOrder(t *testing.T, c end) {
	t.Helper()
	var log []string // a Broadcast's goroutine and the reaper write it in turns: that is the promise
	var s *core.Subscription
	var said, closed error
	cfg := located()
	cfg.Observer = observer{
		subscribed: func(core.Info) { log = append(log, "subscribed") },
		ended: func(i core.Info, cause error) {
			log = append(log, "ended")
			said = cause
			if over(s) || i.Err != cause || i.ID != s.ID() {
				t.Errorf("inside Ended: Done closed is %v, Info %+v, cause %v", over(s), i, cause)
			}
		},
	}
	f := core.New(cfg)
	gate := make(chan struct{})
	ctx, cancel := context.WithCancelCause(t.Context())
	s = subscribeFor(t, ctx, f, region.Region{}, handler{
		offer: func(e event) core.Verdict {
			switch e.who {
			case "slow":
				<-gate
				log = append(log, "offered")
			case "full":
				return core.Full
			case "panic":
				panic(errMine)
			}
			return core.Accepted
		},
		close: func(cause error) {
			log = append(log, "closed")
			closed = cause
			if s.Err() != cause || over(s) {
				t.Errorf("inside Close(%v): Err is %v, Done closed is %v", cause, s.Err(), over(s))
			}
		},
	})
	go f.Broadcast(event{who: "slow"})
	synctest.Wait()
	c.by(f, s, cancel)
	synctest.Wait()
	if s.Err() != nil || over(s) {
		t.Errorf("with an Offer under way: Err is %v, Done closed is %v", s.Err(), over(s))
	}
	if got := f.Broadcast(event{who: "late"}); got != (core.Outcome{}) {
		t.Errorf("Broadcast after the end: got %+v, want nobody", got)
	}
	close(gate)
	<-s.Done()
	if want := []string{"subscribed", "offered", "closed", "ended"}; !slices.Equal(log, want) {
		t.Errorf("got %v, want %v", log, want)
	}
	if s.Err() == nil || said != s.Err() || closed != s.Err() {
		t.Errorf("Err %v, Close's cause %v, Ended's %v: want them the same", s.Err(), closed, said)
	}
	for _, want := range c.is {
		if !errors.Is(s.Err(), want) {
			t.Errorf("Err: got %v, want it to be %v", s.Err(), want)
		}
	}
	before := s.Err()
	for _, again := range ends {
		again.by(f, s, cancel)
	}
	synctest.Wait()
	if s.Err() != before || len(log) != 4 {
		t.Errorf("ended again: Err %v, was %v; log %v", s.Err(), before, log)
	}
}

// race lets all ends have a go at one subscription.
func race(t *testing.T) {
	t.Helper()
	var closes, told atomic.Int64
	var cause atomic.Value
	cfg := located()
	cfg.Observer = observer{ended: func(_ core.Info, err error) { told.Add(1); cause.Store(&err) }}
	f := core.New(cfg)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	s := subscribeFor(t, ctx, f, region.Region{}, handler{
		offer: func(e event) core.Verdict {
			if e.who == "panic" {
				panic(errMine)
			}
			return core.Full
		},
		close: func(error) { closes.Add(1) },
	})
	var wg sync.WaitGroup
	for _, c := range ends {
		wg.Go(func() { c.by(f, s, cancel) })
	}
	wg.Wait()
	wait(t, f)
	if s.Err() == nil || *cause.Load().(*error) != s.Err() || closes.Load() != 1 || told.Load() != 1 {
		t.Fatalf("Err %v, cause %v, %d closes, %d told; want one of each", s.Err(), cause.Load(), closes.Load(), told.Load())
	}
	st := f.Stats()
	if st.Cancelled+st.PrunedFull+st.PrunedClosed != 1 || (st.Cancelled == 0) != errors.Is(s.Err(), core.ErrPruned) {
		t.Fatalf("Stats: got %+v for %v", st, s.Err())
	}
}

func TestG9DeadMeansGone(t *testing.T) {
	for _, c := range []struct {
		name string
		by   func(s *channel.Subscription[event], cancel context.CancelFunc)
	}{
		{"Cancel", func(s *channel.Subscription[event], _ context.CancelFunc) { s.Cancel() }},
		{"context", func(_ *channel.Subscription[event], cancel context.CancelFunc) { cancel() }},
		{"an All loop left", func(s *channel.Subscription[event], _ context.CancelFunc) {
			for range s.All() { //nolint:errcheck // this is about leaving
				break
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := core.New(located())
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				s, err := channel.Subscribe(ctx, f, about("a"), 4)
				if err != nil {
					t.Fatal(err)
				}
				f.Broadcast(event{who: "a"})
				c.by(s, cancel)
				synctest.Wait() // and no other event
				if !over(s) || f.Len() != 0 || f.HasSubscribers() {
					t.Errorf("over %v, Len %d, HasSubscribers %v", over(s), f.Len(), f.HasSubscribers())
				}
				for i := range f.Subscriptions() {
					t.Errorf("still listed: %+v", i)
				}
				if st := f.Stats(); st.Retiring != 0 || st.Cancelled != 1 {
					t.Errorf("Stats: got %+v, want Retiring 0, Cancelled 1", st)
				}
			})
		})
	}
	t.Run("collectable beside a living one", collectable)
	t.Run("memory comes back", memoryComesBack)
}
