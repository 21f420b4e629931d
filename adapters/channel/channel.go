// Package channel delivers a Fanout's events into a Go channel of bounded capacity.
//
//	s, err := channel.Subscribe(ctx, fanout, region.Region{}, 64)
//	for v := range s.C() { … }
//	err = s.Err() // why it ended
//
// When an event finds the channel full, the subscription is pruned: C closes after what was accepted,
// and Err is a *core.PrunedError that says what was missed first. The writer does not wait.
//
// C, Next and All take from the same channel and may be mixed; several goroutines may take, each event
// then goes to one of them.
package channel

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// ErrCapacity is in the error of a Subscribe whose capacity is below 1, or more than a channel can have.
var ErrCapacity = errors.New("spillway/channel: unusable capacity")

// A Subscription is a channel that a Fanout sends on.
type Subscription[T any] struct {
	events chan T
	sub    *core.Subscription
}

// sink is the channel as core sees it: it sends by itself, and Close closes.
type sink[T any] chan T

var (
	_ core.Sink[int]                    = sink[int](nil)
	_ interface{ Chan() chan<- int }    = sink[int](nil)
	_ interface{ Held() (held, c int) } = sink[int](nil)
)

func (s sink[T]) Chan() chan<- T { return s }

// Offer is what core does on the channel by itself.
func (s sink[T]) Offer(v T) core.Verdict {
	select {
	case s <- v:
		return core.Accepted
	default:
		return core.Full
	}
}

func (s sink[T]) Close(error) { close(s) }

func (s sink[T]) Held() (held, capacity int) { return len(s), cap(s) }

// Subscribe registers a channel of the given capacity for the events that r matches; it ends with ctx,
// by Cancel, with the Fanout, or when it is full. Its errors are those of core.Fanout.Subscribe, and
// ErrCapacity. Memory for the whole capacity is taken at once.
func Subscribe[T any](ctx context.Context, f *core.Fanout[T], r region.Region, capacity int) (*Subscription[T], error) {
	events, err := makeChan[T](capacity)
	if err != nil {
		return nil, err
	}
	sub, err := f.Subscribe(ctx, r, sink[T](events))
	if err != nil {
		return nil, err
	}
	return &Subscription[T]{events: events, sub: sub}, nil
}

// makeChan turns the runtime's panic over a channel larger than the address space into an error.
func makeChan[T any](capacity int) (c chan T, err error) {
	if capacity < 1 {
		return nil, fmt.Errorf("%w: %d; an event needs room for one at least", ErrCapacity, capacity)
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %d: %v", ErrCapacity, capacity, r)
		}
	}()
	return make(chan T, capacity), nil
}

// C returns the channel. It is closed after the last accepted event; Err then says why.
func (s *Subscription[T]) C() <-chan T { return s.events }

// Next returns the next event, and waits for one while the Subscription lives. When it has ended, what was
// accepted comes first, then, as often as asked, the error that Err returns. If ctx ends while
// Next waits, it returns the cause and has taken nothing.
func (s *Subscription[T]) Next(ctx context.Context) (T, error) {
	select {
	case v, ok := <-s.events:
		return s.taken(v, ok)
	default:
	}
	done := ctx.Done()
	if done == nil { // a plain receive is woken sooner than a select
		v, ok := <-s.events
		return s.taken(v, ok)
	}
	select {
	case v, ok := <-s.events:
		return s.taken(v, ok)
	case <-done:
		var none T
		return none, context.Cause(ctx)
	}
}

func (s *Subscription[T]) taken(v T, ok bool) (T, error) {
	if !ok {
		return v, s.sub.Err()
	}
	return v, nil
}

// All returns the events as they come, and at the end the error that Err returns, with a zero event.
// Leaving the loop early cancels the Subscription; what it had accepted stays readable by C and Next.
func (s *Subscription[T]) All() iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ended := false
		defer func() {
			if !ended {
				s.sub.Cancel() // the body left, panicked or exited
			}
		}()
		for v := range s.events {
			if !yield(v, nil) {
				return
			}
		}
		ended = true
		var none T
		yield(none, s.sub.Err())
	}
}

// Cancel ends the Subscription: C closes soon, after what was accepted. It waits for nothing.
func (s *Subscription[T]) Cancel() { s.sub.Cancel() }

// Done returns a channel that is closed when the Subscription is over. What it accepted is readable still.
func (s *Subscription[T]) Done() <-chan struct{} { return s.sub.Done() }

// Err returns nil while the Subscription lives, and why it ended once C is closed.
func (s *Subscription[T]) Err() error { return s.sub.Err() }

// ID returns the Subscription's number within its Fanout.
func (s *Subscription[T]) ID() uint64 { return s.sub.ID() }

// Region returns what was asked for.
func (s *Subscription[T]) Region() region.Region { return s.sub.Region() }
