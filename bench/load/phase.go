package main

import (
	"context"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/spillwayhq/spillway/bench/load/fan"
	"github.com/spillwayhq/spillway/bench/report"
)

// A phase is what was measured while the load was of one kind, in all its turns.
type phase struct {
	answered  *hdrhistogram.Histogram // from when an event was due until it was appended and broadcast
	delivered *hdrhistogram.Histogram // and until a client had it
	count     uint64                  // deliveries
}

func newPhase() *phase {
	return &phase{answered: hdrhistogram.New(1, int64(time.Minute), 2), delivered: hdrhistogram.New(1, int64(time.Minute), 2)}
}

// measure publishes for so long, waits until everybody has everything, and adds what it took.
func (p *phase) measure(ctx context.Context, c *fan.Crowd, to *sender, groups, rate int, long time.Duration) error {
	c.Take() // what came before is not this phase's
	answered, err := publish(ctx, c, to, groups, rate, long)
	if err == nil {
		err = c.Await(ctx, time.Minute)
	}
	if err != nil {
		return err
	}
	delivered, n := c.Take()
	p.answered.Merge(answered)
	p.delivered.Merge(delivered)
	p.count += n
	return nil
}

const (
	slower     = 3                     // times as long as without it may what has a burden take at its p99,
	slowerThan = 20 * time.Millisecond // or by so much longer
)

// compare notes how a phase with a burden compares with one without, and asserts that it is not much slower. That is to find a server
// that somebody holds up, and not a machine that had something else to do.
func (l *load) compare(t *table, what string, with, without *phase) {
	answered, delivered := ratioAt99(with.answered, without.answered), ratioAt99(with.delivered, without.delivered)
	t.note("p99 %s: answered ×%.2f, delivered ×%.2f", what, answered, delivered)
	if l.sizes.untimed {
		return
	}
	near := func(a, b *hdrhistogram.Histogram) bool {
		at, by := a.ValueAtPercentile(99), b.ValueAtPercentile(99)
		return at <= slower*by || at <= by+int64(slowerThan)
	}
	t.assert(near(with.answered, without.answered) && near(with.delivered, without.delivered),
		"nobody is held up: neither p99 is %d times as long, and %v longer", slower, slowerThan)
}

func ratioAt99(a, b *hdrhistogram.Histogram) float64 {
	return float64(a.ValueAtPercentile(99)) / float64(b.ValueAtPercentile(99))
}

// cells are a phase's columns.
func (p *phase) cells(name string) []string {
	at := func(h *hdrhistogram.Histogram, percent float64) string {
		return report.Duration(float64(h.ValueAtPercentile(percent)))
	}
	return []string{
		name, fmt.Sprint(p.count), at(p.answered, 50), at(p.answered, 99),
		at(p.delivered, 50), at(p.delivered, 99), at(p.delivered, 99.9), report.Duration(float64(p.delivered.Max())),
	}
}

// phaseHead names them.
var phaseHead = []string{"", "deliveries", "answered p50", "p99", "delivered p50", "p99", "p99.9", "max"}
