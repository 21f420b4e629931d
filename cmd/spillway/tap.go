package main

import (
	"context"
	"fmt"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/adapters/multicast"
	"github.com/spillwayhq/spillway/adapters/ring"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// taps are the adapters by which a log is followed: a callback isn't pulled from, and the others lose events. mixed deals them out.
var taps = []string{"channel", "ring", "multicast"}

// A tap is a Feed that can say how much waits in it, and tells when some was taken.
type tap struct {
	feed    cursor.Feed
	batch   func(ctx context.Context, dst []core.Envelope) (int, error)
	waiting func() int
	taken   func() // when something was taken, or nothing will be any more
	ended   func() // when it was cancelled
}

var _ cursor.Feed = (*tap)(nil)

// newTap subscribes to a region by the adapter of a name.
func newTap(ctx context.Context, adapter string, f *core.Fanout[core.Envelope], r region.Region, capacity int) (*tap, error) {
	t := &tap{taken: func() {}, ended: func() {}}
	switch adapter {
	case "channel":
		s, err := channel.Subscribe(ctx, f, r, capacity)
		if err != nil {
			return nil, err
		}
		t.feed, t.batch, t.waiting = s, channelBatch(s), func() int { return len(s.C()) }
	case "ring":
		s, err := ring.Subscribe(ctx, f, r, ring.Options{Capacity: capacity})
		if err != nil {
			return nil, err
		}
		t.feed, t.batch, t.waiting = s, s.NextBatch, s.Len
	case "multicast":
		m, err := multicast.Open(ctx, f, r, capacity)
		if err != nil {
			return nil, err
		}
		s, err := m.Reader(ctx, multicast.FromNext)
		if err != nil {
			m.Cancel()
			return nil, err
		}
		t.feed, t.batch, t.waiting, t.ended = s, s.NextBatch, s.Lag, m.Cancel
	default:
		return nil, fmt.Errorf("a log is not followed by %q", adapter)
	}
	return t, nil
}

// channelBatch takes what is in a channel, and waits for the first.
func channelBatch(s *channel.Subscription[core.Envelope]) func(context.Context, []core.Envelope) (int, error) {
	return func(ctx context.Context, dst []core.Envelope) (n int, err error) {
		if dst[0], err = s.Next(ctx); err != nil {
			return 0, err
		}
		for n = 1; n < len(dst); n++ {
			select {
			case e, ok := <-s.C():
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
}

// NextBatch is what a Follower reads by.
func (t *tap) NextBatch(ctx context.Context, dst []core.Envelope) (int, error) {
	n, err := t.batch(ctx, dst)
	t.taken()
	return n, err
}

func (t *tap) Next(ctx context.Context) (core.Envelope, error) {
	e, err := t.feed.Next(ctx)
	t.taken()
	return e, err
}

// Cancel ends it.
func (t *tap) Cancel() {
	t.feed.Cancel()
	t.ended()
}

func (t *tap) Err() error { return t.feed.Err() }

// A tapOutlet is a tap that nobody reads.
type tapOutlet struct {
	*tap
	capacity int
}

func (o tapOutlet) read(take func(*core.Envelope)) { o.rest(take) }

func (o tapOutlet) rest(take func(*core.Envelope)) {
	for {
		e, err := o.Next(context.Background())
		if err != nil {
			return
		}
		take(&e)
	}
}

func (o tapOutlet) waiting() (n, capacity int) { return o.tap.waiting(), o.capacity }

func (o tapOutlet) lost() int { return 0 }

func (o tapOutlet) err() error { return o.Err() }
