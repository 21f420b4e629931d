// Package park is where the readers of a buffer wait for its writers.
package park

import (
	"sync/atomic"

	"github.com/spillwayhq/spillway/adapters/internal/step"
)

// A Lot is where the readers of one buffer wait. A writer that has made an event visible calls Wake, which
// costs it one load while nobody waits, and never waits itself. A reader that finds nothing says that it
// parks, looks once more, for an event and for the end, and only then waits: either it sees them, or the writer sees it.
//
// docs/models/parking.pml is the proof.
type Lot struct {
	// wake holds one token at most. A token may be stale: whoever takes one looks again, and hands one on when it stops
	// waiting while others still do. So after the end there is one, or somebody has it in hand, as long as anybody waits.
	wake chan struct{}

	over  chan struct{} // closed by End, before its token
	cause error         // written before over is closed

	// parked counts the readers that wait, or are about to.
	//   written by: readers, before their last look and after their wait
	//   read by:    writers, in Wake
	//   order:      a writer makes the event visible and then looks here; a reader counts itself in and then looks for the
	//               event, and for the end
	// Last in the Lot: what follows it in a ring is what its writer needs besides.
	parked atomic.Int32
}

// Init makes the Lot ready for use.
func (l *Lot) Init() {
	l.wake = make(chan struct{}, 1)
	l.over = make(chan struct{})
}

// Wake lets a parked reader, if there is one, look again. The event it is to find must be visible before.
func (l *Lot) Wake() {
	if l.parked.Load() > 0 {
		l.hand()
	}
}

func (l *Lot) hand() {
	step.At("park:waking")
	select {
	case l.wake <- struct{}{}:
	default: // a token is there already: its taker will look after this event was made visible
	}
}

// End says that no more events come, and why. It is called once, after the last event has been made visible.
func (l *Lot) End(cause error) {
	l.cause = cause
	close(l.over)
	step.At("park:ended")
	l.hand()
}

// Over returns a channel that is closed by End.
func (l *Lot) Over() <-chan struct{} { return l.over }

// Ended tells whether End was called.
func (l *Lot) Ended() bool {
	select {
	case <-l.over:
		return true
	default:
		return false
	}
}
