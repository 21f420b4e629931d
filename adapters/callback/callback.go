// Package callback delivers a Fanout's events to a function, in order, one at a time, and never on the writer's
// goroutine.
//
//	s, err := callback.Subscribe(ctx, fanout, region.Region{}, callback.Options{Queue: 64}, func(e Event) { … })
//
// Events wait in a bounded queue, and a goroutine that calls the function exists only while there are some: a
// million idle callbacks cost no goroutine, and one that blocks delays no other. When an event finds the
// queue full, the subscription is pruned. The function may broadcast, subscribe and cancel, its own
// subscription too. One that panics ends its subscription with a *core.PanicError.
package callback

import (
	"context"
	"errors"
	"fmt"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

var (
	// ErrQueue is in the error of a Subscribe whose Options.Queue is below 1, or more than memory can have.
	ErrQueue = errors.New("spillway/callback: unusable queue")
	// ErrNilFunc is what Subscribe refuses a nil function with.
	ErrNilFunc = errors.New("spillway/callback: the function is nil")
)

// Options say how much may wait.
type Options struct {
	Queue int // events, exactly, besides the one that is being handled; at least 1
}

// A Subscription is a function that a Fanout's events are handed to.
type Subscription struct {
	sub    *core.Subscription
	runner runner
}

// A runner is a sink of events of any type.
type runner interface {
	stop()
	halting() <-chan struct{}
	finish()
	finished() <-chan struct{}
	Held() (held, capacity int)
}

// Subscribe has fn called with the events that r matches, until ctx ends, Cancel, the Fanout's end, fn's panic,
// or an event that finds the queue full. Its errors are those of core.Fanout.Subscribe, ErrQueue and
// ErrNilFunc. Memory for the whole queue is taken at once, that of the next power of two.
func Subscribe[T any](ctx context.Context, f *core.Fanout[T], r region.Region, o Options, fn func(T)) (*Subscription, error) {
	if fn == nil {
		return nil, ErrNilFunc
	}
	if o.Queue < 1 {
		return nil, fmt.Errorf("%w: %d; an event needs room for one at least", ErrQueue, o.Queue)
	}
	s, err := newSink(ctx, o.Queue, f.SingleWriter(), fn)
	if err != nil {
		return nil, err
	}
	sub, err := f.Subscribe(ctx, r, s)
	if err != nil {
		return nil, err
	}
	return &Subscription{sub: sub, runner: s}, nil
}

// Wait returns nil when no call runs, is about to, or ever will: on a Subscription that lives it waits for its
// end. If ctx ends first, it returns the cause. Called by the function it would wait for itself.
func (s *Subscription) Wait(ctx context.Context) error {
	select {
	case <-s.runner.finished():
		return nil
	default:
	}
	halting := s.runner.halting()
	for {
		select {
		case <-s.runner.finished():
			return nil
		case <-halting: // no call is taken up from here on, however long the Fanout takes to see the end off
			s.runner.finish()
			halting = nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Cancel ends the Subscription. Once it has returned no call is taken up; one that was taken up before may
// still run, or be about to. It waits for nothing.
func (s *Subscription) Cancel() {
	s.runner.stop()
	s.sub.Cancel()
}

// Len returns how many events wait to be handled: 0 to Options.Queue.
func (s *Subscription) Len() int {
	n, _ := s.runner.Held()
	return n
}

// Done returns a channel that is closed when the Subscription is over. It waits for no call: see Wait. What was
// accepted is still handled when the Subscription was pruned or ended with its Fanout.
func (s *Subscription) Done() <-chan struct{} { return s.sub.Done() }

// Err returns nil while the Subscription lives, and why it ended once it is over.
func (s *Subscription) Err() error { return s.sub.Err() }

// ID returns the Subscription's number within its Fanout.
func (s *Subscription) ID() uint64 { return s.sub.ID() }

// Region returns what was asked for.
func (s *Subscription) Region() region.Region { return s.sub.Region() }
