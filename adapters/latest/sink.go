package latest

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/spillwayhq/spillway/adapters/internal/park"
	"github.com/spillwayhq/spillway/adapters/internal/step"
	"github.com/spillwayhq/spillway/core"
)

// A sink has a cell for each key. An event lies in a box, and a box belongs to one party at a time: to the writer
// that fills it, to the cell, or to the reader. They change hands by one swap, so nothing is read while it
// is written, and nobody waits:
//
//	writer  fills a box ── swaps it into the cell ─┬─ an unread box comes out: lost, and the next spare
//	                                              └─ nothing comes out: the key waits, and is pushed
//	reader  takes the key that has waited longest ── swaps nothing into its cell ── has the newest
//
// A writer that stops in between has its key wait longer, and nobody else's.
type sink[T any, K comparable] struct {
	lot   park.Lot
	key   func(T) K
	table table[T, K]

	// pushed leads to the keys that wait and that the reader has not seen yet, the last first.
	//   written by: Offer, by compare-and-swap; the reader, who takes all, by Swap
	//   read by:    the same
	//   order:      a cell's next is written before the cell leads; nothing is popped singly, so no ABA
	pushed atomic.Pointer[cell[T, K]]

	// unread counts the keys that wait.
	//   written by: Offer, before the push; the reader, when it has taken one
	//   read by:    Held
	//   order:      raised before the reader can lower it
	unread atomic.Int64

	// lost counts the events that were replaced before they were read.
	//   written by: Offer
	//   read by:    Lost
	//   order:      none needed: a statistic, whole when no Offer is under way
	lost atomic.Uint64

	reading sync.Mutex  // among readers; no writer takes it
	waiting *cell[T, K] // the keys that the reader has seen, the first first; under reading
}

// A cell is what is kept of one key.
type cell[T any, K comparable] struct {
	key  K
	hash uint64
	next *cell[T, K] // the pusher's before the push, the reader's after it, until it empties newest

	// newest is the event that is not read yet; nil: none is.
	//   written by: Offer, the reader; by Swap
	//   read by:    the same
	//   order:      a box is filled before it is swapped in, and belongs to who swaps it out
	newest atomic.Pointer[box[T]]

	// spare are boxes for the next events: two, as a key has when one event of it is unread and another being written.
	//   written by: whoever takes one or has one left; by Swap and compare-and-swap
	//   read by:    the same
	//   order:      a box is wiped before it is spare
	spare [2]atomic.Pointer[box[T]]

	// rank is the key's place among the distinct keys, from 1; 0: not counted yet; tooMany: over MaxKeys.
	//   written by: table.count, once, by compare-and-swap from 0
	//   read by:    Offer
	//   order:      see table.count
	rank atomic.Uint64
}

type box[T any] struct{ v T }

// newSink turns the runtime's panic over more than the address space into an error.
func newSink[T any, K comparable](maxKeys int, key func(T) K) (s *sink[T, K], err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %d: %v", ErrMaxKeys, maxKeys, r)
		}
	}()
	s = &sink[T, K]{key: key}
	s.lot.Init()
	s.table.init(maxKeys)
	return s, nil
}

func (s *sink[T, K]) Offer(v T) core.Verdict {
	k := s.key(v)
	if k != k { // as a NaN is: nobody could find it again
		return core.Full
	}
	c := s.table.cell(k)
	if c == nil {
		return core.Full
	}
	b := c.get()
	b.v = v
	step.At("latest:filled")
	if before := c.newest.Swap(b); before != nil {
		s.lost.Add(1)
		c.put(before)
	} else {
		step.At("latest:newly")
		s.unread.Add(1)
		s.push(c)
	}
	s.lot.Wake()
	return core.Accepted
}

// push puts c on the list of those that wait; each retry means that another writer or the reader got on.
func (s *sink[T, K]) push(c *cell[T, K]) {
	for {
		first := s.pushed.Load()
		c.next = first
		step.At("latest:linking")
		if s.pushed.CompareAndSwap(first, c) {
			return
		}
	}
}

// get returns a box that is nobody's: a new one for the first two events of a key, and where writers meet.
func (c *cell[T, K]) get() *box[T] {
	for i := range c.spare {
		if b := c.spare[i].Load(); b != nil && c.spare[i].CompareAndSwap(b, nil) {
			return b
		}
	}
	return new(box[T])
}

// put gives a box back, wiped.
func (c *cell[T, K]) put(b *box[T]) {
	var none T
	b.v = none
	for i := range c.spare {
		if c.spare[i].Load() == nil && c.spare[i].CompareAndSwap(nil, b) {
			return
		}
	}
}

// take returns the newest event of the key that has waited longest; false where none waits.
func (s *sink[T, K]) take() (v T, ok bool) {
	s.reading.Lock()
	defer s.reading.Unlock()
	if s.waiting == nil {
		for c := s.pushed.Swap(nil); c != nil; { // turned round: the first pushed comes first
			c.next, s.waiting, c = s.waiting, c, c.next
		}
	}
	c := s.waiting
	if c == nil {
		return v, false
	}
	s.waiting, c.next = c.next, nil
	step.At("latest:taking")
	b := c.newest.Swap(nil) // from here on a writer may push the key anew
	s.unread.Add(-1)
	v = b.v
	c.put(b)
	return v, true
}

func (s *sink[T, K]) Close(cause error) { s.lot.End(cause) }

func (s *sink[T, K]) Held() (held, capacity int) {
	return int(min(max(0, s.unread.Load()), int64(s.table.maxKeys))), s.table.maxKeys
}

func (s *sink[T, K]) Lost() uint64 { return s.lost.Load() }
