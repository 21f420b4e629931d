package bench

import (
	"context"
	"fmt"

	"github.com/spillwayhq/spillway/adapters/ring"
	"github.com/spillwayhq/spillway/region"
)

// itself is the sequence of an event that is nothing else.
func itself(v uint64) uint64 { return v }

// ringRows are P2: broadcasting to N rings, against offering to N channels.
func ringRows() []Row {
	const capacity = 16 // as for P1: both sides' buffers stay in the inner caches
	var rows []Row
	for _, c := range []struct {
		subs     int
		floor    float64
		decision string
	}{{100, 0.52, "0006"}, {1000, 0.55, "0006"}} {
		subs := c.subs
		rows = append(rows, Row{
			ID: "P2", Case: "subs=" + short(subs), Work: fmt.Sprintf("broadcast of a number to %s rings", short(subs)), Against: "rawoffer", Unit: "ns",
			Target: 0.45, Stretch: 0.35, Floor: c.floor, Decision: c.decision, Deliveries: subs, Version: 1, Quick: true, NoAllocs: true,
			Open: func(h Host) Sides {
				events := make([]uint64, capacity)
				for i := range events {
					events[i] = uint64(i)
				}
				f := newSmall(h)
				rings := make([]*ring.Subscription[uint64], subs)
				for i := range rings {
					s, err := ring.Subscribe(context.Background(), f, region.Region{}, ring.Options{Capacity: capacity})
					if err != nil {
						h.Fatalf("ring %d: %v", i, err)
					}
					rings[i] = s
				}
				raw := NewRawOffer[uint64](subs, capacity)
				outs := raw.Outputs()
				return Sides{
					Subject: Broadcasts[uint64]{
						Name: "spillway", Events: events, Sequence: itself, Block: capacity, Readers: subs,
						Send:  broadcasting(f),
						Drain: drainRings(rings),
					}.Section(),
					Baseline: Broadcasts[uint64]{
						Name: "rawoffer", Events: events, Sequence: itself, Block: capacity, Readers: subs,
						Send:  offering(raw, subs),
						Drain: func([]uint64) (int, uint64) { return Drain(outs, itself) },
					}.Section(),
				}
			},
		})
	}
	return rows
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
