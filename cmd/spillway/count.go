package main

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A tally is what a subscription's region matched of a history, and what became of it.
type tally struct {
	matched, accepted, received, held, lost int
}

func (t tally) missed() int { return t.matched - t.accepted }

// A miscount is an event that conservation does not hold for.
type miscount struct {
	region region.Region
	event  uint32
	why    string
}

func (m *miscount) Error() string {
	return fmt.Sprintf("region %q, event %d: %s", m.region, m.event, m.why)
}

// A count tells for each event which regions match it, by their Match and nothing of core's. Events at
// one point are matched once.
type count struct {
	points  []region.Point
	at      []uint32 // the point of each event
	sizes   []int    // how many events each point has
	ordered bool     // one goroutine broadcast
}

func newCount(events []*core.Envelope, ordered bool) *count {
	c := &count{at: make([]uint32, len(events)), ordered: ordered}
	numbers := make(map[region.Point]uint32)
	for i, e := range events {
		p := e.Point()
		p.Sequence = 0
		n, ok := numbers[p]
		if !ok {
			n = uint32(len(c.points))
			numbers[p] = n
			c.points = append(c.points, p)
			c.sizes = append(c.sizes, 0)
		}
		c.at[i] = n
		c.sizes[n]++
	}
	return c
}

// all returns the tally of each reader, and the first miscount; nil where everything is conserved.
func (c *count) all(readers []*reader) ([]tally, *miscount) {
	tallies := make([]tally, len(readers))
	wrongs := make([]*miscount, len(readers))
	// next is the first reader that nobody has taken; each goroutine that counts takes one by Add.
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			k := &counter{
				count:   c,
				matches: make([]bool, len(c.points)),
				given:   make([]bool, len(c.at)),
			}
			for i := int(next.Add(1)) - 1; i < len(readers); i = int(next.Add(1)) - 1 {
				tallies[i], wrongs[i] = k.one(readers[i])
			}
		})
	}
	wg.Wait()
	for _, w := range wrongs {
		if w != nil {
			return tallies, w
		}
	}
	return tallies, nil
}

// A counter counts one reader after the other.
type counter struct {
	*count
	matches []bool // whether the region matches a point
	given   []bool // whether the reader was given an event
}

// one counts a reader.
func (k *counter) one(r *reader) (tally, *miscount) {
	t := tally{received: len(r.received), held: len(r.held)}
	t.accepted = t.received + t.held
	for i, p := range k.points {
		k.matches[i] = r.region.Match(p)
		if k.matches[i] {
			t.matched += k.sizes[i]
		}
	}
	clear(k.given)
	if w := k.accepted(r); w != nil {
		return t, w
	}
	if r.pruned == nil && t.accepted == t.matched {
		return t, nil // so many that match, and no two the same, are all of them
	}
	return t, k.missed(r)
}

// accepted looks whether everything accepted was the region's, came once, and in order.
func (k *counter) accepted(r *reader) *miscount {
	last := -1
	for _, event := range slices.Concat(r.received, r.held) {
		switch {
		case int(event) >= len(k.at):
			return &miscount{r.region, event, "it was given out, and never broadcast"}
		case !k.matches[k.at[event]]:
			return &miscount{r.region, event, "it was given out, and the region does not match it"}
		case k.given[event]:
			return &miscount{r.region, event, "it was given out twice"}
		case k.ordered && int(event) < last:
			return &miscount{r.region, event, fmt.Sprintf("it was given out after event %d", last)}
		}
		k.given[event] = true
		last = int(event)
	}
	return nil
}

// missed looks whether everything else that matched was missed as the subscription's end says. Where several
// goroutines broadcast, one may come with an earlier event when the subscription is over already, and what
// it accepted need be no run.
func (k *counter) missed(r *reader) *miscount {
	first := uint64(len(k.at))
	if p := r.pruned; p != nil {
		first = p.Missed
		switch {
		case !p.HasMissed:
			return &miscount{r.region, 0, "the subscription was pruned, and its error does not say what it missed first"}
		case first >= uint64(len(k.at)) || !k.matches[k.at[first]]:
			return &miscount{r.region, uint32(first), "it is said to be missed first, and the region does not match it"}
		case k.given[first]:
			return &miscount{r.region, uint32(first), "it is said to be missed first, and was given out"}
		}
	}
	for event, at := range k.at {
		switch {
		case !k.matches[at]:
		case uint64(event) < first && !k.given[event] && (k.ordered || r.pruned == nil):
			return &miscount{r.region, uint32(event), "it matches, and was neither given out nor said to be missed"}
		case uint64(event) > first && k.given[event] && k.ordered:
			return &miscount{r.region, uint32(event), fmt.Sprintf("it was given out after event %d was missed", first)}
		}
	}
	return nil
}
