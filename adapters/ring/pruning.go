package ring

import (
	"github.com/spillwayhq/spillway/adapters/internal/park"
	"github.com/spillwayhq/spillway/adapters/internal/queue"
	"github.com/spillwayhq/spillway/core"
)

// A single is the ring of a Fanout with one writer that refuses what it has no room for.
type single[T any] struct {
	lot *park.Lot // in the cache line that a Put needs anyway
	queue.Single[T]
}

func newSingle[T any](capacity int, lot *park.Lot) *single[T] {
	r := &single[T]{lot: lot}
	r.Init(capacity, 0)
	return r
}

func (r *single[T]) Offer(v T) core.Verdict {
	if !r.Put(v) {
		return core.Full
	}
	r.lot.Wake()
	return core.Accepted
}

func (r *single[T]) Close(cause error) { r.lot.End(cause) }

func (r *single[T]) Held() (held, capacity int) { return r.Len(), r.Limit() }

func (r *single[T]) lostCount() uint64 { return 0 }

// A shared is the same for many writers.
type shared[T any] struct {
	lot *park.Lot // in the cache line that a Put needs anyway
	queue.Shared[T]
}

func newShared[T any](capacity int, lot *park.Lot) *shared[T] {
	r := &shared[T]{lot: lot}
	r.Init(capacity, 0)
	return r
}

func (r *shared[T]) Offer(v T) core.Verdict {
	if !r.Put(v) {
		return core.Full
	}
	r.lot.Wake()
	return core.Accepted
}

func (r *shared[T]) Close(cause error) { r.lot.End(cause) }

func (r *shared[T]) Held() (held, capacity int) { return r.Len(), r.Limit() }

func (r *shared[T]) lostCount() uint64 { return 0 }
