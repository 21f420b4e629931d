package ring

import (
	"github.com/spillwayhq/spillway/adapters/internal/park"
	"github.com/spillwayhq/spillway/adapters/internal/queue"
	"github.com/spillwayhq/spillway/core"
)

// inLine is where the reader waits. It comes before a queue, at such a place that the last word of the Lot, which a writer
// looks at, is in one cache line with the words that the writer writes: with a thousand rings each line is
// one that has to be fetched. An object of 192 bytes begins at a cache line.
type inLine struct {
	_   [32]byte
	lot park.Lot
}

func (l *inLine) parking() *park.Lot { return &l.lot }

// wake is here, in a type without parameters, so that compilers that instantiate a ring have its body to inline.
func (l *inLine) wake() { l.lot.Wake() }

// A single is the ring of a Fanout with one writer that refuses what it has no room for.
type single[T any] struct {
	inLine
	queue.Single[T]
}

func newSingle[T any](capacity int) *single[T] {
	r := new(single[T])
	r.lot.Init()
	r.Init(capacity, 0)
	return r
}

func (r *single[T]) Offer(v T) core.Verdict {
	if !r.Put(v) {
		return core.Full
	}
	r.wake()
	return core.Accepted
}

func (r *single[T]) Close(cause error) { r.lot.End(cause) }

func (r *single[T]) Held() (held, capacity int) { return r.Len(), r.Limit() }

func (r *single[T]) lostCount() uint64 { return 0 }

// A shared is the same for many writers.
type shared[T any] struct {
	inLine
	queue.Shared[T]
}

func newShared[T any](capacity int) *shared[T] {
	r := new(shared[T])
	r.lot.Init()
	r.Init(capacity, 0)
	return r
}

func (r *shared[T]) Offer(v T) core.Verdict {
	if !r.Put(v) {
		return core.Full
	}
	r.wake()
	return core.Accepted
}

func (r *shared[T]) Close(cause error) { r.lot.End(cause) }

func (r *shared[T]) Held() (held, capacity int) { return r.Len(), r.Limit() }

func (r *shared[T]) lostCount() uint64 { return 0 }
