package core

import (
	"sync/atomic"

	"github.com/spillwayhq/spillway/region"
)

// A Subscription is one sink's registration. Its methods may be called from any goroutine, at any
// time, from inside a handler too; none of them waits.
type Subscription struct {
	self ender // the node that this Subscription is part of

	// missed is the least sequence refused or passed over; noSequence: none yet.
	//   written by: broadcasts, by compare-and-swap downwards
	//   read by:    the reaper, once grace has passed
	//   order:      a broadcast lowers it before it leaves its epoch
	missed atomic.Uint64

	cause *error // why it ended; written by who ended it before ready, replaced by the reaper before retired

	// done is made when first asked for; closedDone once the Subscription is over.
	//   written by: Done, by compare-and-swap from nil; the reaper, one Swap
	//   read by:    Done
	//   order:      the reaper's Swap finds every channel that Done has given away
	done atomic.Pointer[doneChan]

	next  *Subscription // on the retire list; the pusher's before the push, the reaper's after
	id    uint64
	since int64  // UnixNano of Subscribe
	site  uint32 // in Fanout.sites
	place uint32 // in Fanout.nodes; under Fanout.mu

	watch      *watch // of its context; nil where that is never over. Under Fanout.mu
	watchPlace uint32 // in watch.nodes; under Fanout.mu

	held uint32 // what the sink's buffer held at the refusal; written by the pruner before ready, read by the reaper after
}

// noSequence is what missed begins at: no sequence is greater.
const noSequence = ^uint64(0)

type doneChan struct{ c chan struct{} }

var closedDone = func() *doneChan {
	c := make(chan struct{})
	close(c)
	return &doneChan{c}
}()

// ender is what a Subscription needs of its node, whose type has the event's as a parameter.
type ender interface {
	end(cause *error)
	region() region.Region
	live() bool
	retired() bool
}

// ID returns the Subscription's number, from 1, unique within its Fanout.
func (s *Subscription) ID() uint64 { return s.id }

// Region returns what was asked for.
func (s *Subscription) Region() region.Region { return s.self.region() }

// Cancel ends the Subscription: Err will be ErrCancelled, unless another end came first. It waits
// for nothing: a broadcast under way may still Offer, none that begins after Done closes does.
func (s *Subscription) Cancel() { s.self.end(&errCancelled) }

// CancelCause is Cancel, but Err will be cause; a nil cause is ErrCancelled.
func (s *Subscription) CancelCause(cause error) {
	if cause == nil {
		s.Cancel()
		return
	}
	s.self.end(&cause)
}

// errCancelled and errClosed are here to have an address: ends by them allocate nothing.
var errCancelled, errClosed = ErrCancelled, ErrClosed

// Done returns a channel that is closed when the Subscription is over: its sink is closed, the
// Observer told. The channel is made when first asked for.
func (s *Subscription) Done() <-chan struct{} {
	if d := s.done.Load(); d != nil {
		return d.c
	}
	s.done.CompareAndSwap(nil, &doneChan{make(chan struct{})})
	return s.done.Load().c
}

// Err returns nil while the Subscription lives, and from just before its sink is closed the reason why
// it ended: a *PrunedError, ErrCancelled (with the context's cause, if it was a context), CancelCause's
// cause, or ErrClosed. It is final.
func (s *Subscription) Err() error {
	if !s.self.retired() {
		return nil
	}
	return *s.cause
}

// Live tells whether a Broadcast that begins now may Offer. It is false from the moment that something ends the Subscription, which is
// before Err and Done say so: for a sink that is one of several, which must not go on without the others.
func (s *Subscription) Live() bool { return s.self.live() }

// lower makes missed no greater than sequence. Each retry means that another broadcast lowered it.
func (s *Subscription) lower(sequence uint64) {
	for {
		m := s.missed.Load()
		if m <= sequence || s.missed.CompareAndSwap(m, sequence) {
			return
		}
	}
}

// closeDone closes what Done has given away, and makes Done give away what is closed.
func (s *Subscription) closeDone() {
	if d := s.done.Swap(closedDone); d != nil {
		close(d.c)
	}
}
