package core_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

func TestClose(t *testing.T) {
	t.Run("by a hundred goroutines", func(t *testing.T) {
		f := core.New(located())
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var mu sync.Mutex
		var subs []*core.Subscription
		closes := make(map[error]int)
		for i := range 2500 {
			in := ctx
			if i%2 == 0 {
				in = t.Context()
			}
			subs = append(subs, subscribeFor(t, in, f, region.Region{}, handler{close: func(cause error) {
				mu.Lock()
				defer mu.Unlock()
				closes[cause]++
			}}))
		}
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if err := f.Close(); err != nil {
					t.Errorf("Close: got %v, want nil", err)
				}
				if _, err := f.Subscribe(t.Context(), region.Region{}, handler{}); !errors.Is(err, core.ErrClosed) {
					t.Errorf("Subscribe after Close: got %v, want ErrClosed", err)
				}
			})
		}
		wg.Wait()
		wait(t, f)
		for _, s := range subs {
			if !over(s) || s.Err() != core.ErrClosed {
				t.Fatalf("over %v, Err %v, want ErrClosed", over(s), s.Err())
			}
		}
		if closes[core.ErrClosed] != len(subs) || len(closes) != 1 {
			t.Errorf("sinks closed with %v, want each once with ErrClosed", closes)
		}
		if st := f.Stats(); st.Cancelled != 2500 || st.Live != 0 || st.Retiring != 0 || f.Len() != 0 || f.HasSubscribers() {
			t.Errorf("Stats: got %+v, want 2500 cancelled", st)
		}
	})
	t.Run("whoever returns from it", func(t *testing.T) {
		for range 300 {
			f := core.New(located())
			subscribe(t, f, region.Region{}, handler{})
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					_ = f.Close()
					if out := f.Broadcast(event{}); out != (core.Outcome{}) {
						t.Errorf("Broadcast after Close: got %+v, want nobody", out)
					}
				})
			}
			wg.Wait()
			wait(t, f)
		}
	})
	t.Run("what comes after it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := core.New(located())
			gate := make(chan struct{})
			subscribe(t, f, region.Region{}, handler{close: func(error) { <-gate }}).Cancel()
			synctest.Wait() // the reaper hangs: Close's work is still to be done
			ctx, cancel := context.WithCancel(t.Context())
			s := subscribeFor(t, ctx, f, region.Region{}, handler{offer: func(event) core.Verdict { return core.Full }})
			s2 := subscribe(t, f, region.Region{}, handler{})
			if err := f.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
			wantOutcome(t, "Broadcast", f.Broadcast(event{}), core.Outcome{})
			wantOutcome(t, "BroadcastAll", f.BroadcastAll(make([]event, 300)), core.Outcome{})
			s.Cancel()
			s2.CancelCause(errMine)
			cancel()
			close(gate)
			<-s.Done()
			<-s2.Done()
			if s.Err() != core.ErrClosed || s2.Err() != core.ErrClosed {
				t.Errorf("Err of what was cancelled afterwards: got %v and %v, want ErrClosed", s.Err(), s2.Err())
			}
		})
	})
}

func TestWait(t *testing.T) {
	t.Run("for what ended before", func(t *testing.T) {
		for range 200 {
			f := core.New(located())
			var subs []*core.Subscription
			for range 10 {
				subs = append(subs, subscribe(t, f, region.Region{}, handler{offer: func(event) core.Verdict { return core.Full }}))
			}
			for _, s := range subs[:5] {
				s.Cancel()
			}
			f.Broadcast(event{})
			wait(t, f)
			for i, s := range subs {
				if !over(s) {
					t.Fatalf("subscription %d is not over after Wait", i)
				}
			}
		}
	})
	t.Run("not for all that ends later", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := core.New(located())
			first, last := make(chan struct{}), make(chan struct{})
			subs := make([]*core.Subscription, 6)
			for i := range subs {
				subs[i] = subscribe(t, f, region.Region{}, handler{close: func(error) {
					switch i {
					case 0:
						<-first
					case 5:
						<-last
						return
					}
					subs[i+1].Cancel() // each end brings about another
				}})
			}
			subs[0].Cancel()
			waited := false
			go func() { wait(t, f); waited = true }()
			synctest.Wait()
			if waited {
				t.Error("Wait returned while a Close was under way")
			}
			close(first)
			synctest.Wait()
			if !waited || !over(subs[0]) || !over(subs[4]) || over(subs[5]) {
				t.Errorf("Wait returned %v; over %v, %v and %v; want it not to wait for the last", waited, over(subs[0]), over(subs[4]), over(subs[5]))
			}
			close(last)
		})
	})
	t.Run("until its context ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := core.New(located())
			gate := make(chan struct{})
			s := subscribe(t, f, region.Region{}, handler{close: func(error) { <-gate }})
			s.Cancel()
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errMine)
			defer cancel()
			start := time.Now()
			if err := f.Wait(ctx); !errors.Is(err, errMine) || time.Since(start) != time.Second {
				t.Errorf("Wait: got %v after %v, want the cause after a second", err, time.Since(start))
			}
			close(gate)
			<-s.Done()
			wait(t, f)
		})
	})
	t.Run("for nothing", func(t *testing.T) { wait(t, core.New(located())) })
}

// A subscription is ended by its ID alone, the others go on.
func TestCancelByID(t *testing.T) {
	f := core.New(located())
	a := subscribe(t, f, region.Region{}, handler{})
	b := subscribe(t, f, region.Region{}, handler{})
	errMine := errors.New("mine")
	if !f.Cancel(a.ID(), errMine) || f.Cancel(a.ID(), errMine) || f.Cancel(1000, nil) {
		t.Error("got another answer than once true, for the one that lives")
	}
	wait(t, f)
	if a.Err() != errMine || b.Err() != nil || f.Len() != 1 {
		t.Errorf("ended with %v and %v, %d live; want one ended with its cause", a.Err(), b.Err(), f.Len())
	}
	if !f.Cancel(b.ID(), nil) {
		t.Error("the other doesn't live")
	}
	wait(t, f)
	if !errors.Is(b.Err(), core.ErrCancelled) {
		t.Errorf("Err: got %v, want ErrCancelled", b.Err())
	}
}
