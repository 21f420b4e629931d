package bench

import "fmt"

// channelRows are P1 and P1z: broadcasting to channels, against offering to as many in a loop.
func channelRows() []Row {
	var rows []Row
	for _, c := range []struct {
		subs, capacity  int
		target, stretch float64
		floor           float64
		decision        string
	}{
		// Capacities keep the buffers of both sides in the inner caches where they can: where every send
		// waits for memory, every ratio is close to 1.
		{1, 64, 2.0, 1.5, 0, ""},
		{10, 64, 1.25, 1.10, 0, ""},
		{100, 16, 1.10, 1.04, 1.16, "0006"},
		{1000, 16, 1.08, 1.03, 0, ""},
	} {
		rows = append(rows, Row{
			ID: "P1", Case: "subs=" + short(c.subs), Work: fmt.Sprintf("broadcast to %s channels", short(c.subs)), Against: "rawoffer", Unit: "ns",
			Target: c.target, Stretch: c.stretch, Floor: c.floor, Decision: c.decision, Deliveries: c.subs, Version: 1, Quick: true, NoAllocs: true,
			Open: func(h Host) Sides { return toChannels(h, c.subs, c.capacity) },
		})
	}
	return append(rows, Row{
		ID: "P1z", Work: "broadcast to nobody", Against: "rawoffer", Unit: "ns",
		Target: 0.40, Stretch: 0.20, Version: 1, Quick: true, NoAllocs: true,
		Open: func(h Host) Sides {
			const capacity = 64
			w := newWorkload(h, 0, capacity)
			return Sides{
				Subject: broadcasts{
					Name: "spillway", Events: w.Events, Sequence: sequence, Block: capacity, Repeat: 8,
					Send:  broadcasting(newFanout(h)),
					Drain: drainAll(nil),
				}.Section(),
				Baseline: rawOffers(w.Events, capacity, 1),
			}
		},
	})
}

// toChannels compares a Fanout to n channels with a RawOffer to as many.
func toChannels(h Host, n, capacity int) Sides {
	w := newWorkload(h, 0, capacity)
	f := newFanout(h)
	return Sides{
		Subject: broadcasts{
			Name: "spillway", Events: w.Events, Sequence: sequence, Block: capacity, Readers: n,
			Send:  broadcasting(f),
			Drain: drainAll(subscribe(h, f, n, capacity, everything)),
		}.Section(),
		Baseline: rawOffers(w.Events, capacity, n),
	}
}

// rawOffers returns the side of a RawOffer to n channels.
func rawOffers(events []notification, block, n int) Section {
	raw := NewRawOffer[notification](n, block)
	return broadcasts{
		Name: "rawoffer", Events: events, Sequence: sequence, Block: block, Readers: n,
		Send:  offering(raw, n),
		Drain: drainAll(raw.Outputs()),
	}.Section()
}
