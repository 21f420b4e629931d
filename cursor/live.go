package cursor

import (
	"errors"
	"fmt"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// join subscribes, and then looks where the Log ends: an event that isn't below that is broadcast later, so it is in the feed.
func (f *Follower) join() error {
	feed, err := f.options.Feed(f.waits.own, f.fanout, f.region)
	switch {
	case err != nil && f.waits.own.Err() != nil:
		return f.fail(err)
	case errors.Is(err, core.ErrClosed):
		f.shut = true // no more is pushed: the Log goes on without
		return nil
	case err != nil:
		return f.end(fmt.Errorf("spillway/cursor: subscribe to follow: %w", err))
	case feed == nil:
		return f.end(ErrNoFeed)
	}
	if of, ok := feed.(interface{ Region() region.Region }); ok && !covers(of.Region(), f.region) {
		feed.Cancel()
		return f.end(fmt.Errorf("spillway/cursor: subscribe to follow %s: the feed has only %s", f.region, of.Region()))
	}
	f.in = newIntake(feed, f.region)
	f.shown.feed.Store(&feed)
	f.joined, f.unbounded = false, true
	if f.waits.own.Err() != nil { // Cancel may have looked for a feed before
		return f.fail(nil)
	}
	f.show(Joining)
	return f.bound()
}

// bound looks for the boundary.
func (f *Follower) bound() error {
	lag, err := f.lag()
	if err != nil {
		return f.fail(err)
	}
	f.boundary, f.unbounded = f.cur.next+lag, false
	if !f.joined {
		f.pulled = f.cur.next
	}
	return nil
}

// leaveFeed ends the feed, where there is one.
func (f *Follower) leaveFeed() {
	if f.in.feed != nil {
		f.shown.feed.Store(nil)
		f.in.feed.Cancel()
		f.in = intake{}
	}
	f.joined = false
}

// live takes from the feed, up to its end. The Log was read to the boundary.
func (f *Follower) live() error {
	if !f.joined {
		f.goLive()
	} else if f.quiet {
		f.progress()
	}
	f.hole = false
	if f.mark.Kind != NoMark {
		return nil
	}
	f.showPlace()
	n, err := f.in.next(f.waits.quiet(), f.buf)
	switch {
	case err == nil:
		f.admit(f.buf[:n])
		return nil
	case f.waits.ticked():
		return f.look()
	case f.waits.call.Err() != nil: // it may be the feed's error all the same: then it comes again
		return f.fail(err)
	}
	return f.feedEnded(err)
}

// goLive is what is left to do at the boundary.
func (f *Follower) goLive() {
	f.joined, f.cur.oldest = true, false // from here on whatever is compacted is missed
	f.flapping.begin()
	f.figures.Resumed++
	if f.behind && f.in.feed.Err() == nil {
		f.mark = Mark{Kind: CaughtUp, Place: f.cur.next}
		f.behind, f.aim = false, 0
	}
	if n := f.in.room(); len(f.buf) != n {
		f.buf = make([]core.Envelope, n)
	}
	f.show(Live)
}

// admit holds what came by the feed, but for what was handed out before. The zero Region's sequences have no holes: where there
// is one, the Log is read instead, and what came is found there again.
func (f *Follower) admit(es []core.Envelope) {
	next := f.cur.next
	kept := es[:0]
	dense := f.region == region.Region{}
	for i := range es {
		e := &es[i]
		seq := e.Sequence
		if seq < next {
			if seq < f.pulled {
				continue
			}
			f.last = &DisorderError{Sequence: seq, Next: next}
			break
		}
		if dense && seq > next {
			f.hole, f.boundary = true, es[len(es)-1].Sequence+1 // they are taken from the feed, and will not come again
			break
		}
		next = seq + 1
		if f.in.wider && !Selects(&f.region, &e.Notification) {
			continue
		}
		if len(kept) == i {
			kept = kept[:i+1]
		} else {
			kept = append(kept, *e)
		}
	}
	clear(es[len(kept):])
	f.held, f.cur.next = kept, next
	n := uint64(len(kept))
	f.from = &f.figures.Live
	f.since += n
	f.flapping.run += n
	f.figures.Live += n
}

// look is what the Follower does when the feed was quiet for a while: it reads the Log to its end.
func (f *Follower) look() error {
	f.quiet, f.unbounded = true, true
	return f.bound()
}
