package bench

import (
	"context"
	"errors"

	"github.com/spillwayhq/spillway/adapters/callback"
	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/adapters/multicast"
	"github.com/spillwayhq/spillway/adapters/ring"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// An opening makes a side of a Latency with so many readers, which is closed when h is over. Each listen hands every event that
// was sent to heard, in order, as soon as it has it, until the side is closed.
type opening func(h Host, readers int) (send func(event uint64), listens []listen)

type listen func(heard func(events []uint64)) error

// openings are the sides of Latencies, the baseline last.
var openings = []struct {
	name string
	open opening
}{
	{"channel", hearChannels},
	{"callback", hearCallbacks},
	{"ring", hearRings},
	{"multicast", hearMulticast},
	{Baseline, hearPlain},
}

// toAll returns the send of a Fanout all of whose subscriptions get everything. Whoever is pruned says so himself.
func toAll(f *core.Fanout[uint64]) func(uint64) { return func(event uint64) { f.Broadcast(event) } }

// over is nil where a reader ended as its Fanout did.
func over(err error) error {
	if errors.Is(err, core.ErrClosed) {
		return nil
	}
	return err
}

// hearing returns the listen of what is read in batches.
func hearing(next func(context.Context, []uint64) (int, error)) listen {
	return func(heard func([]uint64)) error {
		dst := make([]uint64, batch)
		for {
			n, err := next(context.Background(), dst)
			if err != nil {
				return over(err)
			}
			heard(dst[:n])
		}
	}
}

func hearChannels(h Host, readers int) (func(uint64), []listen) {
	f, listens := newSmall(h), make([]listen, readers)
	for i := range listens {
		s, err := channel.Subscribe(context.Background(), f, region.Region{}, hearingRoom)
		if err != nil {
			h.Fatalf("%v", err)
		}
		listens[i] = func(heard func([]uint64)) error {
			one := make([]uint64, 1)
			for one[0] = range s.C() {
				heard(one)
			}
			return over(s.Err())
		}
	}
	return toAll(f), listens
}

func hearCallbacks(h Host, readers int) (func(uint64), []listen) {
	f, listens := newSmall(h), make([]listen, readers)
	for i := range listens {
		hear := make(chan func([]uint64), 1)
		var heard func([]uint64)
		one := make([]uint64, 1)
		s, err := callback.Subscribe(context.Background(), f, region.Region{}, callback.Options{Queue: hearingRoom}, func(event uint64) {
			if heard == nil {
				heard = <-hear
			}
			one[0] = event
			heard(one)
		})
		if err != nil {
			h.Fatalf("%v", err)
		}
		listens[i] = func(heard func([]uint64)) error {
			hear <- heard
			if err := s.Wait(context.Background()); err != nil {
				return err
			}
			<-s.Done()
			return over(s.Err())
		}
	}
	return toAll(f), listens
}

func hearRings(h Host, readers int) (func(uint64), []listen) {
	f, listens := newSmall(h), make([]listen, readers)
	for i := range listens {
		s, err := ring.Subscribe(context.Background(), f, region.Region{}, ring.Options{Capacity: hearingRoom})
		if err != nil {
			h.Fatalf("%v", err)
		}
		listens[i] = hearing(s.NextBatch)
	}
	return toAll(f), listens
}

func hearMulticast(h Host, readers int) (func(uint64), []listen) {
	f, listens := newSmall(h), make([]listen, readers)
	m, err := multicast.Open(context.Background(), f, region.Region{}, hearingRoom)
	if err != nil {
		h.Fatalf("%v", err)
	}
	for i := range listens {
		r, err := m.Reader(context.Background(), multicast.FromNext)
		if err != nil {
			h.Fatalf("%v", err)
		}
		listens[i] = hearing(r.NextBatch)
	}
	return toAll(f), listens
}

// hearPlain is the baseline: the least that getting an event to a goroutine can cost with what the language has.
func hearPlain(h Host, readers int) (func(uint64), []listen) {
	ends, listens := make(chan (<-chan uint64), readers), make([]listen, readers)
	done := make(chan struct{})
	raw := NewRawFanout(readers, hearingRoom, func(in <-chan uint64) { // who reads is the Crowd's goroutine, not this
		ends <- in
		<-done
	})
	h.Cleanup(func() {
		close(done)
		raw.Close()
	})
	for i := range listens {
		in := <-ends
		listens[i] = func(heard func([]uint64)) error {
			one := make([]uint64, 1)
			for one[0] = range in {
				heard(one)
			}
			return nil
		}
	}
	return func(event uint64) { raw.Send(&event) }, listens
}
