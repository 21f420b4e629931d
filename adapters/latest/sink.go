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
//	writer  fills a box ── swaps it into the cell; an unread box that comes out is lost, and the next spare
//	                    └─ is the key on the list? no: pushes an entry for it
//	reader  takes the entry that has waited longest ── swaps nothing into its cell ── has the newest, if nobody took it before
//
// A writer that stops between the swap and the push holds up nobody: the next writer of that key finds it not on
// the list, and pushes an entry of its own. The one too many is passed over. docs/models/latest.pml is the proof.
type sink[T any, K comparable] struct {
	lot   park.Lot
	key   func(T) K
	table table[T, K]

	// pushed leads to the entries of the keys that wait and that the reader has not seen yet, the last first.
	//   written by: Offer, by compare-and-swap; the reader, who takes all, by Swap
	//   read by:    the same
	//   order:      an entry's next is written before it leads; nothing is popped singly, so no ABA
	pushed atomic.Pointer[entry[T, K]]

	// unread counts the keys that wait.
	//   written by: Offer, after the swap that found none unread; the reader, when it has taken one
	//   read by:    Held
	//   order:      none needed: below zero while a writer has stopped in between, which Held calls none
	unread atomic.Int64

	// lost counts the events that were replaced before they were read.
	//   written by: Offer
	//   read by:    Lost
	//   order:      none needed: a statistic, whole when no Offer is under way
	lost atomic.Uint64

	reading sync.Mutex   // among readers; no writer takes it
	waiting *entry[T, K] // those that the reader has seen, the first first; under reading
}

// An entry has its cell wait on the list.
type entry[T any, K comparable] struct {
	cell *cell[T, K]
	next *entry[T, K] // the pusher's before the push, the reader's after it
}

// A cell is what is kept of one key.
type cell[T any, K comparable] struct {
	key  K
	hash uint64

	// pushes and pops count the key's entries that were put on the list, and those that were taken from it.
	//   written by: Offer, after the push; the reader, before it empties newest
	//   read by:    Offer, after it has filled newest: pushes first
	//   order:      more pushes than pops: of some entry the reader has yet to count the pop, and empties newest after that
	pushes, pops atomic.Uint32

	// lent says that own is on the list, or about to be.
	//   written by: Offer, by compare-and-swap from false; the reader, before it counts the pop
	//   read by:    the same
	//   order:      own is whose turns it to true, until the reader is done with it
	lent atomic.Bool
	own  entry[T, K] // the only one that is needed where no writer stops

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
		s.unread.Add(1)
	}
	step.At("latest:swapped")
	if pushes := c.pushes.Load(); int32(pushes-c.pops.Load()) <= 0 {
		s.push(c)
		c.pushes.Add(1)
	}
	s.lot.Wake()
	return core.Accepted
}

// push puts c on the list of those that wait; each retry means that another writer or the reader got on.
func (s *sink[T, K]) push(c *cell[T, K]) {
	e := &c.own
	if !c.lent.CompareAndSwap(false, true) {
		e = new(entry[T, K]) // a writer has stopped with the cell's own, or several came at once
	}
	e.cell = c
	for {
		e.next = s.pushed.Load()
		step.At("latest:linking")
		if s.pushed.CompareAndSwap(e.next, e) {
			return
		}
	}
}

// pop gives the first of those that wait back to its cell, which it returns; nil where none waits. Under s.reading.
func (s *sink[T, K]) pop() *cell[T, K] {
	if s.waiting == nil {
		for e := s.pushed.Swap(nil); e != nil; { // turned round: the first pushed comes first
			e.next, s.waiting, e = s.waiting, e, e.next
		}
	}
	e := s.waiting
	if e == nil {
		return nil
	}
	c := e.cell
	s.waiting, e.next = e.next, nil
	if e == &c.own {
		c.lent.Store(false)
	}
	c.pops.Add(1)
	return c
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
	for c := s.pop(); c != nil; c = s.pop() {
		step.At("latest:taking")
		b := c.newest.Swap(nil)
		if b == nil {
			continue // taken by an earlier entry
		}
		s.unread.Add(-1)
		v = b.v
		c.put(b)
		return v, true
	}
	return v, false
}

func (s *sink[T, K]) Close(cause error) { s.lot.End(cause) }

func (s *sink[T, K]) Held() (held, capacity int) {
	return int(min(max(0, s.unread.Load()), int64(s.table.maxKeys))), s.table.maxKeys
}

func (s *sink[T, K]) Lost() uint64 { return s.lost.Load() }
