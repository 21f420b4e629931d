package core

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	uatomic "go.uber.org/atomic"
)

// Stats are a Fanout's figures since it was made. Those of a broadcast that is under way come when it
// is finished; where broadcasts overlap with the call, some that are finished may come with the next one.
// Subscribed counts what Subscribe let in; every one of them is live, or counted by Cancelled, PrunedFull or PrunedClosed.
type Stats struct {
	Live int // subscriptions that are open and not over

	Subscribed   uint64
	Broadcasts   uint64 // those that found somebody live
	Matched      uint64 // offers made
	Accepted     uint64 // of them
	PrunedFull   uint64 // of them: refused, and the subscription ended
	PrunedClosed uint64 // the same, for a sink that is gone or panicked
	Cancelled    uint64 // subscriptions ended by Cancel, CancelCause, a context or Close
	Panics       uint64 // of user code, recovered
	Lost         uint64 // events overwritten or replaced in sinks, or Readers lapped; of ended ones too

	Retiring  int           // subscriptions that are over and not done
	SlowClose time.Duration // how long the Close or Observer call has taken that the ends are waiting for; 0: none
}

// Source is what a Fanout of any type tells about itself, for metrics and debug pages.
type Source interface {
	Name() string
	Stats() Stats
	Subscriptions() iter.Seq[Info]
}

// counters are the figures that the grace's words don't hold: off the path of a broadcast that prunes nobody.
type counters struct {
	// busySince is when the reaper began the call of user code that it is in, since born; 0: it is in none.
	// First in the struct, and counters first in the Fanout: 32-bit targets align it by that.
	//   written by: the reaper
	//   read by:    Stats
	//   order:      none needed: a statistic
	busySince uatomic.Duration
	born      time.Time

	// The others are added to by whoever ends, subscribes or recovers, and read by Stats.
	//   written by: Subscribe, Cancel, broadcasts that prune, the reaper; by Add
	//   read by:    Stats
	//   order:      none needed: each only ever rises
	subscribed, cancelled, prunedFull, prunedClosed, panics atomic.Uint64
}

// Stats returns the figures. It asks each sink that loses events how many; otherwise it costs a few
// loads. It holds up no broadcast.
func (f *Fanout[T]) Stats() Stats {
	c := &f.counters
	s := Stats{
		PrunedFull:   c.prunedFull.Load(),
		PrunedClosed: c.prunedClosed.Load(),
		Cancelled:    c.cancelled.Load(),
		Panics:       c.panics.Load(),
		Live:         f.Len(),
		Retiring:     f.population().retiring(),
		Subscribed:   c.subscribed.Load(),
	}
	broadcasts, accepted := f.grace.figures()
	if since := c.busySince.Load(); since != 0 {
		s.SlowClose = max(0, time.Since(c.born)-since)
	}
	f.mu.Lock()
	f.broadcasts = max(f.broadcasts, broadcasts)
	f.accepted = max(f.accepted, accepted)
	s.Broadcasts, s.Accepted, s.Lost = f.broadcasts, f.accepted, f.lost
	var lossy []lossySink
	if len(f.lossy) > 0 {
		lossy = slices.Collect(maps.Values(f.lossy))
	}
	f.mu.Unlock()
	s.Matched = s.Accepted + s.PrunedFull + s.PrunedClosed
	for _, l := range lossy {
		s.Lost += f.lostBy(l)
	}
	return s
}

// lostBy asks a sink of the user's what it lost; a panic is counted and the answer 0.
func (f *Fanout[T]) lostBy(s lossySink) (lost uint64) {
	f.guard(func() { lost = s.Lost() })
	return lost
}

// held asks a sink what its buffer holds, where it is a Gauge.
func (f *Fanout[T]) held(s Sink[T]) (held, capacity int) {
	if g, ok := s.(gaugeSink); ok {
		f.guard(func() { held, capacity = g.Held() })
	}
	return held, capacity
}

// describe makes the Info of a subscription; its sink may be nil where it is over.
func (f *Fanout[T]) describe(e ending[T], at site) Info {
	n, sink := e.node, e.sink
	i := Info{
		ID:     n.id,
		Region: n.region(),
		Since:  time.Unix(0, n.since),
		Site:   at.String(),
		Err:    n.Err(),
	}
	if sink == nil {
		return i
	}
	i.Sink, _, _ = strings.Cut(fmt.Sprintf("%T", sink), "[")
	i.Held, i.Capacity = f.held(sink)
	if _, gauge := sink.(gaugeSink); !gauge {
		i.Held, i.Capacity = len(e.out), cap(e.out)
	}
	if s, ok := sink.(lossySink); ok {
		i.Lost = f.lostBy(s)
	}
	return i
}
