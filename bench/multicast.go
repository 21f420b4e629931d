package bench

import "fmt"

const (
	// streamed is how many events a thousand readers get in a round, and as many has the ring room for.
	streamed = 8192

	// rawBlock is how many they get by channels.
	rawBlock = streamed / 8

	// rawCapacity is the best of 4, 8, 32, 128, 512 and 1,024 for a thousand channels that are sent every event: with
	// less the writer waits for whoever has not been scheduled, and a delivery of an event takes 50 to 150 ns and not 40.
	rawCapacity = rawBlock
)

// multicastRows are P3, the writer's own time however many read; and P4 and P4n, a delivery to one of a thousand from the
// broadcast until it was checked, against a channel and a goroutine for each. Where a thousand goroutines wait the runtime now
// and then makes a record of one: that these allocate nothing themselves is P8's to say.
func multicastRows() []Row {
	var rows []Row
	for _, c := range []struct {
		readers int
		floor   float64
	}{{1_000, 2.2}, {100_000, 5}} {
		// All are parked, or still on their way to it, when a block of 64 begins, and none is lapped: each gets all. The sides do not
		// take turns block by block: one Reader's would be measured in what a hundred thousand have left of the caches.
		const block, blocks, capacity = 64, 31, 1024
		rows = append(rows, Row{
			ID: "P3", Case: "readers=" + short(c.readers), Work: fmt.Sprintf("the writer's time, %s multicast readers", short(c.readers)), Against: "one", Unit: "ns",
			Target: 1.5, Stretch: 1.2, Floor: c.floor, Decision: "0006", Version: 2, Quick: c.readers == 1_000,
			Open: func(h Host) Sides {
				many, one := throughMulticast(h, "spillway", small, c.readers, capacity, block), throughMulticast(h, "one", small, 1, capacity, block)
				return Sides{
					Subject: many.writing("spillway", blocks, 0), Baseline: one.writing("one", blocks, 0),
					Beside: []Section{many.writing("after-the-first", blocks, 1), one.writing("one-after-the-first", blocks, 1)},
				}
			},
		})
	}
	const readers = 1_000
	return append(
		rows,
		Row{
			ID: "P4", Work: "delivery of a number to one of 1k multicast readers", Against: "rawfanout", Unit: "ns/delivery",
			Target: 1.0 / 40, Stretch: 1.0 / 70, Deliveries: 1, Version: 1, Quick: true,
			Open: func(h Host) Sides {
				return Sides{
					Subject:  throughMulticast(h, "spillway", small, readers, streamed, streamed).whole(readers),
					Baseline: throughChannels(h, "rawfanout", small, readers, rawCapacity, rawBlock).whole(readers),
				}
			},
		},
		Row{
			ID: "P4n", Work: "delivery of an event to one of 1k multicast readers", Against: "rawfanout", Unit: "ns/delivery",
			Target: 1.0 / 20, Stretch: 1.0 / 40, Deliveries: 1, Version: 2, Quick: true,
			Open: func(h Host) Sides {
				return Sides{
					Subject:  throughMulticast(h, "spillway", large, readers, streamed, streamed).whole(readers),
					Baseline: throughChannels(h, "rawfanout", large, readers, rawCapacity, rawBlock).whole(readers),
					Beside:   []Section{throughChannels(h, "pointers", pointed, readers, rawCapacity, rawBlock).whole(readers)},
				}
			},
		},
	)
}
