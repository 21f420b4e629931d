package bench_test

import (
	"testing"

	"github.com/spillwayhq/spillway/bench"
)

// P3: what does a broadcast cost that a hundred thousand read, against one that one reads? All are parked, or still on
// their way to it, when a block of 64 begins, and none is lapped: each gets all.
func BenchmarkP3(b *testing.B) {
	const block, capacity = 64, 1024
	for _, readers := range []int{1_000, 100_000} {
		b.Run("readers="+short(readers), func(b *testing.B) {
			bench.Compare(
				b, 1.5,
				throughMulticast(b, "spillway", small, readers, capacity, block).writing(),
				throughMulticast(b, "one", small, 1, capacity, block).writing(),
			)
		})
	}
}
