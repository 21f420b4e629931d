package ring

import (
	"math/bits"
	"sync/atomic"
)

// cells are where events lie, each known by its number. There are as many as the ring has places and one for the
// reader; a writer that passes another needs one more, from the free ones, or made for it. They are
// never given back: at most one for each writer that was inside at one time. docs/models/spares.pml is the proof.
type cells[T any] struct {
	own []cell[T]

	// more are those made since: 1, 2, 4 ... of them.
	//   written by: get, from nil, by compare-and-swap
	//   read by:    at
	//   order:      a cell is made before its number is given away
	more [16]atomic.Pointer[[]cell[T]]

	// made counts those in more.
	//   written by: get, by compare-and-swap
	//   read by:    the same
	//   order:      none needed: each number is one goroutine's
	made atomic.Uint64

	// free leads to those that nobody has: a number plus one in the lower half, 0 for none; in the upper half a count of
	// the changes, so that a compare-and-swap fails where the same cell has come back meanwhile.
	//   written by: get, put, by compare-and-swap
	//   read by:    the same
	//   order:      a cell's next is written before the cell leads
	free atomic.Uint64
}

type cell[T any] struct {
	v T

	// next is the number plus one of the next free cell.
	//   written by: put
	//   read by:    get, which trusts it where free has not changed meanwhile
	//   order:      see cells.free
	next atomic.Uint32
}

const mostMore = 1<<16 - 1

func (c *cells[T]) init(n int) { c.own = make([]cell[T], n) }

// at returns the cell of a number.
func (c *cells[T]) at(number uint64) *cell[T] {
	if number < uint64(len(c.own)) {
		return &c.own[number]
	}
	n := number - uint64(len(c.own)) + 1
	block := bits.Len64(n) - 1
	return &(*c.more[block].Load())[n-1<<block]
}

// get returns a cell that nobody has; false where 65,535 of them are out.
func (c *cells[T]) get() (number uint64, ok bool) {
	for {
		before := c.free.Load()
		first := before & (1<<32 - 1)
		if first == 0 {
			break
		}
		next := uint64(c.at(first - 1).next.Load())
		if c.free.CompareAndSwap(before, (before>>32+1)<<32|next) {
			return first - 1, true
		}
	}
	for {
		n := c.made.Load() + 1
		if n > mostMore {
			return 0, false
		}
		if block := bits.Len64(n) - 1; c.more[block].Load() == nil {
			fresh := make([]cell[T], 1<<block)
			c.more[block].CompareAndSwap(nil, &fresh)
		}
		if c.made.CompareAndSwap(n-1, n) {
			return uint64(len(c.own)) + n - 1, true
		}
	}
}

// put gives a cell back.
func (c *cells[T]) put(number uint64) {
	for {
		before := c.free.Load()
		c.at(number).next.Store(uint32(before))
		if c.free.CompareAndSwap(before, (before>>32+1)<<32|number+1) {
			return
		}
	}
}
