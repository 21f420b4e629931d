package queue

import (
	"sync/atomic"

	"github.com/spillwayhq/spillway/adapters/internal/step"
)

// A Single is the Queue of one writer: one atomic store a Put.
//
//	head          tail
//	 │ taken next  │ put next
//	 ▼             ▼
//	[ a | b | c | d |   |   ]    places: numbers modulo a power of two; tail - head is the limit at most
//
// Each side keeps a copy of the other's number and looks anew only where the copy says that there is
// nothing to do (L. Lamport 1977; the copies as in J. Giacomoni et al., FastForward, 2008).
//
// What a Put reads and writes, but for the slot, is one cache line: with a thousand rings each line is one that has to be
// fetched.
type Single[T any] struct {
	slots []T
	mask  uint64
	limit uint64

	// tail is the number of the next event to be put.
	//   written by: Put
	//   read by:    Take, Len
	//   order:      the slot is written before tail counts it
	tail     atomic.Uint64
	headSeen uint64 // head, as the writer saw it last

	_ [apart - 8]byte

	// head is the number of the next event to be taken.
	//   written by: Take
	//   read by:    Put, where headSeen says full; Len
	//   order:      the slot is read and wiped before head gives it back
	head     atomic.Uint64
	tailSeen uint64 // tail, as the reader saw it last
}

// NewSingle returns an empty Single.
func NewSingle[T any](limit int) *Single[T] {
	q := new(Single[T])
	q.Init(limit, 0)
	return q
}

// Init makes the Single ready for use, empty, the first event's number first: tests begin just below the integer limit.
func (q *Single[T]) Init(limit int, first uint64) {
	n := slotsFor(limit)
	q.slots, q.mask, q.limit = make([]T, n), uint64(n-1), uint64(limit)
	q.headSeen, q.tailSeen = first, first
	q.tail.Store(first)
	q.head.Store(first)
}

// Put is one goroutine's at a time.
func (q *Single[T]) Put(v T) bool {
	t := q.tail.Load()
	if t-q.headSeen >= q.limit && q.full(t) {
		return false
	}
	q.slots[t&q.mask] = v
	step.At("queue:written")
	q.tail.Store(t + 1)
	return true
}

// full looks anew whether there is no room for number t. Apart from Put, which is inlined so.
func (q *Single[T]) full(t uint64) bool {
	q.headSeen = q.head.Load()
	return t-q.headSeen >= q.limit
}

// Take implements Queue.
func (q *Single[T]) Take(dst []T) int {
	h := q.head.Load()
	if q.tailSeen-h < uint64(len(dst)) {
		if q.tailSeen = q.tail.Load(); h == q.tailSeen {
			return 0
		}
	}
	n := 0
	for rest := min(uint64(len(dst)), q.tailSeen-h); rest > 0; {
		from := (h + uint64(n)) & q.mask
		run := q.slots[from:min(from+rest, uint64(len(q.slots)))]
		copy(dst[n:], run)
		clear(run)
		n += len(run)
		rest -= uint64(len(run))
	}
	step.At("queue:taken")
	q.head.Store(h + uint64(n))
	return n
}

// TakeOne implements Queue.
func (q *Single[T]) TakeOne() (v T, ok bool) {
	h := q.head.Load()
	if h == q.tailSeen {
		if q.tailSeen = q.tail.Load(); h == q.tailSeen {
			return v, false
		}
	}
	s := &q.slots[h&q.mask]
	var none T
	v, *s = *s, none
	step.At("queue:taken")
	q.head.Store(h + 1)
	return v, true
}

// Ready implements Queue.
func (q *Single[T]) Ready() bool { return q.head.Load() != q.tail.Load() }

// Len implements Queue.
func (q *Single[T]) Len() int {
	h := q.head.Load() // first: what is put and taken in between would make it negative otherwise
	return int(min(q.tail.Load()-h, q.limit))
}

// Limit returns how many events fit.
func (q *Single[T]) Limit() int { return int(q.limit) }
