package prometheus

import (
	"math"
	"strings"
	"sync"

	prom "github.com/prometheus/client_golang/prometheus"

	"github.com/spillwayhq/spillway/core"
)

// A metric is one series of each Fanout, and how it is read off the figures.
type metric struct {
	desc   *prom.Desc
	typ    prom.ValueType
	reason string // the label's value; empty where the family has no such label
	read   func(s *core.Stats) float64
	join   func(a, b float64) float64 // makes one figure of those of two sources with the same name
}

var pruned = desc("pruned_total", "Subscriptions ended because their sink refused an event.", "reason")

var metrics = [...]metric{
	gauge("subscriptions_live", "Subscriptions that are open and not over.", sum,
		func(s *core.Stats) float64 { return float64(s.Live) }),
	gauge("subscriptions_retiring", "Subscriptions that are over and not done: their sinks are still to be closed.", sum,
		func(s *core.Stats) float64 { return float64(s.Retiring) }),
	gauge("slow_close_seconds", "How long the Close or Observer call has taken that the ends are waiting for; 0: none.", math.Max,
		func(s *core.Stats) float64 { return s.SlowClose.Seconds() }),
	counter("subscribed_total", "Subscriptions begun.",
		func(s *core.Stats) uint64 { return s.Subscribed }),
	counter("cancelled_total", "Subscriptions ended by their owner, a context or the fan-out's end.",
		func(s *core.Stats) uint64 { return s.Cancelled }),
	of(pruned, "full", func(s *core.Stats) uint64 { return s.PrunedFull }),
	of(pruned, "closed", func(s *core.Stats) uint64 { return s.PrunedClosed }),
	counter("broadcasts_total", "Broadcasts that found somebody live.",
		func(s *core.Stats) uint64 { return s.Broadcasts }),
	counter("matched_total", "Offers made: one for each event and subscription that it concerns.",
		func(s *core.Stats) uint64 { return s.Matched }),
	counter("accepted_total", "Offers accepted.",
		func(s *core.Stats) uint64 { return s.Accepted }),
	counter("lost_total", "Accepted events that sinks overwrote or replaced, and multicast Readers that were lapped.",
		func(s *core.Stats) uint64 { return s.Lost }),
	counter("panics_total", "Panics of user code, recovered.",
		func(s *core.Stats) uint64 { return s.Panics }),
}

func desc(name, help string, labels ...string) *prom.Desc {
	return prom.NewDesc("spillway_"+name, help, append([]string{"fanout"}, labels...), nil)
}

func gauge(name, help string, join func(a, b float64) float64, read func(*core.Stats) float64) metric {
	return metric{desc: desc(name, help), typ: prom.GaugeValue, read: read, join: join}
}

func counter(name, help string, read func(*core.Stats) uint64) metric {
	return of(desc(name, help), "", read)
}

// of is a counter of a family that may have others.
func of(family *prom.Desc, reason string, read func(*core.Stats) uint64) metric {
	return metric{
		desc: family, typ: prom.CounterValue, reason: reason, join: sum,
		read: func(s *core.Stats) float64 { return float64(read(s)) },
	}
}

func sum(a, b float64) float64 { return a + b }

// collector is what NewCollector returns.
type collector struct{ groups []group }

// A group is the sources with one name: together they are one series of each metric.
type group struct {
	name    string
	sources []*source
}

// A source remembers what its counters have said. Stats is several loads, one after the other, so of two
// snapshots the later may have accepted one less, where a broadcast pruned between; to Prometheus, a counter
// that falls has begun again at zero.
type source struct {
	core.Source
	mu   sync.Mutex // not held over Stats
	said [len(metrics)]float64
}

// NewCollector returns a Collector of the figures of all sources: every *core.Fanout is one. A registry takes
// one such Collector, so it is given all of them at once; nil ones are passed over.
//
// Sources with the same name share its series: their figures are added up, and spillway_slow_close_seconds is
// the greatest. Series without a name have an empty label, which is none to Prometheus. In a name, what
// is not UTF-8 becomes a question mark; names that are alike then are the same.
func NewCollector(sources ...core.Source) prom.Collector {
	c := &collector{}
	place := make(map[string]int) // in groups
	for _, s := range sources {
		if s == nil {
			continue
		}
		name := strings.ToValidUTF8(s.Name(), "?") // anything else would fail the whole scrape
		at, known := place[name]
		if !known {
			at = len(c.groups)
			place[name] = at
			c.groups = append(c.groups, group{name: name})
		}
		c.groups[at].sources = append(c.groups[at].sources, &source{Source: s})
	}
	return c
}

// Describe sends what metrics there are; it is the same with and without sources.
func (c *collector) Describe(to chan<- *prom.Desc) {
	var last *prom.Desc
	for _, m := range metrics {
		if m.desc != last {
			to <- m.desc
		}
		last = m.desc
	}
}

// Collect sends one snapshot of each source. It may be called by several goroutines at once.
func (c *collector) Collect(to chan<- prom.Metric) {
	for _, g := range c.groups {
		var figures [len(metrics)]float64
		for _, s := range g.sources {
			for i, v := range s.figures() {
				figures[i] = metrics[i].join(figures[i], v)
			}
		}
		for i, m := range metrics {
			labels := []string{g.name}
			if m.reason != "" {
				labels = append(labels, m.reason)
			}
			to <- prom.MustNewConstMetric(m.desc, m.typ, figures[i], labels...)
		}
	}
}

// figures takes a snapshot, in the order of metrics, of which no counter is less than it was.
func (s *source) figures() [len(metrics)]float64 {
	stats := s.Stats()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, m := range metrics {
		v := m.read(&stats)
		if m.typ == prom.CounterValue {
			v = max(v, s.said[i])
		}
		s.said[i] = v
	}
	return s.said
}
