// Package park is where the readers of a buffer wait for its writers.
package park

import (
	"context"
	"sync/atomic"

	"github.com/spillwayhq/spillway/adapters/internal/step"
)

// A Lot is where the readers of one buffer wait. A writer that has made an event visible calls Wake, which
// costs it one load while nobody waits, and never waits itself. A reader that finds nothing says that it
// parks, looks once more, and only then waits: either it sees the event, or the writer sees it.
//
// docs/models/parking.pml is the proof.
type Lot struct {
	// wake holds one token at most. A token may be stale: whoever takes one looks again. After the end it has one for
	// good, or somebody has it in hand who is about to put it back.
	wake chan struct{}

	over  chan struct{} // closed by End, before its token
	cause error         // written before over is closed

	// parked counts the readers that wait, or are about to.
	//   written by: readers, before their last look and after their wait
	//   read by:    writers, in Wake
	//   order:      a writer makes the event visible and then looks here; a reader counts itself in and then looks for the event
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

// Await calls take until it is true, and waits in between. It returns nil after that; the cause of the end when
// take finds nothing though no more events come; the cause of ctx when that is over first. take is
// called on the caller's goroutine, and where several read at a time it is take that sorts them out.
func (l *Lot) Await(ctx context.Context, take func() bool) error {
	if take() {
		return nil
	}
	if l.Ended() {
		return l.last(take)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	l.parked.Add(1)
	step.At("park:said-parked")
	for !take() {
		if !l.wait(ctx) {
			l.parked.Add(-1)
			l.Wake() // the token that came for this reader, if it was taken for nothing, is another's
			return context.Cause(ctx)
		}
		step.At("park:woken")
		if l.Ended() {
			l.parked.Add(-1)
			l.hand() // the others who wait find the end too
			return l.last(take)
		}
	}
	l.parked.Add(-1)
	l.Wake() // one token may stand for many events: who has got one lets the next reader look
	return nil
}

// wait takes a token; false where ctx is over first. A plain receive, where there is no context to look at, takes a third
// of the time of a select.
func (l *Lot) wait(ctx context.Context) bool {
	done := ctx.Done()
	if done == nil {
		<-l.wake
		return true
	}
	select {
	case <-l.wake:
		return true
	case <-done:
		return false
	}
}

// last takes what was made visible before the end.
func (l *Lot) last(take func() bool) error {
	if take() {
		return nil
	}
	return l.cause
}
