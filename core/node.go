package core

import (
	"sync/atomic"

	"github.com/spillwayhq/spillway/region"
)

// A node is a subscription as its Fanout keeps it: one allocation of 192 bytes for a T of any size.
// Its Entry comes first: what a broadcast reads of a lone subscriber starts on one cache line.
type node[T any] struct {
	entry region.Entry[member[T]]
	Subscription
	fanout *Fanout[T]
}

// A member is what a broadcast walks. The sink stands beside the node, not in it, so that the next
// offer needs no look at the node but for its state, and the two misses overlap. Both are wiped when the
// sink has been closed; under Fanout.mu.
type member[T any] struct {
	node *node[T]
	out  chan<- T // where the sink is nothing but a channel
	sink Sink[T]
}

// sink is where the node itself keeps its sink; nil: it has been closed, or was never registered. Under Fanout.mu, once
// it is registered.
func (n *node[T]) sink() *Sink[T] { return &n.entry.Member().sink }

// state is a phase and flags; see below. It is the Entry's Mark: a broadcast that has found the Entry has
// read it with the same cache line.
//
//	written by: Subscribe, Cancel, broadcasts that prune or warn, the reaper; only by atomic Or, And and compare-and-swap
//	read by:    every broadcast that comes past, before each offer; Err
//	order:      phases change by compare-and-swap, so that one end wins; what an end has to say is written before its ready flag
func (n *node[T]) state() *atomic.Uint32 { return &n.entry.Mark }

func (n *node[T]) region() region.Region { return n.entry.Region() }

func (n *node[T]) live() bool { return offerable(n.state().Load()) }

func (n *node[T]) retired() bool { return n.state().Load()&phaseMask == phaseRetired }

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
	opened   uint32 = 8 << iota
	ready           // the end is complete: cause, held and missed are written
	queued          // it is on the retire list
	lagging         // its buffer has been three quarters full, and not less than half full since
	warned          // the LagObserver is still to be told
	placed          // missed is a sequence
	unplaced        // Locate panicked on an event that was missed: no sequence is known to be the first
)

// offerable tells whether a broadcast may offer: opened, and not over.
func offerable(state uint32) bool { return state&(phaseMask|opened) == phaseLive|opened }

// appear sets opened; false where an end came first. Each retry means that another goroutine set a flag.
func (n *node[T]) appear() bool {
	for {
		old := n.state().Load()
		if old&phaseMask != phaseLive {
			return false
		}
		if n.state().CompareAndSwap(old, old|opened) {
			return true
		}
	}
}

// turn changes the phase from live, once; false where another end came first. Each retry means that
// another goroutine set a flag.
func (n *node[T]) turn(phase uint32) (before uint32, won bool) {
	for {
		old := n.state().Load()
		if old&phaseMask != phaseLive {
			return old, false
		}
		if n.state().CompareAndSwap(old, old|phase) {
			return old, true
		}
	}
}

// speak turns the phase to retired: Err answers from here on. Each retry means that another goroutine
// set a flag.
func (n *node[T]) speak() {
	for {
		old := n.state().Load()
		if n.state().CompareAndSwap(old, old&^phaseMask|phaseRetired) {
			return
		}
	}
}
