package bench

import (
	"fmt"

	"github.com/spillwayhq/spillway/core"
)

// A sized is an event that is as large as P makes it.
type sized[P any] struct {
	sequence uint64
	_        P
}

func (s sized[P]) number() uint64 { return s.sequence }

// sizes are the payloads of the curves, in bytes with their sequence.
var sizes = []struct {
	bytes               int
	channels, multicast func(h Host, bytes int) Sides
}{
	{16, channelsOf[[8]byte], multicastOf[[8]byte]},
	{64, channelsOf[[56]byte], multicastOf[[56]byte]},
	{256, channelsOf[[248]byte], multicastOf[[248]byte]},
	{1024, channelsOf[[1016]byte], multicastOf[[1016]byte]},
	{4096, channelsOf[[4088]byte], multicastOf[[4088]byte]},
}

// sizedReaders is how many get each event.
const sizedReaders = 100

// payloadCurve is P1 to a hundred channels, with events of 16 bytes to 4 KiB.
func payloadCurve() Curve {
	c := Curve{
		ID: "payload", Title: "A broadcast to 100 channels, by the size of events", X: "bytes of an event", Unit: PerDelivery,
		Note: "Events are copied whole into each channel, on both sides.",
	}
	for _, s := range sizes {
		c.Points = append(c.Points, point(c.ID, fmt.Sprintf("bytes=%d", s.bytes), s.bytes, sizedReaders, "rawoffer", func(h Host) Sides {
			return s.channels(h, s.bytes)
		}))
	}
	return c
}

// multicastCurve is P4 with a hundred readers, with events of 16 bytes to 4 KiB.
func multicastCurve() Curve {
	c := Curve{
		ID: "multicast", Title: "End to end to 100 multicast readers, by the size of events", X: "bytes of an event", Unit: PerDelivery,
		Note: "From the broadcast until every reader has checked every event; the baseline has a channel and a goroutine for each.",
	}
	for _, s := range sizes {
		c.Points = append(c.Points, point(c.ID, fmt.Sprintf("bytes=%d", s.bytes), s.bytes, 1, "rawfanout", func(h Host) Sides {
			return s.multicast(h, s.bytes)
		}))
	}
	return c
}

func channelsOf[P any](h Host, _ int) Sides {
	const capacity = 16
	events := make([]sized[P], capacity)
	for i := range events {
		events[i].sequence = uint64(i)
	}
	f := closing(h, core.New(core.Config[sized[P]]{Name: "bench"}))
	raw := NewRawOffer[sized[P]](sizedReaders, capacity)
	side := func(name string, send func([]sized[P]) (int, int), outs []<-chan sized[P]) Section {
		return Broadcasts[sized[P]]{
			Name: name, Events: events, Sequence: sized[P].number, Block: capacity, Readers: sizedReaders,
			Send:  send,
			Drain: func([]sized[P]) (int, uint64) { return Drain(outs, sized[P].number) },
		}.Section()
	}
	return Sides{
		Subject:  side("spillway", broadcasting(f), subscribeAs(h, f, sizedReaders, capacity)),
		Baseline: side("rawoffer", offering(raw, sizedReaders), raw.Outputs()),
	}
}

func multicastOf[P any](h Host, bytes int) Sides {
	// A reader's batch takes 16 KiB at most, which fits the innermost cache, and a channel's buffer 64: more of a hundred readers
	// would fit none.
	const block, batchRoom, room = 1024, 16 << 10, 64 << 10
	of := payload[sized[P]]{
		config: core.Config[sized[P]]{Name: "bench", SingleWriter: true},
		number: func(v *sized[P], sequence uint64) { v.sequence = sequence },
		tally: func(vs []sized[P]) (sum uint64) {
			for i := range vs {
				sum += vs[i].sequence
			}
			return sum
		},
		reading: func(in <-chan sized[P], got func(n int, sum uint64)) {
			for v := range in {
				got(1, v.sequence)
			}
		},
		crowded: min(batch, batchRoom/bytes),
	}
	return Sides{
		Subject:  throughMulticast(h, "spillway", of, sizedReaders, block, block).whole(sizedReaders),
		Baseline: throughChannels(h, "rawfanout", of, sizedReaders, min(block, room/bytes), block).whole(sizedReaders),
	}
}
