package main

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A reader is a subscription and what it has been given.
type reader struct {
	region  region.Region
	adapter string
	stuck   bool   // never reads
	from    uint32 // it was there for the events from this one on; more than 0 is a stuck one's of a replay that was resumed
	out     outlet

	received []uint32 // the events that it read, by their places in the input
	held     []uint32 // those that it left
	lost     int      // those that were overwritten or replaced
	pruned   *core.PrunedError

	// parked says that the feeder waits for this reader.
	//   written by: the feeder, to true; whoever ends the wait, by compare-and-swap to false
	//   read by:    the same
	//   order:      the feeder sets it and then looks at what waits; the reader takes an event and then looks here: one sees the other
	parked atomic.Bool
	wake   chan struct{}
}

// read takes everything the subscription accepts, until it is over.
func (r *reader) read() {
	r.out.read(func(e *core.Envelope) {
		r.received = append(r.received, uint32(e.Sequence))
		r.taken()
	})
}

// taken has the feeder go on, if it waits for this reader, and need not any more.
func (r *reader) taken() {
	if r.parked.Load() && r.half() && r.parked.CompareAndSwap(true, false) {
		r.wake <- struct{}{}
	}
}

// half tells whether no more than half of what may wait does.
func (r *reader) half() bool {
	n, capacity := r.out.waiting()
	return n <= capacity/2
}

// awaitHalf returns when the reader has no more than half its capacity to read, or ctx ends. It looks
// again when it is woken: the reader may have looked before the last events came.
func (r *reader) awaitHalf(ctx context.Context) {
	for !r.half() {
		r.parked.Store(true)
		if r.half() && r.parked.CompareAndSwap(true, false) {
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
	r.out.rest(func(e *core.Envelope) { r.held = append(r.held, uint32(e.Sequence)) })
	r.lost = r.out.lost()
	errors.As(r.out.err(), &r.pruned)
}
