package core

import (
	"sync/atomic"

	"github.com/spillwayhq/spillway/region"
)

// A Subscription is one sink's registration. Its methods may be called from any goroutine, at any
// time, from inside a handler too; none of them waits.
type Subscription struct {
	self ender // the node that this Subscription is part of

	// state is a phase and flags; see below.
	//   written by: Subscribe, Cancel, broadcasts that prune or warn, the reaper; only by atomic Or, And and compare-and-swap
	//   read by:    every broadcast that comes past, before each offer; Err
	//   order:      phases change by compare-and-swap, so that one end wins; what an end has to say is written before its ready flag
	state atomic.Uint32

	held uint32 // what the sink's buffer held at the refusal; written by the pruner before ready, read by the reaper after

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
}

// The lowest three bits of a state are its phase:
//
//	live --a refusal, a panic in Offer--> prunedFull, prunedClosed --+
//	live --Cancel, context, Close-------> cancelled -----------------+--grace--> retired
//
// Err speaks from retired on; then come Sink.Close, Ended, Done.
const (
	phaseLive uint32 = iota
	phaseCancelled
	phasePrunedFull
	phasePrunedClosed
	phaseRetired

	phaseMask = 7
)

// The other bits of a state are flags.
const (
	// opened is set by Subscribe, last of all: the one store that makes a subscription visible. It
	// settles too who puts on the retire list what was cancelled before: the later of Subscribe, which
	// sets opened, and of the canceller, which sets ready.
	opened  uint32 = 8 << iota
	ready          // the end is complete: cause, held and missed are written
	queued         // it is on the retire list
	lagging        // its buffer has been three quarters full, and not less than half full since
	warned         // the LagObserver is still to be told
	placed         // missed is a sequence
)

// offerable tells whether a broadcast may offer: opened, and not over.
func offerable(state uint32) bool { return state&(phaseMask|opened) == phaseLive|opened }

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
	if s.state.Load()&phaseMask != phaseRetired {
		return nil
	}
	return *s.cause
}

// lower makes missed no greater than sequence. Each retry means that another broadcast lowered it.
func (s *Subscription) lower(sequence uint64) {
	for {
		m := s.missed.Load()
		if m <= sequence || s.missed.CompareAndSwap(m, sequence) {
			return
		}
	}
}

// turn changes the phase from live, once; false where another end came first. Each retry means that
// another goroutine set a flag.
func (s *Subscription) turn(phase uint32) (before uint32, won bool) {
	for {
		old := s.state.Load()
		if old&phaseMask != phaseLive {
			return old, false
		}
		if s.state.CompareAndSwap(old, old|phase) {
			return old, true
		}
	}
}

// speak turns the phase to retired: Err answers from here on. Each retry means that another goroutine
// set a flag.
func (s *Subscription) speak() {
	for {
		old := s.state.Load()
		if s.state.CompareAndSwap(old, old&^phaseMask|phaseRetired) {
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
