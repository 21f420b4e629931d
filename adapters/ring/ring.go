// Package ring delivers a Fanout's events into a bounded ring of the subscriber's own, read singly or in batches.
//
//	s, err := ring.Subscribe(ctx, fanout, region.Region{}, ring.Options{Capacity: 1024})
//	events := make([]Event, 256)
//	for {
//		n, err := s.NextBatch(ctx, events)
//		…
//	}
//
// It does what a channel does for less: an event costs its writer one or two atomic operations instead of a lock,
// and a reader takes many at a time. When an event finds it full, the subscription is pruned, or, with
// Overwrite, the oldest event makes room and is counted as lost. With Prune a Fanout with Config.SingleWriter
// gets a ring for one writer, which costs least.
//
// Several goroutines may read; each event then goes to one of them.
package ring

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"github.com/spillwayhq/spillway/adapters/internal/park"
	"github.com/spillwayhq/spillway/adapters/internal/pull"
	"github.com/spillwayhq/spillway/adapters/internal/step"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A Subscription is a ring that a Fanout writes.
type Subscription[T any] struct {
	events buffer[T]
	lot    *park.Lot // the buffer's
	sub    *core.Subscription

	reading sync.Mutex // among readers; no writer takes it
}

// A buffer is a ring as its Subscription sees it.
type buffer[T any] interface {
	core.Sink[T]
	Take(dst []T) int   // by one goroutine at a time
	TakeOne() (T, bool) // as Take
	Len() int           // as Take
	lostCount() uint64
	parking() *park.Lot // where its readers wait
}

// Subscribe registers a ring for the events that r matches; it ends with ctx, by Cancel, with the Fanout, or, with
// Prune, when it is full. Its errors are those of core.Fanout.Subscribe, ErrCapacity and ErrPolicy. Memory
// for the whole capacity is taken at once: with Prune that of the next power of two.
func Subscribe[T any](ctx context.Context, f *core.Fanout[T], r region.Region, o Options) (*Subscription[T], error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Subscription[T]{}
	if err := s.make(o, f.SingleWriter()); err != nil {
		return nil, err
	}
	sub, err := f.Subscribe(ctx, r, s.events)
	if err != nil {
		return nil, err
	}
	s.sub = sub
	return s, nil
}

// make turns the runtime's panic over more than the address space into an error.
func (s *Subscription[T]) make(o Options, single bool) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %d: %v", ErrCapacity, o.Capacity, r)
		}
	}()
	switch {
	case o.WhenFull == Overwrite:
		s.events = newOverwriting[T](o.Capacity, 0)
	case single:
		s.events = newSingle[T](o.Capacity)
	default:
		s.events = newShared[T](o.Capacity)
	}
	s.lot = s.events.parking()
	return nil
}

// Next returns the next event, and waits for one while the Subscription lives. When it has ended, what was
// accepted comes first, then, as often as asked, the error that Err returns. If ctx ends while Next
// waits, it returns the cause and has taken nothing.
func (s *Subscription[T]) Next(ctx context.Context) (T, error) {
	var w park.Wait
	for {
		s.reading.Lock()
		v, ok := s.events.TakeOne()
		s.reading.Unlock()
		if ok {
			s.lot.Found(&w)
			return v, nil
		}
		switch move, err := s.lot.Missed(ctx, &w); move {
		case park.Sleep:
			<-s.lot.Token()
			step.At("park:woken")
		case park.Leave:
			return v, err
		}
	}
}

// NextBatch copies as many events as there are, and as dst has room for, to the start of dst, and returns how
// many: one at least, which it waits for as Next does, or 0 and an error as Next's. A dst without room
// gets 0 and no error.
func (s *Subscription[T]) NextBatch(ctx context.Context, dst []T) (int, error) {
	if len(dst) == 0 {
		return 0, nil
	}
	var w park.Wait
	for {
		s.reading.Lock()
		n := s.events.Take(dst)
		s.reading.Unlock()
		if n > 0 {
			s.lot.Found(&w)
			return n, nil
		}
		switch move, err := s.lot.Missed(ctx, &w); move {
		case park.Sleep:
			<-s.lot.Token()
			step.At("park:woken")
		case park.Leave:
			return 0, err
		}
	}
}

// All returns the events as they come, and at the end the error that Err returns, with a zero event. Leaving
// the loop early cancels the Subscription; what it had accepted stays readable by Next.
func (s *Subscription[T]) All() iter.Seq2[T, error] { return pull.All(s.Next, s.sub.Cancel) }

// Len returns how many events wait to be read: 0 to the capacity.
func (s *Subscription[T]) Len() int {
	s.reading.Lock()
	defer s.reading.Unlock()
	return s.events.Len()
}

// Lost returns how many accepted events were overwritten before they were read: 0 with Prune. While writers are
// on their way it may lack theirs.
func (s *Subscription[T]) Lost() uint64 { return s.events.lostCount() }

// Cancel ends the Subscription. It waits for nothing; what was accepted stays readable.
func (s *Subscription[T]) Cancel() { s.sub.Cancel() }

// Done returns a channel that is closed when the Subscription is over. What it accepted is readable still.
func (s *Subscription[T]) Done() <-chan struct{} { return s.sub.Done() }

// Err returns nil while the Subscription lives, and why it ended once it is over.
func (s *Subscription[T]) Err() error { return s.sub.Err() }

// ID returns the Subscription's number within its Fanout.
func (s *Subscription[T]) ID() uint64 { return s.sub.ID() }

// Region returns what was asked for.
func (s *Subscription[T]) Region() region.Region { return s.sub.Region() }
