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

	first *uint64 // the first event that was missed; nil where none was
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
	begins  []bool   // with which events a run begins that one goroutine broadcast, in order
	ordered bool     // one goroutine broadcast them all
}

// newCount returns the count of events; begins is nil where one goroutine broadcast them all.
func newCount(events []*core.Envelope, begins []bool) *count {
	c := &count{at: make([]uint32, len(events)), begins: begins, ordered: begins == nil}
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
	t := tally{received: len(r.received), held: len(r.held), lost: r.lost}
	t.accepted = t.received + t.held + t.lost
	for i, p := range k.points {
		k.matches[i] = r.region.Match(p)
		if k.matches[i] {
			t.matched += k.sizes[i]
		}
	}
	for _, at := range k.at[:min(int(r.from), len(k.at))] { // which it was not there for
		if k.matches[at] {
			t.matched--
		}
	}
	clear(k.given)
	if w := k.accepted(r); w != nil {
		return t, w
	}
	switch {
	case r.pruned == nil && t.accepted == t.matched:
		// So many that match, and no two the same, are all of them, but for those that were lost.
		return t, k.newest(r)
	case r.adapter == "overwrite" || r.adapter == "latest":
		return t, &miscount{r.region, 0, fmt.Sprintf("%d events match, and %d were received, held or lost", t.matched, t.accepted)}
	}
	var w *miscount
	if p := r.pruned; r.adapter == "multicast" && p != nil {
		t.first, w = k.lapped(r)
	} else {
		if p != nil && p.HasMissed {
			t.first = &p.Missed
		}
		w = k.missed(r)
	}
	if w == nil {
		w = k.gap(r)
	}
	return t, w
}

// gap looks whether a subscription that was pruned was given the first events of each run that match, and no later one:
// whoever broadcast them found it live or over.
func (k *counter) gap(r *reader) *miscount {
	first := -1 // of the run, that was missed
	for event, at := range k.at {
		if !k.ordered && k.begins[event] {
			first = -1
		}
		switch {
		case !k.matches[at] || event < int(r.from):
		case !k.given[event]:
			if first < 0 {
				first = event
			}
		case first >= 0:
			return &miscount{r.region, uint32(event), fmt.Sprintf("it was given out after event %d was missed", first)}
		}
	}
	return nil
}

// newest looks whether what was lost was the older: a subscription that loses events has the newest of all, and one
// that keeps the latest by coordinate the newest of each.
func (k *counter) newest(r *reader) *miscount {
	if !k.ordered || r.lost == 0 {
		return nil
	}
	seen := make(map[region.Point]bool) // latest: the coordinates of later events
	for event, at := range slices.Backward(k.at) {
		switch {
		case !k.matches[at]:
		case r.adapter == "latest":
			p := region.Point{Entity: k.points[at].Entity, Scope: k.points[at].Scope}
			if !seen[p] && !k.given[event] {
				return &miscount{r.region, uint32(event), "it is the latest of its coordinate, and was not given out"}
			}
			seen[p] = true
		case k.given[event]:
			return nil
		default:
			return &miscount{r.region, uint32(event), "it is the newest, and was lost"}
		}
	}
	return nil
}

// lapped looks whether a multicast reader that was lapped missed some event, and its end says no later one. It returns
// the first that it missed. Where several goroutines broadcast, one may come with an earlier event when
// the reader is over already.
func (k *counter) lapped(r *reader) (first *uint64, _ *miscount) {
	for event, at := range k.at {
		if k.matches[at] && !k.given[event] && event >= int(r.from) {
			missed := uint64(event)
			first = &missed
			break
		}
	}
	switch p := r.pruned; {
	case first == nil:
		return nil, &miscount{r.region, 0, "the subscription was lapped, and missed nothing"}
	case !p.HasMissed:
		return first, &miscount{r.region, 0, "the subscription was lapped, and its error does not say what it missed first"}
	case k.ordered && p.Missed > *first:
		return first, &miscount{r.region, uint32(*first), fmt.Sprintf("it was missed, and event %d is said to be missed first", p.Missed)}
	}
	return first, nil
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
		case k.ordered && r.adapter != "latest" && int(event) < last:
			return &miscount{r.region, event, fmt.Sprintf("it was given out after event %d", last)}
		}
		k.given[event] = true
		last = int(event)
	}
	return nil
}

// missed looks whether everything else that matched was missed as the subscription's end says. Where several
// goroutines broadcast, one may come with an earlier event when the subscription is over already.
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
		if k.matches[at] && r.from <= uint32(event) && uint64(event) < first && !k.given[event] && (k.ordered || r.pruned == nil) {
			return &miscount{r.region, uint32(event), "it matches, and was neither given out nor said to be missed"}
		}
	}
	return nil
}
