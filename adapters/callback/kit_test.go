package callback

import (
	"context"
	"testing"

	"github.com/spillwayhq/spillway/adapters/sinktest"
)

// TestKit: the queue and its goroutine keep every clause of a sink. Here the goroutine runs when what it did is asked for.
func TestKit(t *testing.T) {
	for _, capacity := range []int{1, 2, 3, 8} {
		sinktest.Run(t, func() sinktest.Subject {
			var got []int
			s, err := newSink(context.Background(), capacity, false, func(v int) { got = append(got, v) })
			if err != nil {
				t.Fatal(err)
			}
			s.start = func() {}
			received := func() []int {
				s.run()
				called := got
				got = nil
				return called
			}
			return sinktest.Subject{Sink: s, Capacity: capacity, Received: received}
		})
	}
}
