package core

import (
	"time"

	"github.com/spillwayhq/spillway/region"
)

// An Observer is told of beginnings and ends, never of single events. Its methods may call anything
// of the Fanout's but Wait. They hold up no broadcast, whatever they do; while one runs, the
// ends of other subscriptions wait. A panic in one is recovered and counted in Stats.
type Observer interface {
	// Subscribed is called on the subscriber's goroutine, under no mutex, before Subscribe returns.
	Subscribed(Info)
	// Ended is called once for each Subscribed, after it, when the sink has been closed and before
	// Done closes; cause is what Err says.
	Ended(Info, error)
}

// A LagObserver is warned when a subscription's buffer is three quarters full, and not again until it
// has been less than half full. Only sinks that are a Gauge, or a channel, are watched. The call
// comes from the Fanout's own goroutine, after the broadcast that crossed the mark.
type LagObserver interface {
	Observer
	Lagging(Info)
}

// Info is what there is to know of one subscription.
type Info struct {
	ID     uint64
	Sink   string        // the sink's type, without type arguments
	Region region.Region // what it asked for

	Held, Capacity int    // from a Gauge or a channel; both 0 where the sink is neither
	Lost           uint64 // from a sink that overwrites or replaces

	Since time.Time // when Subscribe was called
	Site  string    // file:line of the first caller outside Spillway's own packages; empty if unknown
	Err   error     // why it ended; nil while it lives
}
