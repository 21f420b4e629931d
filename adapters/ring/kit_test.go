package ring

import (
	"sync"
	"testing"

	"github.com/spillwayhq/spillway/adapters/sinktest"
	"github.com/spillwayhq/spillway/core"
)

// serial keeps for a ring for one writer what Config.SingleWriter promises.
type serial struct {
	buffer[int]
	mu sync.Mutex
}

func (s *serial) Offer(v int) core.Verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buffer.Offer(v)
}

func (s *serial) Held() (held, capacity int) {
	return s.buffer.(interface{ Held() (held, capacity int) }).Held()
}

// TestKit: each ring keeps every clause of a sink.
func TestKit(t *testing.T) {
	for _, capacity := range []int{1, 2, 3, 8} {
		for name, kind := range map[string]Options{
			"single": {Capacity: capacity}, "shared": {Capacity: capacity}, "overwrite": {Capacity: capacity, WhenFull: Overwrite},
		} {
			t.Run(name, func(t *testing.T) {
				sinktest.Run(t, func() sinktest.Subject { return subject(t, kind, name == "single") })
			})
		}
	}
}

func subject(t *testing.T, o Options, single bool) sinktest.Subject {
	s := &Subscription[int]{}
	if err := s.make(o, single); err != nil {
		t.Fatal(err)
	}
	var sink core.Sink[int] = s.events
	if single {
		sink = &serial{buffer: s.events}
	}
	received := func() (got []int) {
		some := make([]int, 3)
		for n := s.events.Take(some); n > 0; n = s.events.Take(some) {
			got = append(got, some[:n]...)
		}
		return got
	}
	return sinktest.Subject{Sink: sink, Capacity: o.Capacity, Received: received, Lossy: o.WhenFull == Overwrite}
}
