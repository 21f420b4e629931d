package core_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A counted context counts who has asked to be told of its end, and who no more. It is of no type that the
// context package knows, which therefore calls its AfterFunc.
type counted struct {
	context.Context
	mu           sync.Mutex
	asked, taken int
	mute         bool // tells nobody
}

func (c *counted) Value(any) any { return nil }

func (c *counted) AfterFunc(f func()) func() bool {
	c.mu.Lock()
	c.asked++
	c.mu.Unlock()
	if c.mute {
		return func() bool { return true }
	}
	stop := context.AfterFunc(c.Context, f)
	return func() bool {
		stopped := stop()
		if stopped {
			c.mu.Lock()
			c.taken++
			c.mu.Unlock()
		}
		return stopped
	}
}

func (c *counted) want(t *testing.T, asked, taken int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked != asked || c.taken != taken {
		t.Errorf("context: %d functions hung on it, %d taken off; want %d, %d", c.asked, c.taken, asked, taken)
	}
}

func TestContextSharedByMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := core.New(located())
		inner, cancel := context.WithCancelCause(t.Context())
		ctx := inner
		var subs []*core.Subscription
		for range 2500 { // more than are ended in one go
			subs = append(subs, subscribeFor(t, ctx, f, region.Region{}, handler{}))
		}
		other := subscribe(t, f, region.Region{}, handler{})
		subs[7].Cancel()
		<-subs[7].Done()
		cancel(errMine)
		synctest.Wait()
		for i, s := range subs {
			if !over(s) || !errors.Is(s.Err(), core.ErrCancelled) || errors.Is(s.Err(), errMine) != (i != 7) {
				t.Fatalf("subscription %d: over %v, Err %v", i, over(s), s.Err())
			}
		}
		if over(other) || f.Len() != 1 {
			t.Errorf("Len %d: want the one on another context alive", f.Len())
		}
		other.Cancel()
	})
}

func TestContextReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := core.New(located())
		inner, cancel := context.WithCancel(t.Context())
		defer cancel()
		ctx := &counted{Context: inner}
		for round := range 3 {
			a := subscribeFor(t, ctx, f, region.Region{}, handler{})
			b := subscribeFor(t, ctx, f, about("a"), handler{})
			a.Cancel()
			synctest.Wait()
			ctx.want(t, round+1, round) // b is there still
			b.Cancel()
			synctest.Wait()
			ctx.want(t, round+1, round+1)
		}
	})
}

// A context of a user's own type costs one goroutine, and that ends with the last subscription.
func TestContextOfAUsersOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := core.New(located())
		over := make(chan struct{})
		ctx := foreign{t.Context(), over}
		for range 2 {
			var subs []*core.Subscription
			for range 100 {
				subs = append(subs, subscribeFor(t, ctx, f, region.Region{}, handler{}))
			}
			if n := watchers(); n != 1 {
				t.Errorf("%d goroutines for one context, want 1", n)
			}
			for _, s := range subs {
				s.Cancel()
			}
			synctest.Wait()
			if n := watchers(); n != 0 {
				t.Errorf("%d goroutines are left, want 0", n)
			}
		}
		s := subscribeFor(t, ctx, f, region.Region{}, handler{})
		close(over)
		<-s.Done()
		if !errors.Is(s.Err(), core.ErrCancelled) || !errors.Is(s.Err(), errMine) {
			t.Errorf("Err: got %v, want ErrCancelled and what the context says", s.Err())
		}
	})
}

// watchers returns how many goroutines the context package has for contexts of foreign types.
func watchers() int {
	stacks := make([]byte, 1<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "created by context.(*cancelCtx).propagateCancel")
}

// A foreign context is of no type that the context package knows, and has no AfterFunc.
type foreign struct {
	context.Context
	done chan struct{}
}

func (f foreign) Done() <-chan struct{} { return f.done }
func (f foreign) Value(any) any         { return nil }
func (f foreign) Err() error {
	select {
	case <-f.done:
		return errMine
	default:
		return nil
	}
}

func TestContextDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := core.New(located())
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errMine)
		defer cancel()
		s := subscribeFor(t, ctx, f, region.Region{}, handler{})
		start := time.Now()
		<-s.Done()
		if waited := time.Since(start); waited != time.Minute || !errors.Is(s.Err(), errMine) {
			t.Errorf("over after %v with %v, want a minute and the cause", waited, s.Err())
		}
		if text := s.Err().Error(); !strings.Contains(text, "context") || !strings.Contains(text, "mine") {
			t.Errorf("Err reads %q: want the context and its cause named", text)
		}
		if _, err := f.Subscribe(ctx, region.Region{}, handler{}); !errors.Is(err, errMine) || !errors.Is(err, core.ErrCancelled) {
			t.Errorf("Subscribe: got %v, want ErrCancelled and the cause", err)
		}
	})
}

// Wait counts a context that is over as an end, even before its function has run.
func TestWaitCountsAContext(t *testing.T) {
	for i := range 2000 {
		f := core.New(located())
		ctx, cancel := context.WithCancel(t.Context())
		s := subscribeFor(t, ctx, f, region.Region{}, handler{})
		cancel()
		for range i % 4 {
			runtime.Gosched() // the function may have begun, and Wait must not overtake it
		}
		wait(t, f)
		if !over(s) || !errors.Is(s.Err(), context.Canceled) {
			t.Fatalf("after Wait: over %v, Err %v", over(s), s.Err())
		}
	}
	f := core.New(located())
	inner, cancel := context.WithCancel(t.Context())
	s := subscribeFor(t, &counted{Context: inner, mute: true}, f, region.Region{}, handler{})
	cancel()
	wait(t, f)
	if !over(s) || !errors.Is(s.Err(), context.Canceled) {
		t.Errorf("after Wait, of a context that tells nobody: over %v, Err %v", over(s), s.Err())
	}
}

// A brittle context is of no type that the context package knows, and its methods panic when they are told to.
type brittle struct {
	context.Context
	done    chan struct{}
	tell    func()
	refuses bool // AfterFunc panics
	over    atomic.Bool
	asked   atomic.Int32 // how often Err was asked since: package context asks twice, after that it panics
}

func (b *brittle) Done() <-chan struct{} { return b.done }

func (b *brittle) Value(any) any { return nil }

func (b *brittle) Err() error {
	if !b.over.Load() {
		return nil
	}
	if b.asked.Add(1) > 2 {
		panic("brittle")
	}
	return context.Canceled
}

func (b *brittle) AfterFunc(f func()) func() bool {
	if b.refuses {
		panic("brittle")
	}
	b.tell = f
	return func() bool { return true }
}

// A context whose Err panics when the reaper asks it ends its subscriptions all the same.
func TestContextWhoseErrPanics(t *testing.T) {
	f := core.New(core.Config[int]{})
	ctx := &brittle{Context: context.Background(), done: make(chan struct{})}
	sub, err := f.Subscribe(ctx, region.Region{}, accepting{})
	if err != nil {
		t.Fatal(err)
	}
	ctx.over.Store(true)
	ctx.tell()
	<-sub.Done()
	if err := sub.Err(); !errors.Is(err, core.ErrCancelled) {
		t.Errorf("got %v, want ErrCancelled", err)
	}
	if got := f.Stats().Panics; got != 1 {
		t.Errorf("got %d panics, want 1", got)
	}
}

// One whose AfterFunc panics does so to the caller of Subscribe, and leaves no subscription behind.
func TestContextThatCannotBeWatched(t *testing.T) {
	f := core.New(core.Config[int]{})
	closed := make(chan error, 1)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("Subscribe returned, want the panic of AfterFunc")
			}
		}()
		ctx := &brittle{Context: context.Background(), done: make(chan struct{}), refuses: true}
		_, _ = f.Subscribe(ctx, region.Region{}, accepting{closed: closed})
	}()
	if err := <-closed; !errors.Is(err, core.ErrCancelled) {
		t.Errorf("its sink was closed with %v, want ErrCancelled", err)
	}
	if err := f.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	if s := f.Stats(); s.Live != 0 || s.Retiring != 0 {
		t.Errorf("got %+v, want nothing live or retiring", s)
	}
}

// accepting is a sink that accepts everything, and says so when it is closed.
type accepting struct{ closed chan<- error }

func (accepting) Offer(int) core.Verdict { return core.Accepted }

func (a accepting) Close(cause error) {
	if a.closed != nil {
		a.closed <- cause
	}
}
