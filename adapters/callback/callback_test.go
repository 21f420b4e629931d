package callback_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/adapters/callback"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

func TestSubscribeRefuses(t *testing.T) {
	f := numbers(false)
	fn := func(int) { t.Error("called") }
	for _, queue := range []int{0, -1, math.MinInt, math.MaxInt} {
		if _, err := callback.Subscribe(t.Context(), f, region.Region{}, callback.Options{Queue: queue}, fn); !errors.Is(err, callback.ErrQueue) {
			t.Errorf("Queue %d: got %v", queue, err)
		}
	}
	if _, err := callback.Subscribe(t.Context(), f, region.Region{}, callback.Options{Queue: 1}, nil); err != callback.ErrNilFunc {
		t.Errorf("no function: got %v", err)
	}
	_ = f.Close()
	if _, err := callback.Subscribe(t.Context(), f, region.Region{}, callback.Options{Queue: 1}, fn); err != core.ErrClosed {
		t.Errorf("closed: got %v", err)
	}
	f.Broadcast(1)
	wait(t, f)
}

// Queue counts what waits, not what runs, and is exact.
func TestQueueIsExact(t *testing.T) {
	for _, single := range []bool{false, true} {
		for _, queue := range []int{1, 2, 3, 100} {
			t.Run(fmt.Sprintf("single=%v/queue=%d", single, queue), func(t *testing.T) {
				f := numbers(single)
				running, release := make(chan int), make(chan struct{})
				var got []int
				s := subscribe(t, f, queue, func(n int) {
					if n == 0 {
						running <- n
						<-release
					}
					got = append(got, n)
				})
				f.Broadcast(0)
				<-running
				for n := 1; n <= queue; n++ {
					if o := f.Broadcast(n); o.Accepted != 1 || s.Len() != n {
						t.Fatalf("event %d: %+v, %d wait", n, o, s.Len())
					}
				}
				if o := f.Broadcast(queue + 1); o.Pruned != 1 {
					t.Fatalf("one too many: %+v", o)
				}
				<-s.Done() // waits for no call
				var pruned *core.PrunedError
				if !errors.As(s.Err(), &pruned) || pruned.Missed != uint64(queue+1) || pruned.Held != queue {
					t.Errorf("got %+v", s.Err())
				}
				close(release)
				wait(t, f, s)
				if len(got) != queue+1 || !slices.IsSorted(got) {
					t.Errorf("handled %v, want all %d that were accepted, in order", got, queue+1)
				}
			})
		}
	}
}

// A million that have nothing to do are no goroutine, and a blocked one delays no other.
func TestIdleCostsNoGoroutine(t *testing.T) {
	n := 1_000_000
	if testing.Short() || raceEnabled {
		n = 10_000
	}
	f := core.New(core.Config[int]{Locate: func(n int) region.Point { return region.Point{Lane: uint32(n)} }})
	before := runtime.NumGoroutine()
	block := make(chan struct{})
	var handled atomic.Int64
	subs := make([]*callback.Subscription, n)
	for i := range subs {
		s, err := callback.Subscribe(context.Background(), f, region.Region{Lane: region.OneLane(uint32(i))}, callback.Options{Queue: 1}, func(got int) {
			if got != i {
				t.Errorf("callback %d got %d", i, got)
			}
			if i == 0 {
				<-block
			}
			handled.Add(1)
		})
		if err != nil {
			t.Fatal(err)
		}
		subs[i] = s
	}
	if got := runtime.NumGoroutine(); got > before {
		t.Errorf("%d goroutines for %d idle callbacks", got-before, n)
	}
	f.Broadcast(0)
	for i := 1; i < 100; i++ {
		f.Broadcast(i)
		for handled.Load() < int64(i) {
			runtime.Gosched()
		}
	}
	close(block)
	_ = f.Close()
	wait(t, f, subs...)
	if handled.Load() != 100 {
		t.Errorf("handled %d, want 100", handled.Load())
	}
}

func TestCancel(t *testing.T) {
	t.Run("takes up no call after it", func(t *testing.T) {
		f := numbers(false)
		running, release := make(chan struct{}), make(chan struct{})
		var calls atomic.Int64
		s := subscribe(t, f, 10, func(int) {
			calls.Add(1)
			running <- struct{}{}
			<-release
		})
		broadcast(f, 0, 5)
		<-running
		s.Cancel()
		<-s.Done()
		over, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("enough"))
		if err := s.Wait(over); err == nil || err.Error() != "enough" {
			t.Errorf("Wait while a call runs: got %v, want the context's cause", err)
		}
		close(release)
		wait(t, f, s)
		if calls.Load() != 1 || s.Err() != core.ErrCancelled {
			t.Errorf("%d calls, %v", calls.Load(), s.Err())
		}
		if s.Len() != 4 {
			t.Errorf("%d wait, want the 4 that were not handled", s.Len())
		}
	})
	t.Run("by the function itself", func(t *testing.T) {
		f := numbers(true)
		var s *callback.Subscription
		var got []int
		s = subscribe(t, f, 10, func(n int) {
			got = append(got, n)
			s.Cancel()
		})
		broadcast(f, 0, 5)
		wait(t, f, s)
		if !slices.Equal(got, []int{0}) {
			t.Errorf("handled %v, want the first alone", got)
		}
	})
	t.Run("of one that is idle", func(t *testing.T) {
		f := numbers(false)
		s := subscribe(t, f, 1, func(int) {})
		s.Cancel()
		wait(t, f, s)
	})
	t.Run("after it was pruned", func(t *testing.T) {
		f := numbers(false)
		running, release := make(chan struct{}), make(chan struct{})
		calls := 0
		s := subscribe(t, f, 1, func(int) {
			calls++
			close(running)
			<-release
		})
		f.Broadcast(0)
		<-running
		broadcast(f, 1, 3)
		<-s.Done()
		s.Cancel()
		close(release)
		wait(t, f, s)
		if calls != 1 || !errors.Is(s.Err(), core.ErrPruned) {
			t.Errorf("%d calls, %v; want none taken up after Cancel", calls, s.Err())
		}
	})
}

// Once the context has ended no call is taken up.
func TestContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := numbers(false)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		var got []int
		s, err := callback.Subscribe(ctx, f, region.Region{}, callback.Options{Queue: 10}, func(n int) {
			got = append(got, n)
			time.Sleep(40 * time.Second) // synctest's
		})
		if err != nil {
			t.Fatal(err)
		}
		broadcast(f, 0, 5)
		wait(t, f, s)
		if !slices.Equal(got, []int{0, 1}) {
			t.Errorf("handled %v, want those that were taken up within the minute", got)
		}
		if err := s.Err(); !errors.Is(err, core.ErrCancelled) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

// What was accepted is handled when the Fanout is closed, and Wait waits for it.
func TestCloseHandlesWhatWasAccepted(t *testing.T) {
	f := numbers(false)
	block := make(chan struct{})
	var got []int
	s := subscribe(t, f, 10, func(n int) {
		<-block
		got = append(got, n)
	})
	broadcast(f, 0, 8)
	_ = f.Close()
	<-s.Done()
	close(block)
	wait(t, f, s)
	if len(got) != 8 || s.Err() != core.ErrClosed {
		t.Errorf("handled %v, %v", got, s.Err())
	}
}

// H57, H59: whatever a function panics with ends its own subscription, and the writer and all others go on.
func TestH57Panics(t *testing.T) {
	boom := errors.New("boom")
	for name, c := range map[string]struct {
		end  func()
		want func(any) bool
	}{
		"an error":         {func() { panic(boom) }, func(v any) bool { return v == error(boom) }},
		"a string":         {func() { panic("boom") }, func(v any) bool { return v == "boom" }},
		"nil":              {func() { panic(nil) }, func(v any) bool { _, ok := v.(*runtime.PanicNilError); return ok }},
		"Goexit":           {runtime.Goexit, func(v any) bool { return v == error(core.ErrGoexit) }},
		"an index too far": {func() { _ = make([]int, 0)[len(name0)] }, func(v any) bool { _, ok := v.(runtime.Error); return ok }},
	} {
		t.Run(name, func(t *testing.T) {
			f := numbers(false)
			var got, other []int
			running := make(chan struct{})
			s := subscribe(t, f, 10, func(n int) {
				<-running
				if got = append(got, n); n == 1 {
					c.end()
				}
			})
			o := subscribe(t, f, 10, func(n int) { other = append(other, n) })
			broadcast(f, 0, 4)
			close(running)
			<-s.Done()
			broadcast(f, 4, 6)
			_ = f.Close()
			wait(t, f, s, o)
			var panicked *core.PanicError
			if !errors.As(s.Err(), &panicked) || !c.want(panicked.Value) || len(panicked.Stack) == 0 {
				t.Errorf("got %v", s.Err())
			}
			if !slices.Equal(got, []int{0, 1}) || s.Len() != 2 {
				t.Errorf("handled %v, %d held; want 0 and 1, 2 held", got, s.Len())
			}
			if len(other) != 6 {
				t.Errorf("another handled %v", other)
			}
		})
	}
}

const name0 = "x"

// H60: the function may broadcast to itself, subscribe and cancel.
func TestH60Reentrant(t *testing.T) {
	f := numbers(false)
	var got []int
	var more []*callback.Subscription
	s := subscribe(t, f, 10, func(n int) {
		got = append(got, n)
		if n < 5 {
			f.Broadcast(n + 1)
			s := subscribe(t, f, 10, func(int) {})
			s.Cancel()
			more = append(more, s)
		}
	})
	f.Broadcast(0)
	for s.Len() > 0 || f.Stats().Broadcasts < 6 {
		runtime.Gosched()
	}
	_ = f.Close()
	wait(t, f, append(more, s)...)
	if !slices.Equal(got, []int{0, 1, 2, 3, 4, 5}) {
		t.Errorf("handled %v", got)
	}
}

func TestAllocatesNothing(t *testing.T) {
	f := core.New(core.Config[int]{})
	handled := make(chan struct{}, 1)
	s := subscribe(t, f, 4, func(int) { handled <- struct{}{} })
	if n := testing.AllocsPerRun(1000, func() {
		f.Broadcast(1)
		<-handled
	}); n > 0.01 && !raceEnabled {
		t.Errorf("%v allocations", n)
	}
	s.Cancel()
	wait(t, f, s)
}

func TestIdentity(t *testing.T) {
	f := numbers(false)
	r := region.Region{Scope: "shop"}
	s, err := callback.Subscribe(t.Context(), f, r, callback.Options{Queue: 1}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	if s.ID() != 1 || s.Region() != r || s.Err() != nil {
		t.Errorf("got %d, %v, %v", s.ID(), s.Region(), s.Err())
	}
	s.Cancel()
	wait(t, f, s)
}
