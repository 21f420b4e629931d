package prometheus

import (
	"math"

	prom "github.com/prometheus/client_golang/prometheus"

	"github.com/spillwayhq/spillway/core"
)

func ofFanout(name, help string, labels ...string) *prom.Desc {
	return described("fanout", "", name, help, labels...)
}

var pruned = ofFanout("pruned_total", "Subscriptions ended because their sink refused an event.", "reason")

var fanouts = family[core.Stats]{metrics: []metric[core.Stats]{
	gauge(ofFanout("subscriptions_live", "Subscriptions that are open and not over."), sum,
		func(s *core.Stats) float64 { return float64(s.Live) }),
	gauge(ofFanout("subscriptions_retiring", "Subscriptions that are over and not done: their sinks are still to be closed."), sum,
		func(s *core.Stats) float64 { return float64(s.Retiring) }),
	gauge(ofFanout("slow_close_seconds", "How long the Close or Observer call has taken that the ends are waiting for; 0: none."), math.Max,
		func(s *core.Stats) float64 { return s.SlowClose.Seconds() }),
	counter(ofFanout("subscribed_total", "Subscriptions begun."),
		func(s *core.Stats) uint64 { return s.Subscribed }),
	counter(ofFanout("cancelled_total", "Subscriptions ended by their owner, a context or the fan-out's end."),
		func(s *core.Stats) uint64 { return s.Cancelled }),
	of(pruned, "full", func(s *core.Stats) uint64 { return s.PrunedFull }),
	of(pruned, "closed", func(s *core.Stats) uint64 { return s.PrunedClosed }),
	counter(ofFanout("broadcasts_total", "Broadcasts that found somebody live."),
		func(s *core.Stats) uint64 { return s.Broadcasts }),
	counter(ofFanout("matched_total", "Offers made: one for each event and subscription that it concerns."),
		func(s *core.Stats) uint64 { return s.Matched }),
	counter(ofFanout("accepted_total", "Offers accepted."),
		func(s *core.Stats) uint64 { return s.Accepted }),
	counter(ofFanout("lost_total", "Accepted events that sinks overwrote or replaced, and multicast Readers that were lapped."),
		func(s *core.Stats) uint64 { return s.Lost }),
	counter(ofFanout("panics_total", "Panics of user code, recovered."),
		func(s *core.Stats) uint64 { return s.Panics }),
}}
