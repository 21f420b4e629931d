package main

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A reader is a subscription and what it has been given.
type reader struct {
	region region.Region
	stuck  bool // never reads
	sub    *channel.Subscription[*core.Envelope]

	received []uint32 // the events that it read, by their places in the input
	held     []uint32 // those that were left in its channel
	pruned   *core.PrunedError

	// parked says that the feeder waits for this reader.
	//   written by: the feeder, to true; whoever ends the wait, by compare-and-swap to false
	//   read by:    the same
	//   order:      the feeder sets it and then looks at the channel; the reader takes an event and then looks here: one sees the other
	parked atomic.Bool
	wake   chan struct{}
}

// read takes everything the subscription accepts, until it is over.
func (r *reader) read() {
	events := r.sub.C()
	half := cap(events) / 2
	for e := range events {
		r.received = append(r.received, uint32(e.Sequence))
		if len(events) <= half && r.parked.CompareAndSwap(true, false) {
			r.wake <- struct{}{}
		}
	}
}

// awaitHalf returns when the reader has no more than half its capacity to read, or ctx ends. It looks
// again when it is woken: the reader may have looked at the channel before the last events came.
func (r *reader) awaitHalf(ctx context.Context) {
	events := r.sub.C()
	for len(events) > cap(events)/2 {
		r.parked.Store(true)
		if len(events) <= cap(events)/2 && r.parked.CompareAndSwap(true, false) {
			return
		}
		select {
		case <-r.wake:
		case <-ctx.Done():
			return
		}
	}
}

// settle says how the subscription ended and what it holds still. It is over, and read has returned.
func (r *reader) settle() {
	for e := range r.sub.C() {
		r.held = append(r.held, uint32(e.Sequence))
	}
	errors.As(r.sub.Err(), &r.pruned)
}
