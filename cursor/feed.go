package cursor

import (
	"context"
	"strings"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A Feed is a subscription that is pulled from: the live side of a Follower. Those of adapters/channel and adapters/ring,
// and the Readers of adapters/multicast, are Feeds as they stand.
//
// It gives the events of its Region in the order in which they were broadcast, none left out, from the first broadcast
// that begins after it was made up to where it ends. A ring that overwrites is none: it has nothing to say about what it lost.
//
// A Feed that has a NextBatch(ctx, dst) (int, error) besides, as those of ring and multicast have, is read by that; of one that
// has a C() <-chan core.Envelope, as those of channel have, what is there is taken at once. One that has a Region() other
// than the Follower's, as a Reader of a ring that many share, is filtered; it must have all that the Follower's has.
type Feed interface {
	// Next returns the next event, and waits for it. Where the Feed has ended it returns what it was given before, and
	// then, as often as asked, what Err says. Where ctx ends it returns another error, and has taken nothing.
	Next(ctx context.Context) (core.Envelope, error)
	// Cancel ends the Feed, from whatever goroutine, and may be called again.
	Cancel()
	// Err returns why the Feed has ended, to whatever goroutine: a *core.PrunedError where an event did not fit. It is nil
	// while the Feed lives.
	Err() error
}

// An intake is a Feed and how it is read.
type intake struct {
	feed    Feed
	batches interface { // nil where it has none
		NextBatch(ctx context.Context, dst []core.Envelope) (int, error)
	}
	ready <-chan core.Envelope // what is there without waiting; nil where that can't be told
	wider bool                 // it gives events of other Regions, too
}

func newIntake(feed Feed, r region.Region) intake {
	in := intake{feed: feed}
	in.batches, _ = feed.(interface {
		NextBatch(ctx context.Context, dst []core.Envelope) (int, error)
	})
	if of, ok := feed.(interface{ C() <-chan core.Envelope }); ok {
		in.ready = of.C()
	}
	if of, ok := feed.(interface{ Region() region.Region }); ok {
		in.wider = of.Region() != r
	}
	return in
}

// covers tells whether every event of r is one of wide.
func covers(wide, r region.Region) bool {
	entity := wide.Entity == "" || wide.Entity == r.Entity || strings.HasPrefix(r.Entity, wide.Entity+":")
	kind := wide.Kind.IsZero() || wide.Kind == r.Kind
	if c, ok := wide.Kind.Category(); ok {
		k, exact := r.Kind.Kind()
		kind = kind || exact && k.Category() == c
	}
	return entity && kind &&
		(wide.Scope == "" || wide.Scope == r.Scope) &&
		(wide.Lane == region.LaneFilter{} || wide.Lane == r.Lane)
}

// room returns how many events it is worth having room for.
func (in *intake) room() int {
	if in.batches == nil && in.ready == nil {
		return 1
	}
	return mostLive
}

// next waits for an event at least, and returns how many there are in dst.
func (in *intake) next(ctx context.Context, dst []core.Envelope) (n int, err error) {
	if in.batches != nil {
		return in.batches.NextBatch(ctx, dst)
	}
	if dst[0], err = in.feed.Next(ctx); err != nil {
		return 0, err
	}
	for n = 1; in.ready != nil && n < len(dst); n++ {
		select {
		case e, ok := <-in.ready:
			if !ok {
				return n, nil // Next says why
			}
			dst[n] = e
		default:
			return n, nil
		}
	}
	return n, nil
}
