package bench

import (
	"fmt"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// selectBlock is how many different entities a round visits, where there are so many.
const selectBlock = 8192

// selectingRows are P5, P5l, P5m and P6: finding who is concerned among many who are not.
func selectingRows() []Row {
	var rows []Row
	for _, n := range []int{1_000, 100_000, 1_000_000} {
		rows = append(rows, Row{
			ID: "P5", Case: "subs=" + short(n), Work: fmt.Sprintf("broadcast to the one of %s that it concerns", short(n)), Against: "mapoffer", Unit: "ns",
			Target: 2.0, Stretch: 1.5, Deliveries: 1, Version: 1, Quick: n <= 100_000, NoAllocs: true,
			Open: func(h Host) Sides {
				w := newWorkload(h, 0, n)
				block := min(n, selectBlock)
				sides := Sides{Subject: selecting(h, "spillway", w, newFanout(h), block), Baseline: mapOffers(h, w, block, 1)}
				if n == 1_000 {
					own := closing(h, core.New(core.Config[notification]{Name: "bench", Locate: func(n notification) region.Point { return n.Point() }}))
					sides.Beside = []Section{selecting(h, "own-locate", w, own, block)}
				}
				return sides
			},
		})
	}
	return append(
		rows,
		Row{
			ID: "P5l", Work: "the same of 100k", Against: "linear", Unit: "ns",
			Target: 1.0 / 500, Stretch: 1.0 / 1000, Deliveries: 1, Version: 1, Quick: true, NoAllocs: true,
			Open: openLinear,
		},
		Row{
			ID: "P5m", Work: "P5 of 1M, seven other shapes in use", Against: "plain", Unit: "ns",
			Target: 2.0, Stretch: 1.5, Deliveries: 1, Version: 1, NoAllocs: true,
			Open: func(h Host) Sides {
				const n, others = 1_000_000, 1_000
				w := newWorkload(h, 0, n)
				plain, mixed := newFanout(h), newFanout(h)
				sides := Sides{Subject: selecting(h, "spillway", w, mixed, selectBlock), Baseline: selecting(h, "plain", w, plain, selectBlock)}
				for _, shape := range otherShapes(w.Kind) {
					subscribe(h, mixed, others, 1, shape)
				}
				return sides
			},
		},
		Row{
			ID: "P6", Work: "broadcast to ten among 1M that it doesn't concern", Against: "none", Unit: "ns",
			Target: 1.25, Stretch: 1.10, Floor: 1.35, Decision: "0006", Deliveries: 10, Version: 1, NoAllocs: true,
			Open: func(h Host) Sides {
				const n, readers, capacity = 1_000_000, 10, 1024
				strangers := newWorkload(h, n, 1<<16) // more would push the million out of the cache by themselves
				crowded, empty := newFanout(h), newFanout(h)
				subscribe(h, crowded, n, 1, newWorkload(h, 0, n).Region)
				side := func(name string, f *fanout) Section {
					return broadcasts{
						Name: name, Events: strangers.Events, Sequence: sequence, Block: capacity, Readers: readers,
						Send:  broadcasting(f),
						Drain: drainAll(subscribe(h, f, readers, capacity, everything)),
					}.Section()
				}
				return Sides{Subject: side("spillway", crowded), Baseline: side("none", empty)}
			},
		},
	)
}

// openLinear compares with the design that tests every region.
func openLinear(h Host) Sides {
	const n, block = 100_000, 64 // a block of 100k tests each takes long enough
	w := newWorkload(h, 0, n)
	return Sides{Subject: selecting(h, "spillway", w, newFanout(h), block), Baseline: linears(w, block, 1)}
}

// linears returns the side of a Linear with a channel for each entity of w.
func linears(w *Workload, block, repeat int) Section {
	l := NewLinear(notification.Point)
	outs := make([]<-chan notification, len(w.Entities))
	for i := range outs {
		outs[i] = l.Subscribe(w.Region(i), repeat)
	}
	return broadcasts{
		Name: "linear", Events: w.Events, Sequence: sequence, Block: block, Readers: 1, Repeat: repeat,
		Send: linearly(l), Drain: drainOwn(w, outs),
	}.Section()
}

// selecting subscribes a channel to each entity of w and returns the side of f that broadcasts the events of w.
func selecting(h Host, name string, w *Workload, f *fanout, block int) Section {
	return selectingOften(h, name, w, f, block, 1)
}

// selectingOften does it so often with each block.
func selectingOften(h Host, name string, w *Workload, f *fanout, block, repeat int) Section {
	return rehearsed(h, broadcasts{
		Name: name, Events: w.Events, Sequence: sequence, Block: block, Readers: 1, Repeat: repeat,
		Send:  broadcasting(f),
		Drain: drainOwn(w, subscribe(h, f, len(w.Entities), repeat, w.Region)),
	})
}

// mapOffers returns the side of a MapOffer to the same entities.
func mapOffers(h Host, w *Workload, block, repeat int) Section {
	keys := w.Keys()
	m := NewMapOffer(keys, repeat)
	outs := make([]<-chan notification, len(keys))
	for i, k := range keys {
		outs[i] = m.Output(k)
	}
	return rehearsed(h, broadcasts{
		Name: "mapoffer", Events: w.Events, Sequence: sequence, Block: block, Readers: 1, Repeat: repeat,
		Send: func(events []notification) (accepted, refused int) {
			for i := range events {
				if m.Offer(&events[i]) {
					accepted++
				}
			}
			return accepted, len(events) - accepted
		},
		Drain: drainOwn(w, outs),
	})
}

// rehearsed returns the Section of s after it has been rehearsed.
func rehearsed(h Host, s broadcasts) Section {
	if err := s.Rehearse(); err != nil {
		h.Fatalf("%v", err)
	}
	return s.Section()
}

// otherShapes returns seven ways to ask for what no event of a Workload is, each another table to look in.
func otherShapes(kind region.Kind) []func(i int) region.Region {
	only := region.OneKind(kind)
	return []func(i int) region.Region{
		func(i int) region.Region { return region.Region{Entity: fmt.Sprintf("stranger-%d", i), Kind: only} },
		func(i int) region.Region {
			return region.Region{Entity: fmt.Sprintf("stranger-%d:order", i), Kind: only}
		},
		func(i int) region.Region { return region.Region{Scope: fmt.Sprintf("elsewhere-%d", i), Kind: only} },
		func(i int) region.Region { return region.Region{Lane: region.OneLane(uint32(i) + 1), Kind: only} },
		func(i int) region.Region {
			return region.Region{Scope: fmt.Sprintf("elsewhere-%d", i), Lane: region.OneLane(0), Kind: only}
		},
		func(i int) region.Region {
			return region.Region{Entity: fmt.Sprintf("stranger-%d:order:0", i), Kind: region.InCategory(kind.Category())}
		},
		func(i int) region.Region { return region.Region{Entity: fmt.Sprintf("stranger-%d:order:0", i)} },
	}
}
