package sinktest_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/spillwayhq/spillway/adapters/sinktest"
	"github.com/spillwayhq/spillway/core"
)

// A shelf is a sink that keeps every clause: a slice under a mutex that nobody holds for long. Liars are made of it.
type shelf struct {
	mu       sync.Mutex
	capacity int
	kept     []int
	lost     uint64
	lossy    bool
	cause    error
}

func (s *shelf) Offer(v int) core.Verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.kept) == s.capacity {
		if !s.lossy {
			return core.Full
		}
		s.kept = s.kept[1:]
		s.lost++
	}
	s.kept = append(s.kept, v)
	return core.Accepted
}

func (s *shelf) Close(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cause = cause
}

func (s *shelf) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}

func (s *shelf) Held() (held, capacity int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.kept), s.capacity
}

func (s *shelf) Lost() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

func (s *shelf) take() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.kept
	s.kept = nil
	return got
}

// A pipe is a sink that is a channel, and keeps every clause.
type pipe chan int

func (p pipe) Chan() chan<- int            { return p }
func (p pipe) Close(error)                 { close(p) }
func (p pipe) Held() (held, capacity int)  { return len(p), cap(p) }
func (p pipe) Attach(_ *core.Subscription) {}

func (p pipe) Offer(v int) core.Verdict {
	select {
	case p <- v:
		return core.Accepted
	default:
		return core.Full
	}
}

func (p pipe) take() (got []int) {
	for {
		select {
		case v, ok := <-p:
			if !ok {
				return got
			}
			got = append(got, v)
		default:
			return got
		}
	}
}

func openShelf(capacity int, lossy bool) func() sinktest.Subject {
	return func() sinktest.Subject {
		s := &shelf{capacity: capacity, lossy: lossy}
		return sinktest.Subject{Sink: s, Capacity: capacity, Received: s.take, Lossy: lossy}
	}
}

func openPipe(capacity int) func() sinktest.Subject {
	return func() sinktest.Subject {
		p := make(pipe, capacity)
		return sinktest.Subject{Sink: p, Capacity: capacity, Received: p.take}
	}
}

// TestHonest: who keeps every clause is not accused, whatever the capacity.
func TestHonest(t *testing.T) {
	for _, capacity := range []int{1, 2, 3, 8, 100} {
		for name, open := range map[string]func() sinktest.Subject{
			"shelf": openShelf(capacity, false), "lossy shelf": openShelf(capacity, true), "pipe": openPipe(capacity),
		} {
			if err := sinktest.Check(open); err != nil {
				t.Errorf("a %s of %d: %v", name, capacity, err)
			}
		}
	}
}

// TestRun: as subtests it accuses nobody either.
func TestRun(t *testing.T) { sinktest.Run(t, openShelf(4, false)) }

// TestUnusable: a Subject that can't be checked is said to be so.
func TestUnusable(t *testing.T) {
	s := &shelf{capacity: 1}
	for want, subject := range map[string]sinktest.Subject{
		"Sink is nil":     {Capacity: 1, Received: s.take},
		"Capacity is 0":   {Sink: s, Received: s.take},
		"Received is nil": {Sink: s, Capacity: 1},
	} {
		if err := sinktest.Check(func() sinktest.Subject { return subject }); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Check = %v; want it to say %q", err, want)
		}
	}
}
