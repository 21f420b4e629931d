package bench_test

import (
	"testing"

	"github.com/spillwayhq/spillway/bench"
)

// streamed is how many events a thousand readers get in a round, and as many has the ring room for.
const streamed = 8192

// rawCapacity is the best of 8, 32, 128 and 512 for a thousand channels that are sent every event.
const rawCapacity = 128

// P4: what does a delivery to one of a thousand readers cost, from the broadcast until it was checked, against a
// channel and a goroutine for each?
func BenchmarkP4(b *testing.B) {
	const readers = 1_000
	bench.Compare(
		b, 1.0/40,
		throughMulticast(b, "spillway", small, readers, streamed, streamed).whole(readers),
		throughChannels(b, "rawfanout", small, readers, rawCapacity, streamed/8).whole(readers),
	)
}

// P4n: the same with 120 bytes an event; against channels of pointers, an allocation an event, it is printed beside.
func BenchmarkP4n(b *testing.B) {
	const readers = 1_000
	b.Run("against=value", func(b *testing.B) {
		bench.Compare(
			b, 1.0/20,
			throughMulticast(b, "spillway", large, readers, streamed, streamed).whole(readers),
			throughChannels(b, "rawfanout", large, readers, rawCapacity, streamed/8).whole(readers),
		)
	})
	b.Run("against=pointer", func(b *testing.B) {
		bench.Compare(
			b, 1, // no target
			throughMulticast(b, "spillway", large, readers, streamed, streamed).whole(readers),
			throughChannels(b, "pointers", pointed, readers, rawCapacity, streamed/8).whole(readers),
		)
	})
}
