// Package multicast delivers a Fanout's events into one ring that is written once, however many read it.
//
//	ring, err := multicast.Open(ctx, fanout, region.Region{}, 4096)
//	reader, err := ring.Reader(ctx, multicast.FromNext) // a hundred thousand of them, if need be
//	for v, err := range reader.All() { … }
//
// Every Reader gets every event that the ring accepts, at its own place and pace. A Reader may lag by the ring's
// capacity; one event more, and it is lapped: it ends with a *core.PrunedError, and the writer and the
// other Readers never know. The ring itself refuses nothing.
//
// A lapped Reader's Missed is below nothing that it has read, where broadcasts don't overlap: it is one more than the sequence it read
// last. Where they do, it may be lower, by as much as an event came late; and an event that was still on its way to
// the ring when the Reader was lapped may have a lower sequence yet. One total order is the Journal's, in package cursor.
package multicast

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/spillwayhq/spillway/adapters/internal/step"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// ErrCapacity is in the error of an Open whose capacity is below 1, or more than memory can have.
var ErrCapacity = errors.New("spillway/multicast: unusable capacity")

// A Ring is one subscription of a Fanout, for any number of Readers.
//
// Places are numbered from 0, and lie in windows of a power of two of them. A writer claims a number, enters its
// window, writes, and publishes the place; see window.go for what happens where the ring comes round.
//
//	          place of a Reader            tail: claimed next
//	            ▼                            ▼
//	… | . . x x | x x x x | x x x x | x x . x |      x: published
//	            └── capacity at most ──┘
type Ring[T any] struct {
	fanout   *core.Fanout[T]
	sub      *core.Subscription
	capacity uint64
	bits     uint   // a window has 1<<bits places
	first    uint64 // the number of the first place there ever was
	windows  [windows]atomic.Pointer[window[T]]

	// Of a Fanout with one writer, that writer's: the window it is inside.
	single bool
	inside *window[T]

	_ [64]byte

	// tail is the number of the next place to be claimed.
	//   written by: Offer, by Add, or by compare-and-swap where events have sequences
	//   read by:    Offer; Readers, before they copy: more than capacity behind it they are lapped
	//   order:      a place is claimed before it is written, so a Reader that the check lets pass copies only what was claimed less than a ring ago
	tail atomic.Uint64

	_ [56]byte

	order order
	sleep sleep[T]

	// lapped counts the Readers that were lapped.
	//   written by: Readers, when they find out
	//   read by:    Lost
	//   order:      none needed: a statistic
	lapped atomic.Uint64

	mu      sync.Mutex // no writer takes it
	readers map[*Reader[T]]struct{}
	most    int    // Readers there have been at one time since the map was made
	began   uint64 // Readers so far
	gone    int    // Readers that were on the list of those who sleep when they ended
	cause   error  // why the ring ended; nil while it lives
}

// sink is the Ring as core sees it.
type sink[T any] struct{ ring *Ring[T] }

// Open registers a ring for the events that r matches; it ends with ctx, by Cancel or with the Fanout, and its Readers
// with it. Its errors are those of core.Fanout.Subscribe, and ErrCapacity.
//
// Memory is taken at once, for 2.3 times the capacity at most (8 places at the least), each an event and 16 bytes, and a
// place keeps its event until it is written again. A Reader that stops in mid-copy keeps a window, an eighth of that, and no more.
func Open[T any](ctx context.Context, f *core.Fanout[T], r region.Region, capacity int) (*Ring[T], error) {
	if capacity < 1 {
		return nil, fmt.Errorf("%w: %d; an event needs room for one at least", ErrCapacity, capacity)
	}
	m, err := newRing(f, capacity, 0)
	if err != nil {
		return nil, err
	}
	if m.sub, err = f.Subscribe(ctx, r, sink[T]{m}); err != nil {
		return nil, err
	}
	return m, nil
}

// newRing returns a ring whose first place has the number first: tests begin just below the integer limit.
func newRing[T any](f *core.Fanout[T], capacity int, first uint64) (m *Ring[T], err error) {
	defer func() { // the runtime panics over more than the address space
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %d: %v", ErrCapacity, capacity, r)
		}
	}()
	m = &Ring[T]{
		fanout: f, capacity: uint64(capacity), bits: bitsFor(capacity), first: first, single: f.SingleWriter(),
		readers: make(map[*Reader[T]]struct{}),
	}
	m.sleep.start = m.sleep.wakeAll
	now := first >> m.bits
	for i := range uint64(windows) {
		m.windows[(now+i)%windows].Store(newWindow[T](m.bits, now+i-windows, first))
	}
	m.tail.Store(first)
	m.order.lateTo.Store(first)
	return m, nil
}

// Offer always accepts. Where its place was lapped before it got there, no Reader will see the event: those who
// waited for it are lapped too.
func (s sink[T]) Offer(v T) core.Verdict {
	m := s.ring
	sequence, located := m.sequence(&v)
	place := m.claim(sequence, located)
	step.At("multicast:claimed")
	w := m.enter(place >> m.bits)
	if w != nil {
		step.At("multicast:entered")
		if located {
			w.note(place, sequence)
		}
		w.publish(place, &v)
		step.At("multicast:published")
		m.leave(w)
	}
	m.sleep.wake()
	return core.Accepted
}

// claim returns the next place.
func (m *Ring[T]) claim(sequence uint64, located bool) uint64 {
	if !located {
		step.At("multicast:coming")
		return m.tail.Add(1) - 1
	}
	return m.claimAt(sequence, m.order.coming(sequence))
}

// claimAt is claim for an event whose sequence is taken down. Each retry means that another writer got on.
func (m *Ring[T]) claimAt(sequence uint64, first bool) uint64 {
	for {
		place := m.tail.Load()
		m.order.placing(place, sequence, first)
		step.At("multicast:coming")
		if m.tail.CompareAndSwap(place, place+1) {
			return place
		}
	}
}

// enter returns the window of a number with the writer counted in; nil where the ring has come round.
func (m *Ring[T]) enter(number uint64) *window[T] {
	if !m.single {
		return m.open(number)
	}
	if m.inside != nil {
		if m.inside.serves(number) {
			return m.inside
		}
		m.inside.leave()
	}
	m.inside = m.open(number)
	return m.inside
}

func (m *Ring[T]) leave(w *window[T]) {
	if !m.single {
		w.leave()
	}
}

// sequence is in which order the Fanout's Locate says that v is, where there is one. Like publish it takes a pointer: each hand-over
// of a large event by value is one more copy, and a copy of what was just copied waits for it.
func (m *Ring[T]) sequence(v *T) (uint64, bool) {
	p, ok := m.fanout.Point(*v)
	return p.Sequence, ok
}

// Close ends the Readers; what the ring holds they read first.
func (s sink[T]) Close(cause error) {
	m := s.ring
	m.mu.Lock()
	m.cause = cause
	readers := m.readers
	m.readers = nil
	m.mu.Unlock()
	for r := range readers {
		r.endWithRing(cause)
	}
}

// Lost returns how many Readers were lapped.
func (s sink[T]) Lost() uint64 { return s.ring.lapped.Load() }

// Cancel ends the Ring and its Readers. It waits for nothing.
func (m *Ring[T]) Cancel() { m.sub.Cancel() }

// Done returns a channel that is closed when the Ring is over. What it holds is readable still.
func (m *Ring[T]) Done() <-chan struct{} { return m.sub.Done() }

// Err returns nil while the Ring lives, and why it ended once it is over.
func (m *Ring[T]) Err() error { return m.sub.Err() }

// ID returns the number of the Ring's subscription within its Fanout.
func (m *Ring[T]) ID() uint64 { return m.sub.ID() }

// Region returns what was asked for.
func (m *Ring[T]) Region() region.Region { return m.sub.Region() }
