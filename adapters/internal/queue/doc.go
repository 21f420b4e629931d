// Package queue has bounded queues of many writers, or one, and one reader. What doesn't fit is refused, at
// exactly the limit; a writer never waits, for the reader or for another writer.
package queue

import "math/bits"

// A Queue holds events in the order in which they were put. Put and Len may be called at any time; Take and
// TakeOne by one goroutine at a time.
type Queue[T any] interface {
	// Put appends v; false, and nothing kept of v, where the queue holds its limit. What is put is visible to
	// Take when Put returns, unless a Put that began before is still under way.
	Put(v T) bool

	// Take moves as many events as there are, and as dst has room for, into dst, and returns how many. The queue
	// keeps no reference to them.
	Take(dst []T) int

	// TakeOne is Take for a single event: false where there is none.
	TakeOne() (T, bool)

	// Ready tells whether Take would find an event; for whoever takes next.
	Ready() bool

	// Len returns how many events are held or being put: 0 to the limit.
	Len() int
}

// New returns a Queue of the given limit, 1 or more: a Single where there is but one writer, else a Shared.
func New[T any](limit int, single bool) Queue[T] {
	if single {
		return NewSingle[T](limit)
	}
	return NewShared[T](limit)
}

// slotsFor returns the power of two that a limit is rounded up to: places are found by a mask, and numbers may wrap.
func slotsFor(limit int) int { return 1 << bits.Len(uint(limit-1)) }

// apart is the pad between the 56 bytes that the writers write and what the reader does: 128 bytes in all, with what there is
// behind it, which an allocation of that size begins a cache line with. A ring puts 72 bytes before: 192, as good.
const apart = 56
