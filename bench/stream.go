package bench

import (
	"context"
	"errors"
	"time"

	"github.com/spillwayhq/spillway/adapters/multicast"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A payload is what an event of a row is, and what has to be known of it.
type payload[T any] struct {
	config  core.Config[T]
	number  func(v *T, sequence uint64)
	tally   func(vs []T) (sum uint64)
	reading func(in <-chan T, got func(n int, sum uint64)) // of a plain channel
	crowded int                                            // a batch of a reader among many
}

// Each has its loops written out: an indirect call an event would be as long as what is measured.

var small = payload[uint64]{
	config: core.Config[uint64]{Name: "bench", SingleWriter: true},
	number: func(v *uint64, sequence uint64) { *v = sequence },
	tally: func(vs []uint64) (sum uint64) {
		for _, v := range vs {
			sum += v
		}
		return sum
	},
	reading: func(in <-chan uint64, got func(n int, sum uint64)) {
		for v := range in {
			got(1, v)
		}
	},
	crowded: batch,
}

var large = payload[notification]{
	config: core.Config[notification]{Name: "bench", Locate: notification.Point},
	number: func(v *notification, sequence uint64) { v.Sequence = sequence },
	tally: func(vs []notification) (sum uint64) {
		for i := range vs {
			sum += vs[i].Sequence
		}
		return sum
	},
	reading: func(in <-chan notification, got func(n int, sum uint64)) {
		for v := range in {
			got(1, v.Sequence)
		}
	},
	crowded: batch / 2,
}

var pointed = payload[*notification]{
	number: func(v **notification, sequence uint64) { *v = &notification{Sequence: sequence} },
	reading: func(in <-chan *notification, got func(n int, sum uint64)) {
		for v := range in {
			got(1, v.Sequence)
		}
	},
}

// batch is how many events a reader takes at once: what it looks at for each batch, others write. Among a hundred readers and
// more the copying is what takes the time, and 256 Notifications are as large as a first-level cache, so that to copy them is to
// write to the second level, and to check them to read from there. A delivery to one of a hundred takes 2.36, 2.25 and 2.44 ns
// by batches of 64, 128 and 256, to one of a thousand 1.64, 1.66 and 1.91; to one of ten 21, 18 and 16.
const batch = 256

// crowdedFrom is from how many readers on they take the payload's own batch.
const crowdedFrom = 100

// A stream is a crowd that gets every event of a side, block after block.
type stream[T any] struct {
	name   string
	crowd  *Crowd
	of     payload[T]
	events []T
	next   uint64
	send   func(events []T) // an error is the crowd's to find
}

// throughMulticast returns a stream to so many Readers of one ring, which is closed when h is over.
func throughMulticast[T any](h Host, name string, of payload[T], readers, capacity, block int) *stream[T] {
	f := core.New(of.config)
	ring, err := multicast.Open(context.Background(), f, region.Region{}, capacity)
	if err != nil {
		h.Fatalf("%v", err)
	}
	s := &stream[T]{name: name, crowd: NewCrowd(readers, block), of: of, events: make([]T, block)}
	size := min(batch, block)
	if readers >= crowdedFrom {
		size = min(of.crowded, block)
	}
	for range readers {
		r, err := ring.Reader(context.Background(), multicast.FromNext)
		if err != nil {
			h.Fatalf("%v", err)
		}
		s.crowd.Go(func(got func(n int, sum uint64)) error {
			events := make([]T, size)
			for {
				n, err := r.NextBatch(context.Background(), events)
				if errors.Is(err, core.ErrClosed) {
					return nil
				}
				if err != nil {
					return err
				}
				got(n, of.tally(events[:n]))
			}
		})
	}
	s.send = func(events []T) {
		for i := range events {
			f.Broadcast(events[i])
		}
	}
	h.Cleanup(func() {
		_ = f.Close()
		s.crowd.Wait()
	})
	s.warm(h)
	return s
}

// throughChannels returns the stream of a RawFanout, which is closed when h is over.
func throughChannels[T any](h Host, name string, of payload[T], readers, capacity, block int) *stream[T] {
	s := &stream[T]{name: name, crowd: NewCrowd(readers, block), of: of, events: make([]T, block)}
	reading := make(chan func(n int, sum uint64), readers)
	for range readers {
		done := make(chan struct{})
		h.Cleanup(func() { close(done) })
		s.crowd.Go(func(got func(n int, sum uint64)) error {
			reading <- got
			<-done
			return nil
		})
	}
	raw := NewRawFanout(readers, capacity, func(in <-chan T) { of.reading(in, <-reading) })
	s.send = func(events []T) {
		for i := range events {
			raw.Send(&events[i])
		}
	}
	h.Cleanup(raw.Close)
	s.warm(h)
	return s
}

// warm sends a few blocks: a goroutine's first wait allocates what its later ones use.
func (s *stream[T]) warm(h Host) {
	for range 3 {
		_ = s.prepare(0)
		s.send(s.events)
		if err := s.crowd.Await(); err != nil {
			h.Fatalf("%v", err)
		}
	}
}

// prepare numbers the next block.
func (s *stream[T]) prepare(int) error {
	for i := range s.events {
		s.of.number(&s.events[i], s.next)
		s.next++
	}
	return nil
}

// whole times a block from the first broadcast until the last reader has checked the last event.
func (s *stream[T]) whole(readers int) Section {
	var failed error
	return Section{
		Name: s.name, Before: s.prepare,
		Timed: func() (ops int) {
			s.send(s.events)
			failed = s.crowd.Await()
			return readers * len(s.events)
		},
		After: func() error { return failed },
	}
}

// writing times the writer alone, and lets all readers come after each block. A round's figure is the median of its blocks. The
// first so many events of a block are not timed: by then everybody is asleep, and the first has them woken.
func (s *stream[T]) writing(name string, blocks, untimed int) Section {
	took := make([]time.Duration, blocks)
	return Section{Name: name, Own: func() (float64, error) {
		for i := range took {
			_ = s.prepare(i)
			s.send(s.events[:untimed])
			start := time.Now()
			s.send(s.events[untimed:])
			took[i] = time.Since(start)
			if err := s.crowd.Await(); err != nil {
				return 0, err
			}
		}
		return float64(median(took).Nanoseconds()) / float64(len(s.events)-untimed), nil
	}}
}
