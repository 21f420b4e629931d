package cursor

import (
	"errors"
	"sync/atomic"

	"github.com/spillwayhq/spillway/core"
)

// A FollowState is what a Follower does.
type FollowState uint8

const (
	// CatchingUp is when it reads the Log, and is not subscribed.
	CatchingUp FollowState = iota
	// Joining is when it is subscribed, and still reads the Log up to where that takes over.
	Joining
	// Live is when it gets each event as it is broadcast.
	Live
	// Parked is when it was pruned, and has still to take what it was given before.
	Parked
	// Ended is when Err says why.
	Ended
)

func (s FollowState) String() string {
	switch s {
	case CatchingUp:
		return "catching up"
	case Joining:
		return "joining"
	case Live:
		return "live"
	case Parked:
		return "parked"
	case Ended:
		return "ended"
	}
	return "unknown"
}

// FollowStats are a Follower's figures since it began. They are of when it last went for events, and one that has some read
// ahead has handed out a few more.
type FollowStats struct {
	State   FollowState
	Place   uint64 // below it everything was handed out; 0 where that is not known
	Live    uint64 // events handed out that were pushed
	Pulled  uint64 // events handed out that were read from the Log
	Parked  uint64 // how often it was pruned
	Resumed uint64 // how often it went live
	Flaps   uint64 // how often it was pruned soon after it had gone live: see Patience

	// Unplaced says that Place is not known: Next was not called yet, and the Start is no place.
	Unplaced bool

	// Patience goes up by one whenever it was pruned too soon, and is halved when it wasn't: the higher, the closer to the Log's end it has
	// to come before it goes live again, and from 9 on that several times. At its most, 14, the feed is too small for
	// the bursts that come, or the consumer too slow: the Follower reads the Log nearly all of the time, and misses nothing.
	Patience int
}

// shown is what Stats reads.
//
//	written by: the Follower's goroutine, each time it goes for events; feed by Store
//	read by:    Stats, Cancel; from any goroutine
//	order:      none between the figures: each is of its own, but that a place is stored before it is said that there is one, and
//	            read after. A feed is stored before the Follower looks whether it was
//	            cancelled, and Cancel cancels before it loads the feed: one of the two ends it
type shown struct {
	place, live, pulled    atomic.Uint64
	parked, resumed, flaps atomic.Uint64
	state                  atomic.Uint32
	patience               atomic.Int32
	unplaced               atomic.Bool
	feed                   atomic.Pointer[Feed]
}

// Stats returns the Follower's figures. It may be called from any goroutine, and waits for nothing.
func (f *Follower) Stats() FollowStats {
	s := FollowStats{
		Unplaced: f.shown.unplaced.Load(), // before the place
		State:    FollowState(f.shown.state.Load()),
		Place:    f.shown.place.Load(),
		Live:     f.shown.live.Load(),
		Pulled:   f.shown.pulled.Load(),
		Parked:   f.shown.parked.Load(),
		Resumed:  f.shown.resumed.Load(),
		Flaps:    f.shown.flaps.Load(),
		Patience: int(f.shown.patience.Load()),
	}
	if f.waits.own.Err() != nil {
		s.State = Ended // also where nobody calls Next any more
	}
	if feed := f.shown.feed.Load(); feed != nil && s.State != Ended && errors.Is((*feed).Err(), core.ErrPruned) {
		s.State = Parked
	}
	return s
}
