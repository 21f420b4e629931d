package bench

import (
	"fmt"
	"slices"
)

// A Curve shows how a figure grows with something: a row at each of several points, each with its baseline in turns.
type Curve struct {
	ID    string
	Title string // what is measured
	X     string // what grows
	Unit  Unit
	Note  string // what has to be known of the workload

	Points []Point
}

// A Point is the row of a Curve at one place of its x axis. It has no target.
type Point struct {
	X   float64
	Row Row
}

// A Unit is what the figures of a Curve are in.
type Unit string

// The units of Curves.
const (
	PerDelivery Unit = "ns/delivery"
	PerSecond   Unit = "deliveries/s"
)

// Of returns a figure of the row, or each end of a Span, in the unit.
func (u Unit) Of(r Row, figure float64) float64 {
	if u == PerSecond {
		return 1e9 / r.PerDelivery(figure)
	}
	return r.PerDelivery(figure)
}

// Curves returns all of them.
func Curves() []Curve {
	return []Curve{selectingCurve(), channelsCurve(), writersCurve(), payloadCurve(), multicastCurve(), depthCurve()}
}

// PointsOf returns the points of the curve of this ID, or the one of a row's name.
func PointsOf(name string) ([]Point, error) {
	var found []Point
	for _, c := range Curves() {
		for _, p := range c.Points {
			if c.ID == name || p.Row.Name() == name {
				found = append(found, p)
			}
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("there is no curve or point %q", name)
	}
	return found, nil
}

// point returns the Point of a curve's row at x, which is called by name: subs=1k.
func point(curve, name string, x, deliveries int, against string, open func(h Host) Sides) Point {
	return Point{float64(x), Row{
		ID: curve, Case: name, Work: curve + " at " + name, Against: against, Unit: "ns", Deliveries: deliveries, Version: 1, Open: open,
	}}
}

// selectingCurve is P5 from one subscription to a million, with the linear design beside.
func selectingCurve() Curve {
	c := Curve{
		ID: "select", Title: "A broadcast that concerns one of N subscriptions", X: "subscriptions", Unit: PerDelivery,
		Note: "Every subscription is to an entity of its own; events visit them in scattered order.",
	}
	for _, n := range []int{1, 10, 100, 1_000, 10_000, 100_000, 1_000_000} {
		c.Points = append(c.Points, point(c.ID, "subs="+short(n), n, 1, "mapoffer", func(h Host) Sides {
			w := newWorkload(h, 0, n)
			block, repeat := min(n, selectBlock), max(1, 1_000/n)
			tests := min(n, max(8, 1_000_000/n)) // a broadcast of a linear search among a million takes milliseconds
			return Sides{
				Subject:  selectingOften(h, "spillway", w, newFanout(h), block, repeat),
				Baseline: mapOffers(h, w, block, repeat),
				Beside:   []Section{linears(w, min(block, tests), repeat)},
			}
		}))
	}
	return c
}

// channelsCurve is P1 from one subscription to a million.
func channelsCurve() Curve {
	c := Curve{
		ID: "channels", Title: "A broadcast to N channels", X: "subscriptions", Unit: PerDelivery,
		Note: "Every subscription gets every event. Above 1,000 the buffers no longer fit the caches, on either side.",
	}
	for _, s := range []struct{ subs, capacity int }{
		{1, 64}, {10, 64}, {100, 16}, {1_000, 16}, {10_000, 16}, {100_000, 4}, {1_000_000, 1},
	} {
		c.Points = append(c.Points, point(c.ID, "subs="+short(s.subs), s.subs, s.subs, "rawoffer", func(h Host) Sides {
			return toChannels(h, s.subs, s.capacity)
		}))
	}
	return c
}

// writersCurve has one to eight goroutines broadcast.
func writersCurve() Curve {
	const readers, block = 10, 8192
	c := Curve{
		ID: "writers", Title: "Broadcasts from N goroutines to ten channels", X: "writers", Unit: PerSecond,
		Note: "Of numbers, to the same ten channels. More writers than processors take turns.",
	}
	for _, writers := range []int{1, 2, 4, 8} {
		c.Points = append(c.Points, point(c.ID, fmt.Sprintf("writers=%d", writers), writers, readers, "linear", func(h Host) Sides {
			events := numbers(block)
			f, l := newShared(h), NewLinear[uint64](nil)
			linear := make([]<-chan uint64, readers)
			for i := range linear {
				linear[i] = l.Subscribe(everything(i), block)
			}
			side := func(name string, send func([]uint64) (int, int), outs []<-chan uint64) Section {
				return Broadcasts[uint64]{
					Name: name, Events: events, Sequence: itself, Block: block, Readers: readers,
					Send:  together(writers, send),
					Drain: func([]uint64) (int, uint64) { return Drain(outs, itself) },
				}.Section()
			}
			return Sides{
				Subject:  side("spillway", broadcasting(f), subscribeAs(h, f, readers, block)),
				Baseline: side("linear", linearly(l), linear),
			}
		}))
	}
	return c
}

// depthCurve is P5 of 10k entities whose names have one segment to thirty-two.
func depthCurve() Curve {
	const n = 10_000
	c := Curve{
		ID: "depth", Title: "A broadcast that concerns one of 10k, by the depth of regions", X: "segments of the entity's name", Unit: PerDelivery,
		Note: "Names become longer with their depth, nine bytes a segment; whoever compares or hashes them reads more.",
	}
	for _, depth := range []int{1, 2, 4, 8, 16, 32} {
		c.Points = append(c.Points, point(c.ID, fmt.Sprintf("depth=%d", depth), depth, 1, "mapoffer", func(h Host) Sides {
			w, err := workloadOf(seed, n, func(i int) string { return deepName(i, depth) })
			if err != nil {
				h.Fatalf("%v", err)
			}
			return Sides{Subject: selecting(h, "spillway", w, newFanout(h), selectBlock), Baseline: mapOffers(h, w, selectBlock, 1)}
		}))
	}
	return c
}

// numbers returns the events 0 to n-1.
func numbers(n int) []uint64 {
	return slices.Collect(func(yield func(uint64) bool) {
		for i := range uint64(n) {
			if !yield(i) {
				return
			}
		}
	})
}
