package cursor

import (
	"errors"
	"fmt"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// feedEnded goes on without the feed, all of which was handed out.
func (f *Follower) feedEnded(err error) error {
	f.leaveFeed()
	if f.waits.own.Err() != nil {
		return f.fail(err)
	}
	if errors.Is(err, core.ErrClosed) {
		f.shut = true
		f.show(CatchingUp)
		return nil
	}
	pruned, ok := errors.AsType[*core.PrunedError](err)
	if !ok {
		return f.end(fmt.Errorf("spillway/cursor: the feed that is followed has ended: %w", err))
	}
	return f.park(pruned)
}

// park is what is done when the feed was pruned. The Log is read from the Follower's own place, not from what was missed first:
// they are the same, but for others' events in between.
func (f *Follower) park(pruned *core.PrunedError) error {
	f.figures.Parked++
	if f.flapping.pruned() {
		f.figures.Flaps++
	}
	f.missed = 0
	if pruned.HasMissed {
		if next := f.cur.next; pruned.Missed < next && pruned.Missed >= f.pulled {
			return f.end(&DisorderError{Sequence: pruned.Missed, Next: next})
		}
		if f.region != (region.Region{}) { // or what lies between is missing, and not others'
			f.missed = pruned.Missed
		}
	}
	f.full = 0
	f.fell = !f.behind
	f.show(CatchingUp)
	return nil
}

// A flapping is how patient a Follower is before it goes live again. EventStore's clients ask for the same:
// each time that live didn't last, more has to be seen before the next.
type flapping struct {
	level int    // of patience
	rests int    // how often it has still to come to the Log's end by pull
	ended uint64 // where that was last
	run   uint64 // events that came by this feed
}

const (
	widest   = 256  // events of lag at which a patient Follower joins, at most
	steady   = 1024 // events that have to come by a feed for it to have lasted
	exact    = 9    // the level at which it joins at the very end only
	mostRest = exact + 5
)

// bound returns the lag up to which the Follower may join: 256, 128 … 1, 0.
func (p *flapping) bound() uint64 { return widest >> p.level }

func (p *flapping) begin() { p.run = 0 }

// rested counts that it has come to the Log's end, at a place where it was not before.
func (p *flapping) rested(place uint64) {
	if p.rests > 0 && place > p.ended {
		p.rests--
		p.ended = place
	}
}

// pruned tells whether that came too soon.
func (p *flapping) pruned() bool {
	soon := p.run < steady
	if soon {
		p.level = min(p.level+1, mostRest)
	} else {
		p.level /= 2
	}
	p.rests = 0
	if p.level > exact {
		p.rests = 1 << (p.level - exact)
	}
	return soon
}
