package prometheus

import (
	"slices"
	"strings"
	"sync"

	prom "github.com/prometheus/client_golang/prometheus"

	"github.com/spillwayhq/spillway/cursor"
)

// A metric is one series of each name, and how it is read off figures of type S.
type metric[S any] struct {
	desc  *prom.Desc
	typ   prom.ValueType
	value string // the second label's; empty where the family has no such label
	read  func(s *S) float64
	join  func(a, b float64) float64 // makes one figure of those of two sources with the same name
}

// A histogram is one of each name.
type histogram[S any] struct {
	desc  *prom.Desc
	scale scale
	read  func(s *S) *cursor.Distribution // nil: it is not known
}

// A scale says which of a Distribution's Buckets are shown, and in which unit.
type scale struct {
	first, last, step int
	per               float64 // how many of a Distribution's are one; 1: they are counts
}

var (
	durations = scale{12, 34, 1, 1e9} // 4 µs to 17 s
	events    = scale{0, 14, 1, 1}    // 0, 1, 3, 7 … 16,383
	lags      = scale{0, 30, 2, 1}    // 0, 3, 15, 63 … 1,073,741,823
)

// bound returns what the values in Buckets up to i are no more than.
func (c scale) bound(i int) float64 {
	if c.per == 1 {
		return float64(uint64(1)<<i - 1)
	}
	return float64(uint64(1)<<i) / c.per
}

func (h *histogram[S]) metric(d *cursor.Distribution, name string) prom.Metric {
	buckets := make(map[float64]uint64)
	below := uint64(0)
	for i, n := range d.Buckets[:h.scale.last+1] {
		below += n
		if i >= h.scale.first && (i-h.scale.first)%h.scale.step == 0 {
			buckets[h.scale.bound(i)] = below
		}
	}
	return prom.MustNewConstHistogram(h.desc, d.Count, float64(d.Sum)/h.scale.per, buckets, name)
}

// A family is all that is shown of one kind of source.
type family[S any] struct {
	metrics    []metric[S]
	histograms []histogram[S]
	level      *prom.Desc // with the Level as a label; nil: none
	levelOf    func(s *S) cursor.Level
}

func (f *family[S]) describe(to chan<- *prom.Desc) {
	var last *prom.Desc
	for _, m := range f.metrics {
		if m.desc != last {
			to <- m.desc
		}
		last = m.desc
	}
	for _, h := range f.histograms {
		to <- h.desc
	}
	if f.level != nil {
		to <- f.level
	}
}

// Groups are the sources of a family, those with one name together: they are one series of each metric.
type groups[S any] struct {
	of  *family[S]
	all []group[S]
}

type group[S any] struct {
	name    string
	sources []*source[S]
}

// A source remembers what its counters have said. Stats of a Fanout is several loads, one after the other, so of two
// snapshots the later may have accepted one less, where a broadcast pruned between; to Prometheus, a counter
// that falls has begun again at zero.
type source[S any] struct {
	stats func() S
	mu    sync.Mutex // not held over stats
	said  []float64
}

func (g *groups[S]) add(name string, stats func() S) {
	name = strings.ToValidUTF8(name, "?") // anything else would fail the whole scrape
	at := slices.IndexFunc(g.all, func(of group[S]) bool { return of.name == name })
	if at < 0 {
		at = len(g.all)
		g.all = append(g.all, group[S]{name: name})
	}
	g.all[at].sources = append(g.all[at].sources, &source[S]{stats: stats, said: make([]float64, len(g.of.metrics))})
}

func (g *groups[S]) collect(to chan<- prom.Metric) {
	for _, of := range g.all {
		g.of.collect(to, of)
	}
}

func (f *family[S]) collect(to chan<- prom.Metric, g group[S]) {
	figures := make([]float64, len(f.metrics))
	distributions := make([]*cursor.Distribution, len(f.histograms))
	var levels []string
	for _, s := range g.sources {
		stats := s.stats()
		for i, v := range s.figures(f, &stats) {
			figures[i] = f.metrics[i].join(figures[i], v)
		}
		for i, h := range f.histograms {
			distributions[i] = together(distributions[i], h.read(&stats))
		}
		if f.level != nil {
			if level := f.levelOf(&stats).String(); !slices.Contains(levels, level) {
				levels = append(levels, level)
			}
		}
	}
	for i, m := range f.metrics {
		labels := []string{g.name}
		if m.value != "" {
			labels = append(labels, m.value)
		}
		to <- prom.MustNewConstMetric(m.desc, m.typ, figures[i], labels...)
	}
	for i, d := range distributions {
		if d != nil {
			to <- f.histograms[i].metric(d, g.name)
		}
	}
	for _, level := range levels {
		to <- prom.MustNewConstMetric(f.level, prom.GaugeValue, 1, g.name, level)
	}
}

// together returns the values of both; nil are none.
func together(a, b *cursor.Distribution) *cursor.Distribution {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	a.Count += b.Count
	a.Sum += b.Sum
	for i, n := range b.Buckets {
		a.Buckets[i] += n
	}
	return a
}

// figures returns a snapshot's figures, in the order of metrics, of which no counter is less than it was.
func (s *source[S]) figures(f *family[S], stats *S) []float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, m := range f.metrics {
		v := m.read(stats)
		if m.typ == prom.CounterValue {
			v = max(v, s.said[i])
		}
		s.said[i] = v
	}
	return slices.Clone(s.said)
}

// described begins the metrics and histograms of a family whose first label is label.
func described(label, prefix, name, help string, labels ...string) *prom.Desc {
	return prom.NewDesc("spillway_"+prefix+name, help, append([]string{label}, labels...), nil)
}

func gauge[S any](desc *prom.Desc, join func(a, b float64) float64, read func(*S) float64) metric[S] {
	return metric[S]{desc: desc, typ: prom.GaugeValue, read: read, join: join}
}

func counter[S any](desc *prom.Desc, read func(*S) uint64) metric[S] { return of(desc, "", read) }

// of is a counter of a family that may have others.
func of[S any](desc *prom.Desc, value string, read func(*S) uint64) metric[S] {
	return metric[S]{
		desc: desc, typ: prom.CounterValue, value: value, join: sum,
		read: func(s *S) float64 { return float64(read(s)) },
	}
}

func sum(a, b float64) float64 { return a + b }
