package prometheus

import (
	prom "github.com/prometheus/client_golang/prometheus"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
)

// Sources are what a Collector shows. Those of one kind and one name share their series: counts and histograms are added up, and
// of slow_close_seconds and failed it is the greatest. nil ones are passed over.
//
// Series without a name have an empty label, which is none to Prometheus. In a name, what is not UTF-8 becomes a
// question mark; names that are alike then are the same.
type Sources struct {
	Fanouts   []core.Source               // every *core.Fanout is one
	Journals  []cursor.JournalSource      // every *cursor.Journal is one
	Logs      map[string]cursor.LogSource // by the name that they are to have
	Followers []*Followers
}

// Collector returns a Collector of the figures of all of them. A registry takes one such Collector, so it is given all at once.
func (s Sources) Collector() prom.Collector {
	c := &collector{
		fanouts: groups[core.Stats]{of: &fanouts}, journals: groups[cursor.JournalStats]{of: &journals},
		logs: groups[cursor.LogStats]{of: &logs}, followers: groups[followStats]{of: &follows},
	}
	for _, f := range s.Fanouts {
		if f != nil {
			c.fanouts.add(f.Name(), f.Stats)
		}
	}
	for _, j := range s.Journals {
		if j != nil {
			c.journals.add(j.Name(), j.Stats)
		}
	}
	for name, l := range s.Logs {
		if l != nil {
			c.logs.add(name, l.LogStats)
		}
	}
	for _, f := range s.Followers {
		if f != nil {
			c.followers.add(f.name, f.stats)
		}
	}
	return c
}

// NewCollector is the Collector of Sources that are Fanouts alone.
func NewCollector(sources ...core.Source) prom.Collector {
	return Sources{Fanouts: sources}.Collector()
}

// collector is what Sources.Collector returns.
type collector struct {
	fanouts   groups[core.Stats]
	journals  groups[cursor.JournalStats]
	logs      groups[cursor.LogStats]
	followers groups[followStats]
}

// Describe sends what metrics there are; it is the same with and without sources.
func (c *collector) Describe(to chan<- *prom.Desc) {
	fanouts.describe(to)
	journals.describe(to)
	logs.describe(to)
	follows.describe(to)
}

// Collect sends one snapshot of each source. It may be called by several goroutines at once.
func (c *collector) Collect(to chan<- prom.Metric) {
	c.fanouts.collect(to)
	c.journals.collect(to)
	c.logs.collect(to)
	c.followers.collect(to)
}
