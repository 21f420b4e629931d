package ring

import (
	"math/bits"
	"sync/atomic"

	"github.com/spillwayhq/spillway/adapters/internal/park"
	"github.com/spillwayhq/spillway/adapters/internal/step"
	"github.com/spillwayhq/spillway/core"
)

// An overwriting ring refuses nothing: an event takes the place of the one that is a whole lap older, read or not.
//
// Events lie in cells, and a cell belongs to one party at a time: to a slot, to the writer who has claimed the
// slot, or to the reader. A slot is one word that says which event it is for, in what state, and which cell
// it has; whoever changes the word owns the cell, so nothing is ever read while it is written:
//
//	writer  (lap-1, empty or full, c) ──claim──▶ (lap, writing, c) ──publish──▶ (lap, full, c)
//	reader  (lap, full, c) ──take──▶ (lap, empty, s)    c for the reader's own s; c becomes its next s
//
// A writer that has claimed a slot and stops is passed by the one who comes a lap later: that one claims the slot
// with a cell from the spares, and the first finds that its event was lost when it goes on. Where no spare is left it
// leaves a hole instead, which the reader passes. Each event that was accepted is taken by the reader, or
// replaced by who claims its slot, or late: one compare-and-swap decides, so that Lost is exact.
type overwriting[T any] struct {
	lot park.Lot

	// slots are the places, by an event's number modulo their count.
	//   written by: Offer and Take, by compare-and-swap
	//   read by:    the same
	//   order:      a cell is written before its slot says full, and read and wiped before its number is in a slot again
	slots []atomic.Uint64

	size  uint64
	cells cells[T]
	shape word

	// The reader's own, under Subscription.reading.
	head  uint64 // the number of the next event to be taken
	spare uint64 // the cell that goes into the next slot it takes from

	_ [64]byte

	// tail is the number of the next event.
	//   written by: Offer, by Add
	//   read by:    Take, where it was lapped
	//   order:      none needed: a number taken is a slot claimed later, or lapped
	tail atomic.Uint64

	// lost counts the events that were accepted and will not be read.
	//   written by: Offer
	//   read by:    Lost
	//   order:      none needed: a statistic, whole when no Offer is under way
	lost atomic.Uint64
}

// The states of a slot.
const (
	empty   = 0 // for no event, or for one that was read; its cell is free
	writing = 1 // claimed; its cell is the writer's
	full    = 2
	hole    = 3 // its event is lost, and its cell is that of a writer who was passed
)

// longAway is how many events behind a reader is certain to have been lapped. The laps in the slots, which
// wrap, can't tell it one who has been away for longer than half of them.
const longAway = 1 << 40

// newOverwriting returns an empty ring whose first event has the number first: tests begin near where laps wrap.
func newOverwriting[T any](capacity int, first uint64) *overwriting[T] {
	r := &overwriting[T]{
		slots: make([]atomic.Uint64, capacity),
		size:  uint64(capacity),
		shape: shapeFor(capacity),
		head:  first,
		spare: uint64(capacity),
	}
	r.lot.Init()
	r.cells.init(capacity + 1)
	for i := range r.slots {
		lap := first / r.size
		if uint64(i) >= first%r.size {
			lap--
		}
		r.slots[i].Store(r.shape.pack(lap, empty, uint64(i)))
	}
	r.tail.Store(first)
	return r
}

func (r *overwriting[T]) Offer(v T) core.Verdict {
	number := r.tail.Add(1) - 1
	step.At("ring:numbered")
	lap, slot := number/r.size, &r.slots[number%r.size]
	for {
		before := slot.Load()
		if r.shape.since(before, lap) >= 0 {
			r.lost.Add(1) // who came a lap later was here first
			return core.Accepted
		}
		state, cell, spare := r.shape.state(before), r.shape.cell(before), false
		claimed := r.shape.pack(lap, writing, cell)
		if state == writing || state == hole {
			if cell, spare = r.cells.get(); spare {
				claimed = r.shape.pack(lap, writing, cell)
			} else {
				claimed = r.shape.pack(lap, hole, 0)
			}
		}
		if !slot.CompareAndSwap(before, claimed) { // the reader took, or another writer got on
			if spare {
				r.cells.put(cell)
			}
			continue
		}
		if state == full {
			r.lost.Add(1)
		}
		step.At("ring:claimed")
		if r.shape.state(claimed) == hole {
			r.lost.Add(1)
			r.lot.Wake() // what comes after the hole may be there
			return core.Accepted
		}
		at := r.cells.at(cell)
		at.v = v
		step.At("ring:written")
		if slot.CompareAndSwap(claimed, r.shape.pack(lap, full, cell)) {
			r.lot.Wake()
			return core.Accepted
		}
		r.lost.Add(1)
		var none T
		at.v = none
		r.cells.put(cell)
		return core.Accepted
	}
}

// Take moves the oldest events that are left into dst, until it comes to one that is not published.
func (r *overwriting[T]) Take(dst []T) (n int) {
	var none T
	for n < len(dst) {
		lap, slot := r.head/r.size, &r.slots[r.head%r.size]
		now := slot.Load()
		switch ahead, state := r.shape.since(now, lap), r.shape.state(now); {
		case ahead < 0 || ahead == 0 && state == writing:
			tail := r.tail.Load()
			if tail-r.head < longAway {
				return n
			}
			r.head = tail - r.size
		case ahead > 0 || state != full: // lapped, or a hole: what is a whole lap older than the newest is gone, or about to be
			r.head++
			if oldest := r.tail.Load() - r.size; int64(oldest-r.head) > 0 {
				r.head = oldest
			}
		default:
			step.At("ring:found")
			if !slot.CompareAndSwap(now, r.shape.pack(lap, empty, r.spare)) {
				continue // overwritten just now
			}
			r.spare = r.shape.cell(now)
			at := r.cells.at(r.spare)
			dst[n], at.v = at.v, none
			r.head++
			n++
		}
	}
	return n
}

// TakeOne is Take for a single event: false where there is none.
func (r *overwriting[T]) TakeOne() (T, bool) {
	var one [1]T
	ok := r.Take(one[:]) > 0
	return one[0], ok
}

// Len returns how many events are left, or are being written.
func (r *overwriting[T]) Len() int { return int(min(r.tail.Load()-r.head, r.size)) }

func (r *overwriting[T]) parking() *park.Lot { return &r.lot }

func (r *overwriting[T]) Close(cause error) { r.lot.End(cause) }

func (r *overwriting[T]) Lost() uint64 { return r.lost.Load() }

func (r *overwriting[T]) lostCount() uint64 { return r.Lost() }

// A word is how a slot's 64 bits are used: the lap in the upper bits, two of state, the cell in the lower ones. Laps
// wrap, after 2^45 events at the least, and are compared by their difference.
type word struct{ cellBits uint }

// shapeFor leaves room for as many cells as there are places and 65,535 writers that were passed at one time.
func shapeFor(capacity int) word { return word{uint(bits.Len(uint(capacity + mostMore)))} }

func (s word) pack(lap, state, cell uint64) uint64 {
	return lap<<(s.cellBits+2) | state<<s.cellBits | cell
}

func (s word) state(w uint64) uint64 { return w >> s.cellBits & 3 }

func (s word) cell(w uint64) uint64 { return w & (1<<s.cellBits - 1) }

// since returns by how many laps w is ahead of lap.
func (s word) since(w, lap uint64) int64 {
	shift := s.cellBits + 2
	return int64(w&^(1<<shift-1)-lap<<shift) >> shift
}
