package bench_test

import (
	"testing"

	"github.com/spillwayhq/spillway/bench"
)

// P1: what does a broadcast to N channels cost, against offering to N channels and nothing else?
func BenchmarkP1(b *testing.B) {
	rows := []struct {
		subs, capacity int
		target         float64
	}{
		// Capacities keep the buffers of both sides in the inner caches where they can: where every send
		// waits for memory, every ratio is close to 1.
		{1, 64, 2.0},
		{10, 64, 1.25},
		{100, 16, 1.10},
		{1000, 16, 1.08},
	}
	for _, row := range rows {
		b.Run("subs="+short(row.subs), func(b *testing.B) {
			w := newWorkload(b, 0, row.capacity)
			f := newFanout(b)
			raw := bench.NewRawOffer[notification](row.subs, row.capacity)
			bench.Compare(
				b, row.target,
				broadcasts{
					Name: "spillway", Events: w.Events, Sequence: sequence, Block: row.capacity, Readers: row.subs,
					Send:  spillway(f),
					Drain: drainAll(subscribe(b, f, row.subs, row.capacity, everything)),
				}.Section(),
				rawOffers(raw, w.Events, row.capacity, row.subs),
			)
		})
	}
}

// P1z: what does a broadcast cost that nobody listens to, against one raw offer?
func BenchmarkP1z(b *testing.B) {
	const capacity = 64
	w := newWorkload(b, 0, capacity)
	bench.Compare(
		b, 0.40,
		broadcasts{
			Name: "spillway", Events: w.Events, Sequence: sequence, Block: capacity, Repeat: 8,
			Send:  spillway(newFanout(b)),
			Drain: drainAll(nil),
		}.Section(),
		rawOffers(bench.NewRawOffer[notification](1, capacity), w.Events, capacity, 1),
	)
}

// rawOffers returns the side of a RawOffer to n channels.
func rawOffers(raw *bench.RawOffer[notification], events []notification, block, n int) bench.Section {
	return broadcasts{
		Name: "rawoffer", Events: events, Sequence: sequence, Block: block, Readers: n,
		Send: func(events []notification) (accepted, refused int) {
			for i := range events {
				accepted += raw.Offer(&events[i])
			}
			return accepted, len(events)*n - accepted
		},
		Drain: drainAll(raw.Outputs()),
	}.Section()
}
