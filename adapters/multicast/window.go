package multicast

import (
	"math/bits"
	"sync/atomic"

	"github.com/spillwayhq/spillway/adapters/internal/step"
)

// windows is how many windows a ring has. The one that is being written holds nothing yet, so the others
// have to be as large as the capacity together.
const windows = 8

// bitsFor returns how large a window is for windows-1 of them to hold the capacity.
func bitsFor(capacity int) uint {
	return uint(bits.Len((uint(capacity)+windows-2)/(windows-1) - 1))
}

// A window holds the places of one number: number<<bits to (number+1)<<bits - 1. When the ring comes round it is
// opened anew for the number that is eight higher, if nobody is inside; otherwise another takes its place in
// the ring, and it is left to those who are inside and then to the garbage collector. So no
// place is ever written while a Reader may be looking at it, and nobody waits for anybody:
//
//	open n ──nobody inside──▶ claimed n+8 ──no Reader inside──▶ open n+8
//	   │                          │
//	   └──── a writer inside ─────┴──a Reader inside──▶ dead: a new window takes its place
//
// A Reader counts itself in and then looks at the number; who opens the window changes the number and then looks
// for Readers: one sees the other. docs/models/multicast.pml is the proof.
type window[T any] struct {
	// word is the number, a mode and how many writers are inside.
	//   written by: writers, by compare-and-swap and Add
	//   read by:    writers; Readers, when they have counted themselves in
	//   order:      see above
	word atomic.Uint64

	_ [56]byte

	// readers counts the Readers inside, and those that have yet to find out that it is not theirs.
	//   written by: Readers, by Add
	//   read by:    who opens the window anew
	//   order:      see above
	readers atomic.Int64

	// known is the place up to which all of the window's are known to be published, or one of an earlier number: then
	// none is. One Reader looks at each place, and the others copy.
	//   written by: Readers, upwards, by compare-and-swap
	//   read by:    Readers
	//   order:      raised after the looks that it stands for
	known atomic.Uint64

	_ [48]byte

	// ready holds for each place the number of the place published there last, plus one.
	//   written by: publish
	//   read by:    Readers inside
	//   order:      the event is written before its place is ready
	ready     []atomic.Uint64
	events    []T
	sequences []uint64 // of the events, by Locate; written before an event's place is ready
	bits      uint
}

// The modes of a window.
const (
	isOpen = iota
	isClaimed
	isDead
)

// The number keeps 42 bits. A goroutine that is stopped in the middle of a step while 2^41 windows go by would take one for
// another: hours of broadcasting without a pause to the smallest ring, and by so much exactly.
const (
	writerBits = 20 // a million writers stopped inside one window would be too many: none waits there, or calls anybody
	modeBits   = 2
	numberAt   = writerBits + modeBits
)

func pack(number, mode, writers uint64) uint64 {
	return number<<numberAt | mode<<writerBits | writers
}

func modeOf(word uint64) uint64 { return word >> writerBits & (1<<modeBits - 1) }

func writersOf(word uint64) uint64 { return word & (1<<writerBits - 1) }

// ahead returns by how much a word's number is higher than number; numbers wrap.
func ahead(word, number uint64) int64 {
	return int64(word&^(1<<numberAt-1)-number<<numberAt) >> numberAt
}

func newWindow[T any](bits uint, number, first uint64) *window[T] {
	w := &window[T]{
		ready: make([]atomic.Uint64, 1<<bits), events: make([]T, 1<<bits), sequences: make([]uint64, 1<<bits), bits: bits,
	}
	w.word.Store(pack(number, isOpen, 0))
	w.known.Store(first)
	if first != 0 {
		for i := range w.ready {
			w.ready[i].Store(first)
		}
	}
	return w
}

// open returns the window of a number with a writer counted in, opening it where nobody has; nil where the ring has come
// round meanwhile. Each retry means that another writer got on.
func (m *Ring[T]) open(number uint64) *window[T] {
	at := &m.windows[number%windows]
	for {
		w := at.Load()
		word := w.word.Load()
		step.At("multicast:opening")
		switch later := ahead(word, number); {
		case later > 0:
			return nil
		case modeOf(word) == isDead || later < 0 && writersOf(word) > 0:
			if modeOf(word) != isDead && !w.word.CompareAndSwap(word, word|isDead<<writerBits) {
				continue
			}
			step.At("multicast:replacing")
			fresh := newWindow[T](m.bits, number, number<<m.bits)
			fresh.word.Store(pack(number, isOpen, 1))
			if at.CompareAndSwap(w, fresh) {
				return fresh
			}
		case later < 0:
			w.word.CompareAndSwap(word, pack(number, isClaimed, 0))
		case modeOf(word) == isClaimed:
			if w.readers.Load() > 0 {
				w.word.CompareAndSwap(word, pack(number, isDead, 0))
			} else if w.word.CompareAndSwap(word, pack(number, isOpen, 1)) {
				return w
			}
		default:
			if w.word.CompareAndSwap(word, word+1) {
				return w
			}
		}
	}
}

// serves tells whether the window is open for a number, to a writer that is inside some.
func (w *window[T]) serves(number uint64) bool {
	word := w.word.Load()
	return modeOf(word) == isOpen && ahead(word, number) == 0
}

func (w *window[T]) leave() { w.word.Add(^uint64(0)) }

// note keeps the sequence of the event that is to be published at a place, so that no Reader has to call Locate.
func (w *window[T]) note(place, sequence uint64) {
	w.sequences[place&uint64(len(w.sequences)-1)] = sequence
}

func (w *window[T]) publish(place uint64, v *T) {
	i := place & uint64(len(w.ready)-1)
	w.events[i] = *v
	step.At("multicast:written")
	w.ready[i].Store(place + 1)
}

// read copies what is published of a number's places from place on, and returns how much, and the sequence of the last of
// it; 0 where nothing is, or the window is not of that number.
func (w *window[T]) read(number, place uint64, dst []T) (n int, sequence uint64) {
	w.readers.Add(1)
	defer w.readers.Add(-1)
	step.At("multicast:counted-in")
	if word := w.word.Load(); modeOf(word) != isOpen || ahead(word, number) != 0 {
		return 0, 0
	}
	step.At("multicast:inside")
	end := (number + 1) << w.bits
	if room := uint64(len(dst)); end-place > room {
		end = place + room
	}
	if n = int(w.published(number<<w.bits, place, end) - place); n > 0 {
		from := int(place & uint64(len(w.events)-1))
		copy(dst[:n], w.events[from:])
		sequence = w.sequences[from+n-1]
	}
	step.At("multicast:copied")
	return n, sequence
}

// published returns up to where the places from place to end are published, without a gap; start is the window's first.
func (w *window[T]) published(start, place, end uint64) uint64 {
	before := w.known.Load()
	known := before
	if int64(known-start) < 0 {
		known = start
	}
	if int64(known-end) >= 0 {
		return end
	}
	at := w.run(known, end)
	if at != known {
		w.known.CompareAndSwap(before, at)
	}
	if int64(at-place) >= 0 {
		return at
	}
	return w.run(place, end) // a writer has stopped before the Reader's place, which is after where it began
}

// run returns the first place from at on that is not published, or end.
func (w *window[T]) run(at, end uint64) uint64 {
	for at != end && w.ready[at&uint64(len(w.ready)-1)].Load() == at+1 {
		at++
	}
	return at
}
