package latest

import (
	"errors"
	"testing"

	"github.com/spillwayhq/spillway/adapters/sinktest"
)

// TestKit: the table keeps every clause of a sink; as many keys as it has room for, and no key too many.
func TestKit(t *testing.T) {
	for _, capacity := range []int{1, 2, 3, 8} {
		sinktest.Run(t, func() sinktest.Subject {
			s, err := newSink(capacity, func(v int) int { return v % capacity })
			if err != nil {
				t.Fatal(err)
			}
			return sinktest.Subject{Sink: s, Capacity: capacity, Received: func() []int { return all(s) }, Lossy: true}
		})
	}
}

// TestKitByKeys: where each event has a key of its own, one key too many is refused as by a full buffer, but for ever:
// reading makes no room, since a key is not forgotten.
func TestKitByKeys(t *testing.T) {
	err := sinktest.Check(func() sinktest.Subject {
		s, err := newSink(8, func(v int) int { return v })
		if err != nil {
			t.Fatal(err)
		}
		return sinktest.Subject{Sink: s, Capacity: 8, Received: func() []int { return all(s) }}
	})
	var broken *sinktest.ClauseError
	if !errors.As(err, &broken) || broken.Clause != "reading makes room" || len(err.(interface{ Unwrap() []error }).Unwrap()) != 1 {
		t.Errorf("Check = %v; want it to say that reading makes no room, and nothing else", err)
	}
}

func all(s *sink[int, int]) (got []int) {
	for v, ok := s.take(); ok; v, ok = s.take() {
		got = append(got, v)
	}
	return got
}
