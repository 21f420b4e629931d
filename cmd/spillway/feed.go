package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spillwayhq/spillway/core"
)

// A pace says how fast a history is fed: as its readers read, as fast as it goes, or so many events a second.
type pace struct {
	asRead bool
	rate   float64 // events a second; 0: no limit
}

func parsePace(s string) (pace, error) {
	switch s {
	case "auto":
		return pace{asRead: true}, nil
	case "none":
		return pace{}, nil
	}
	rate, err := strconv.ParseFloat(s, 64)
	if err != nil || !(rate > 0) || math.IsInf(rate, 1) {
		return pace{}, fmt.Errorf("--pace %q is none of auto, none, or events a second", s)
	}
	return pace{rate: rate}, nil
}

// A feeder broadcasts events, in order, by one goroutine or several, or appends them to a log.
type feeder struct {
	fanout   *core.Fanout[*core.Envelope]
	ledger   *ledger   // events are appended here instead; nil where there is no log
	readers  []*reader // the healthy ones
	capacity int
	writers  int
	pace     pace
	progress func(events int)

	begins []bool // with which event a run begins that one writer broadcasts, in order; nil where there is but one writer
}

// run broadcasts the events until ctx ends, or the log fails, and returns how many it has broadcast: always the first so many.
func (f *feeder) run(ctx context.Context, events []*core.Envelope) int {
	start, fed := time.Now(), 0
	if f.writers > 1 {
		f.begins = make([]bool, len(events))
	}
	for fed < len(events) && ctx.Err() == nil && (f.ledger == nil || f.ledger.err == nil) {
		chunk := len(events) - fed
		switch {
		case f.pace.asRead:
			// A reader with half its capacity left has room for the chunk, whoever else gets it too.
			f.awaitReaders(ctx)
			chunk = min(chunk, f.capacity-f.capacity/2)
		case f.pace.rate > 0:
			due := f.due(ctx, start, fed)
			chunk = min(chunk, due)
		}
		if ctx.Err() != nil {
			break
		}
		if f.ledger != nil {
			fed += f.ledger.append(ctx, events[fed:fed+chunk], f.progress)
			continue
		}
		fed += f.broadcast(ctx, events[fed:fed+chunk])
	}
	return fed
}

// awaitReaders returns when no healthy reader has more than half its capacity to read.
func (f *feeder) awaitReaders(ctx context.Context) {
	for _, r := range f.readers {
		r.awaitHalf(ctx)
	}
}

// due waits until another event is due, and returns how many are.
func (f *feeder) due(ctx context.Context, start time.Time, fed int) int {
	at := math.Ceil(float64(fed) / f.pace.rate * float64(time.Second)) // nanoseconds after start
	wait := time.Duration(min(at, math.MaxInt64/2)) - time.Since(start)
	if wait > 0 {
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return 0
		}
	}
	return max(1, int(min(time.Since(start).Seconds()*f.pace.rate, math.MaxInt32))+1-fed)
}

// share is how many events a writer takes at a time.
const share = 64

// broadcast has the writers take the events share after share, and returns how many were taken before ctx
// ended. One that is taken is broadcast.
func (f *feeder) broadcast(ctx context.Context, events []*core.Envelope) int {
	// taken is how many events writers have taken on.
	//   written by: each writer, by Add
	//   read by:    the same; broadcast, when they have returned
	//   order:      none needed beyond that an Add is one step
	var taken atomic.Int64
	size := max(1, min(share, len(events)/f.writers))
	write := func() {
		for ctx.Err() == nil {
			to := int(taken.Add(int64(size)))
			if to-size >= len(events) {
				return
			}
			mine := events[to-size : min(to, len(events))]
			if f.begins != nil {
				f.begins[mine[0].Sequence] = true // no two writers take the same
			}
			f.fanout.BroadcastAll(mine)
			f.progress(len(mine))
		}
	}
	if f.writers == 1 {
		write()
	} else {
		var wg sync.WaitGroup
		for range f.writers {
			wg.Go(write)
		}
		wg.Wait()
	}
	return min(int(taken.Load()), len(events))
}
