package multicast

import (
	"context"
	"errors"
	"testing"

	"github.com/spillwayhq/spillway/adapters/sinktest"
	"github.com/spillwayhq/spillway/core"
)

// follower is a ring with a Reader who starts again from the oldest when it was lapped, and counts what it missed.
type follower struct {
	core.Sink[int]
	ring   *Ring[int]
	reader *Reader[int]
	missed uint64
}

func (f *follower) Attach(s *core.Subscription) { f.ring.sub = s }
func (f *follower) Lost() uint64                { return f.missed }

func (f *follower) received() (got []int) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	some := make([]int, 3)
	for {
		n, err := f.reader.NextBatch(over, some)
		if errors.Is(err, core.ErrPruned) && f.begin() == nil {
			continue
		}
		if err != nil {
			return got
		}
		got = append(got, some[:n]...)
	}
}

func (f *follower) begin() error {
	r, err := f.ring.Reader(context.Background(), FromOldest)
	if err != nil {
		return err
	}
	if f.reader != nil {
		f.missed += r.place - f.reader.place
	}
	f.reader = r
	return nil
}

// TestKit: the ring keeps every clause of a sink, seen by a Reader who comes back.
func TestKit(t *testing.T) {
	for _, capacity := range []int{1, 2, 3, 8} {
		sinktest.Run(t, func() sinktest.Subject {
			ring, err := newRing(core.New(core.Config[int]{}), capacity, 0)
			if err != nil {
				t.Fatal(err)
			}
			f := &follower{Sink: sink[int]{ring}, ring: ring}
			if err := f.begin(); err != nil {
				t.Fatal(err)
			}
			return sinktest.Subject{Sink: f, Capacity: capacity, Received: f.received, Lossy: true}
		})
	}
}
