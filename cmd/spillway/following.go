package main

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// A following is the outlet of a Follower: what it hands out, up to the log's end when no more is appended.
type following struct {
	log      cursor.Log
	region   region.Region
	follower *cursor.Follower
	events   []*core.Envelope // the input: its sequences are the log's
	appended context.Context  // ends when no more is, and nothing is broadcast
	capacity int

	failed error // why it ended before the log did
	after  int   // events that were read when the Follower was left

	// feed is what it goes live by; nil while it does not.
	//   written by: subscribe; the tap's Cancel, by compare-and-swap
	//   read by:    the feeder, in waiting; one Load
	//   order:      it is taken back before the feeder is told, and so waits for no tap that nobody reads any more
	feed atomic.Pointer[tap]
}

// follow has a reader follow the log.
func follow(ctx context.Context, l *ledger, r *reader, capacity int, appended context.Context) {
	w := &following{log: l.log, region: r.region, events: l.events, appended: appended, capacity: capacity}
	w.follower = cursor.Follow(ctx, l.log, l.fanout, r.region, cursor.FollowOptions{
		Feed: func(ctx context.Context, f *core.Fanout[core.Envelope], of region.Region) (cursor.Feed, error) {
			return w.subscribe(ctx, f, of, r)
		},
	})
	r.out = w
}

// subscribe is how it goes live.
func (w *following) subscribe(ctx context.Context, f *core.Fanout[core.Envelope], of region.Region, r *reader) (cursor.Feed, error) {
	t, err := newTap(ctx, r.adapter, f, of, w.capacity)
	if err != nil {
		return nil, err
	}
	ended := t.ended
	t.taken = r.taken
	t.ended = func() {
		ended()
		w.feed.CompareAndSwap(t, nil)
		r.taken()
	}
	w.feed.Store(t)
	return t, nil
}

// read takes everything that the Follower hands out. When no more is appended, a Follower that is behind goes on until it is
// not. Of one that isn't it can't be told whether something is still to come, since where nothing is it sleeps: it is left, and
// from its place on the log is read.
func (w *following) read(take func(*core.Envelope)) {
	defer w.follower.Cancel()
	behind := true
	dst := make([]core.Envelope, batch)
	for ctx := w.appended; behind || w.appended.Err() == nil; {
		n, mark, err := w.follower.NextBatch(ctx, dst)
		switch {
		case err != nil && ctx.Err() != nil:
			ctx = context.Background()
			continue
		case err != nil:
			w.failed = err
			return
		case mark.Kind == cursor.CaughtUp:
			behind = false
		case mark.Kind == cursor.FellBehind:
			behind = true
		}
		w.hand(dst[:n], take)
	}
	if w.failed = w.follower.Err(); w.failed == nil { // what has ended it is not to be read over
		w.failed = w.readRest(dst, take)
	}
}

// readRest reads what the Follower has not handed out.
func (w *following) readRest(dst []core.Envelope, take func(*core.Envelope)) error {
	ctx := context.Background()
	c, err := cursor.Open(ctx, w.log, w.region, cursor.From(w.follower.Place()))
	if err != nil {
		return err
	}
	for {
		n, err := c.Poll(ctx, dst)
		if n == 0 || err != nil {
			return err
		}
		w.after += n
		w.hand(dst[:n], take)
	}
}

// hand gives events to take. One that is not the input's at its sequence is no event to be counted.
func (w *following) hand(es []core.Envelope, take func(*core.Envelope)) {
	for i := range es {
		e := &es[i]
		if w.failed == nil && (e.Sequence >= uint64(len(w.events)) || !equalEvents(e, w.events[e.Sequence])) {
			w.failed = fmt.Errorf("event %d was handed out as another than it is in the input", e.Sequence)
		}
		take(e)
	}
}

// rest takes nothing: read has it all.
func (w *following) rest(func(*core.Envelope)) {}

func (w *following) waiting() (n, capacity int) {
	if t := w.feed.Load(); t != nil {
		n = t.waiting()
	}
	return n, w.capacity
}

func (w *following) lost() int { return 0 }

func (w *following) err() error { return nil }
