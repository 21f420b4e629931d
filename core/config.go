package core

import "github.com/spillwayhq/spillway/region"

// Config says how a Fanout works. Its zero value is a Fanout of plain publish and subscribe:
// every event goes to every subscription with the zero Region.
type Config[T any] struct {
	// Name stands in errors and metrics. It may be empty; it need not be unique.
	Name string

	// Locate tells where an event is, for Regions and for the sequence in a PrunedError. Nil: every
	// event is at the zero Point, without a sequence. It is called at most once an event, and only
	// when someone needs it, and once more by each sink that asks Fanout.Point, as a multicast.Ring
	// does; all on the broadcasting goroutine. It must not block.
	Locate func(T) region.Point

	// SingleWriter is the caller's promise that no two Broadcasts overlap, one from inside another
	// included. A Broadcast that finds another under way panics with a *MisuseError.
	SingleWriter bool

	// Observer is told of each subscription's beginning and end; nil: nobody is. One that is a
	// LagObserver too is warned before a subscription is pruned for being full.
	Observer Observer
}
