package cursor

import (
	"context"
	"fmt"
)

// A ReadLimit is how many of the Followers that share it read from a Log at one time. When a service comes back with a thousand of
// them, they take turns, in the order in which they came.
type ReadLimit struct {
	slots chan struct{} // Go's channels serve those who wait in order
}

// mostReads is what all Followers of a process share that are given no ReadLimit. A Read is short and never waits for
// an event, and more at once than this make a Log no faster.
const mostReads = 16

var sharedReads = NewReadLimit(mostReads)

// NewReadLimit returns a ReadLimit of n; n below 1 is the caller's bug, and panics.
func NewReadLimit(n int) *ReadLimit {
	if n < 1 {
		panic(fmt.Sprintf("spillway/cursor: a ReadLimit of %d lets nobody read", n))
	}
	return &ReadLimit{make(chan struct{}, n)}
}

// enter waits for a turn; nil, or the context's cause.
func (l *ReadLimit) enter(ctx context.Context) error {
	select {
	case l.slots <- struct{}{}:
		return nil
	default:
	}
	select {
	case l.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (l *ReadLimit) leave() { <-l.slots }
