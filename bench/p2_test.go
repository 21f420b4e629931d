package bench_test

import (
	"context"
	"testing"

	"github.com/spillwayhq/spillway/adapters/ring"
	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// itself is the sequence of an event that is nothing else.
func itself(v uint64) uint64 { return v }

// P2: what does a broadcast to N rings cost, against offering to N channels?
func BenchmarkP2(b *testing.B) {
	const capacity = 16 // as for P1: both sides' buffers stay in the inner caches
	for _, subs := range []int{100, 1000} {
		b.Run("subs="+short(subs), func(b *testing.B) {
			events := make([]uint64, capacity)
			for i := range events {
				events[i] = uint64(i)
			}
			f := core.New(small.config)
			b.Cleanup(func() { _ = f.Close() })
			rings := make([]*ring.Subscription[uint64], subs)
			for i := range rings {
				s, err := ring.Subscribe(context.Background(), f, region.Region{}, ring.Options{Capacity: capacity})
				if err != nil {
					b.Fatal(err)
				}
				rings[i] = s
			}
			raw := bench.NewRawOffer[uint64](subs, capacity)
			outs := raw.Outputs()
			bench.Compare(
				b, 0.45,
				bench.Broadcasts[uint64]{
					Name: "spillway", Events: events, Sequence: itself, Block: capacity, Readers: subs,
					Send: func(events []uint64) (accepted, refused int) {
						for _, v := range events {
							o := f.Broadcast(v)
							accepted += o.Accepted
							refused += o.Pruned
						}
						return accepted, refused
					},
					Drain: drainRings(rings),
				}.Section(),
				bench.Broadcasts[uint64]{
					Name: "rawoffer", Events: events, Sequence: itself, Block: capacity, Readers: subs,
					Send: func(events []uint64) (accepted, refused int) {
						for i := range events {
							accepted += raw.Offer(&events[i])
						}
						return accepted, len(events)*subs - accepted
					},
					Drain: func([]uint64) (int, uint64) { return bench.Drain(outs, itself) },
				}.Section(),
			)
		})
	}
}

// drainRings returns the Drain of rings that get every event.
func drainRings(rings []*ring.Subscription[uint64]) func([]uint64) (count int, sum uint64) {
	dst := make([]uint64, batch)
	return func([]uint64) (count int, sum uint64) {
		for _, s := range rings {
			for s.Len() > 0 {
				n, err := s.NextBatch(context.Background(), dst)
				if err != nil {
					return count, sum
				}
				count += n
				sum += small.tally(dst[:n])
			}
		}
		return count, sum
	}
}
