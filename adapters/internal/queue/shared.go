package queue

import (
	"sync/atomic"

	"github.com/spillwayhq/spillway/adapters/internal/step"
)

// A Shared is the Queue of many writers. A writer claims a number, writes its place, and publishes it; one that
// stops in between holds up the reader, who takes in the order of the numbers, and no other writer.
//
//	head                    tail
//	 │ taken next            │ claimed next
//	 ▼                       ▼
//	[ a | b | (claimed) | d |   |   ]    the reader stops at what is claimed and not published
//
// The numbers in the places are those of D. Vyukov's bounded queue (1024cores.net), with the limit apart from
// the number of places.
type Shared[T any] struct {
	slots []slot[T]
	mask  uint64
	limit int64

	// tail is the number to be claimed next.
	//   written by: Put, by compare-and-swap
	//   read by:    Put, Len
	//   order:      raised only where head, read after it, leaves room: the place is free
	tail atomic.Uint64

	// headSeen is head as some writer saw it last, so that the reader's cache line is left alone while there is room.
	//   written by: Put, after a look at head
	//   read by:    Put
	//   order:      never ahead of head: a value too old costs a look at head
	headSeen atomic.Uint64

	_ [apart]byte

	// head is the number of the next event to be taken.
	//   written by: Take
	//   read by:    Put, where headSeen says full; Len
	//   order:      places are read and wiped before head gives them back
	head atomic.Uint64
}

type slot[T any] struct {
	// ready is the number after that of the event which the place holds, or of one before.
	//   written by: Put
	//   read by:    Take
	//   order:      the event is written before ready says so
	ready atomic.Uint64
	v     T
}

// NewShared returns an empty Shared.
func NewShared[T any](limit int) *Shared[T] {
	q := new(Shared[T])
	q.Init(limit, 0)
	return q
}

// Init makes the Shared ready for use, empty, the first event's number first: tests begin just below the integer limit.
func (q *Shared[T]) Init(limit int, first uint64) {
	n := slotsFor(limit)
	q.slots, q.mask, q.limit = make([]slot[T], n), uint64(n-1), int64(limit)
	q.tail.Store(first)
	q.headSeen.Store(first)
	q.head.Store(first)
	if first != 0 {
		for i := range q.slots {
			q.slots[i].ready.Store(first)
		}
	}
}

// Put may be called by many at once. Each retry means that another writer got on.
func (q *Shared[T]) Put(v T) bool {
	for {
		t := q.tail.Load()
		if int64(t-q.headSeen.Load()) >= q.limit { // signed: another writer may have seen a head past t
			h := q.head.Load()
			if int64(t-h) >= q.limit {
				return false
			}
			q.headSeen.Store(h)
		}
		step.At("queue:seen-room")
		if q.tail.CompareAndSwap(t, t+1) {
			s := &q.slots[t&q.mask]
			step.At("queue:claimed")
			s.v = v
			s.ready.Store(t + 1)
			return true
		}
	}
}

// Take implements Queue.
func (q *Shared[T]) Take(dst []T) int {
	h := q.head.Load()
	n := 0
	var none T
	for n < len(dst) {
		number := h + uint64(n)
		s := &q.slots[number&q.mask]
		if s.ready.Load() != number+1 {
			break
		}
		dst[n], s.v = s.v, none
		n++
	}
	if n > 0 {
		step.At("queue:taken")
		q.head.Store(h + uint64(n))
	}
	return n
}

// TakeOne implements Queue.
func (q *Shared[T]) TakeOne() (v T, ok bool) {
	h := q.head.Load()
	s := &q.slots[h&q.mask]
	if s.ready.Load() != h+1 {
		return v, false
	}
	var none T
	v, s.v = s.v, none
	step.At("queue:taken")
	q.head.Store(h + 1)
	return v, true
}

// Ready implements Queue.
func (q *Shared[T]) Ready() bool {
	h := q.head.Load()
	return q.slots[h&q.mask].ready.Load() == h+1
}

// Len implements Queue.
func (q *Shared[T]) Len() int {
	h := q.head.Load() // first: what is put and taken in between would make it negative otherwise
	return int(min(q.tail.Load()-h, uint64(q.limit)))
}

// Limit returns how many events fit.
func (q *Shared[T]) Limit() int { return int(q.limit) }
