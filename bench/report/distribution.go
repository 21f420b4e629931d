package report

import (
	"cmp"
	"fmt"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/spillwayhq/spillway/bench"
)

// A Distribution is a bench.Latency, measured.
type Distribution struct {
	Side    string       `json:"side"`
	Readers int          `json:"readers"`
	Rate    int          `json:"rate"`
	Count   int64        `json:"count"` // deliveries
	Max     float64      `json:"max"`   // ns
	Values  []Percentile `json:"values"`
}

// A Percentile says that so many per cent of deliveries took at most so long.
type Percentile struct {
	Percent float64 `json:"percent"`
	NS      float64 `json:"ns"`
}

// shown are the percentiles that tables and marks are at.
var shown = []float64{50, 90, 99, 99.9, 99.99}

// fewest is how many deliveries must have taken longer for a percentile to be told: less is an accident.
const fewest = 10

// NewDistribution takes the percentiles of a histogram.
func NewDistribution(l bench.Latency, h *hdrhistogram.Histogram) Distribution {
	d := Distribution{Side: l.Side, Readers: l.Readers, Rate: l.Rate, Count: h.TotalCount(), Max: float64(h.Max())}
	percents := append([]float64{1, 5, 10, 20, 30, 40, 60, 70, 80}, shown...)
	for beyond := 10.0; beyond > 0.001; beyond /= 10 {
		for _, of := range []float64{0.8, 0.6, 0.5, 0.4, 0.3, 0.2, 0.15} {
			percents = append(percents, round(100-beyond*of))
		}
	}
	percents = sortedUnique(percents)
	for _, p := range percents {
		if p > 50 && float64(d.Count)*(100-p)/100 < fewest {
			break
		}
		d.Values = append(d.Values, Percentile{p, float64(h.ValueAtPercentile(p))})
	}
	return d
}

// At returns the value at a percentile, if it is told.
func (d Distribution) At(percent float64) (ns float64, ok bool) {
	for _, v := range d.Values {
		if cmp.Compare(v.Percent, percent) == 0 {
			return v.NS, true
		}
	}
	return 0, false
}

// A crowd is the distributions with equally many readers: those of one chart.
type crowd struct {
	Readers, Rate int
	Of            []Distribution
}

// ID names the crowd's chart.
func (c crowd) ID() string { return fmt.Sprintf("latency-%d", c.Readers) }

// Title is that of its chart.
func (c crowd) Title() string {
	if c.Readers == 1 {
		return "Latency, one reader"
	}
	return fmt.Sprintf("Latency, %s readers", short(float64(c.Readers)))
}

// Note says how it was measured.
func (c crowd) Note() string {
	return fmt.Sprintf("Events are due at %s a second, by a timetable that does not slip; a latency is from then until a reader has the event.",
		short(float64(c.Rate)))
}

// Crowds groups the distributions.
func (r Report) Crowds() (all []crowd) {
	for _, d := range r.Latencies {
		if n := len(all); n == 0 || all[n-1].Readers != d.Readers {
			all = append(all, crowd{Readers: d.Readers, Rate: d.Rate})
		}
		last := &all[len(all)-1]
		last.Of = append(last.Of, d)
	}
	return all
}
