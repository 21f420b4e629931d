package channel

import (
	"testing"

	"github.com/spillwayhq/spillway/adapters/sinktest"
)

// TestKit: the channel keeps every clause of a sink.
func TestKit(t *testing.T) {
	for _, capacity := range []int{1, 2, 3, 8} {
		sinktest.Run(t, func() sinktest.Subject {
			s := make(sink[int], capacity)
			received := func() (got []int) {
				for range len(s) {
					got = append(got, <-s)
				}
				return got
			}
			return sinktest.Subject{Sink: s, Capacity: capacity, Received: received}
		})
	}
}
