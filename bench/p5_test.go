package bench_test

import (
	"fmt"
	"testing"

	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/region"
)

// selectBlock is how many different entities a round visits, where there are so many.
const selectBlock = 8192

// P5: what does it cost to find the one of N that an event concerns, against a Go map that is asked the same?
func BenchmarkP5(b *testing.B) {
	for _, n := range []int{1_000, 100_000, 1_000_000} {
		b.Run("subs="+short(n), func(b *testing.B) {
			w := newWorkload(b, 0, n)
			f := newFanout(b)
			block := min(n, selectBlock)
			bench.Compare(b, 2.0, selecting(b, "spillway", w, f, block), mapOffers(b, w, block))
		})
	}
}

// P5l: the same, against the design that tests every region.
func BenchmarkP5l(b *testing.B) {
	const block = 64 // a block of 100k tests each takes long enough
	for _, n := range []int{1_000, 100_000} {
		b.Run("subs="+short(n), func(b *testing.B) {
			w := newWorkload(b, 0, n)
			f := newFanout(b)
			target := 1.0 / 500
			if n < 100_000 {
				target = 1 // the row asks at 100k; fewer are printed beside
			}
			l := bench.NewLinear(notification.Point)
			outs := make([]<-chan notification, n)
			for i := range outs {
				outs[i] = l.Subscribe(w.Region(i), 1)
			}
			bench.Compare(b, target, selecting(b, "spillway", w, f, block), broadcasts{
				Name: "linear", Events: w.Events, Sequence: sequence, Block: block, Readers: 1,
				Send: func(events []notification) (accepted, refused int) {
					for i := range events {
						o := l.Broadcast(events[i])
						accepted += o.Accepted
						refused += o.Pruned
					}
					return accepted, refused
				},
				Drain: drainOwn(w, outs),
			}.Section())
		})
	}
}

// P5m: what do regions of other shapes cost that never match, against none of them?
func BenchmarkP5m(b *testing.B) {
	const n, others = 1_000_000, 1_000
	w := newWorkload(b, 0, n)
	plain, mixed := newFanout(b), newFanout(b)
	subject, baseline := selecting(b, "spillway", w, mixed, selectBlock), selecting(b, "plain", w, plain, selectBlock)
	for _, shape := range otherShapes(w.Kind) {
		subscribe(b, mixed, others, 1, shape)
	}
	bench.Compare(b, 2.0, subject, baseline)
}

// P6: what do a million add that an event does not concern, against none of them?
func BenchmarkP6(b *testing.B) {
	const n, readers, capacity = 1_000_000, 10, 1024
	strangers := newWorkload(b, n, 1<<16) // more would push the million out of the cache by themselves
	crowded, empty := newFanout(b), newFanout(b)
	subscribe(b, crowded, n, 1, newWorkload(b, 0, n).Region)
	side := func(name string, f *fanout) bench.Section {
		return broadcasts{
			Name: name, Events: strangers.Events, Sequence: sequence, Block: capacity, Readers: readers,
			Send:  spillway(f),
			Drain: drainAll(subscribe(b, f, readers, capacity, everything)),
		}.Section()
	}
	bench.Compare(b, 1.25, side("spillway", crowded), side("none", empty))
}

// selecting subscribes a channel to each entity of w and returns the side of f that broadcasts the events of w.
func selecting(tb testing.TB, name string, w *bench.Workload, f *fanout, block int) bench.Section {
	return rehearsed(tb, broadcasts{
		Name: name, Events: w.Events, Sequence: sequence, Block: block, Readers: 1,
		Send:  spillway(f),
		Drain: drainOwn(w, subscribe(tb, f, len(w.Entities), 1, w.Region)),
	})
}

// mapOffers returns the side of a MapOffer to the same entities.
func mapOffers(tb testing.TB, w *bench.Workload, block int) bench.Section {
	keys := w.Keys()
	m := bench.NewMapOffer(keys, 1)
	outs := make([]<-chan notification, len(keys))
	for i, k := range keys {
		outs[i] = m.Output(k)
	}
	return rehearsed(tb, broadcasts{
		Name: "mapoffer", Events: w.Events, Sequence: sequence, Block: block, Readers: 1,
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
func rehearsed(tb testing.TB, s broadcasts) bench.Section {
	if err := s.Rehearse(); err != nil {
		tb.Fatal(err)
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
