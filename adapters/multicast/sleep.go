package multicast

import (
	"sync/atomic"

	"github.com/spillwayhq/spillway/adapters/internal/step"
)

// sleep is where the Readers of a ring are listed while they wait. A writer that finds the list in use starts a goroutine
// that wakes all who are on it, or where there is but one Reader wakes that: one hand-off, however many they are. The list is
// in shards, so that a hundred thousand who lie down don't all write one word. Nothing runs while nobody is woken.
//
//	Reader   lists itself ── asleep = true ── looks once more ── waits
//	writer   publishes ── asleep? ── false ── sole? ── wakes that, or starts the waker, or lets the one there is go round again
type sleep[T any] struct {
	// asleep says that somebody is on the list, or is about to look once more.
	//   written by: Readers, to true; writers, to false by compare-and-swap
	//   read by:    both, first
	//   order:      a Reader lists itself, sets it, and looks for an event; a writer publishes, and looks at it
	asleep atomic.Bool

	// waker is what the goroutine that wakes does.
	//   written by: who wants a round, by Swap; the waker
	//   read by:    the same
	//   order:      a round is wanted before the list is looked at by it: a waker that has taken the list goes round again
	waker atomic.Uint32

	// sole is the ring's Reader where it has one; nil: it has none, or several.
	//   written by: who begins or ends a Reader; under Ring.mu
	//   read by:    writers, once they have cleared asleep
	//   order:      a Reader that begins takes it away before it lists itself: who finds that one asleep finds no other sole
	sole atomic.Pointer[Reader[T]]

	start func() // wakeAll, bound once: go s.start() allocates nothing

	shards [shards]shard[T]
}

const shards = 16

// A shard is a stack that Readers push on and the waker takes whole (R. K. Treiber, 1986).
type shard[T any] struct {
	// head is the last pushed.
	//   written by: Readers, by compare-and-swap; the waker, by Swap
	//   read by:    the same
	//   order:      a Reader's next is written before it is head; nothing is popped singly, so no ABA
	head atomic.Pointer[Reader[T]]

	_ [56]byte
}

// What a waker does.
const (
	nothing = iota // there is none
	goesRound
	goesAgain
)

// wake wakes all who sleep, from another goroutine where there may be several. With nobody asleep it is one load.
func (s *sleep[T]) wake() {
	if s.asleep.Load() && s.asleep.CompareAndSwap(true, false) {
		step.At("multicast:waking")
		if r := s.sole.Load(); r != nil {
			r.lot.Wake() // it stays on the list: only the waker takes anybody off
			return
		}
		s.round()
	}
}

// round has all who are listed woken.
func (s *sleep[T]) round() {
	if s.waker.Swap(goesAgain) == nothing {
		go s.start()
	}
}

func (s *sleep[T]) wakeAll() {
	for {
		s.waker.Store(goesRound)
		step.At("multicast:round")
		for i := range s.shards {
			for r := s.shards[i].head.Swap(nil); r != nil; {
				next := r.next
				r.next = nil
				r.listed.Store(false) // from here on it may list itself anew
				r.lot.Wake()
				r = next
			}
		}
		if s.waker.CompareAndSwap(goesRound, nothing) {
			return
		}
	}
}

// list puts r on the list, unless it is there.
func (s *sleep[T]) list(r *Reader[T]) {
	if !r.listed.Swap(true) {
		head := &s.shards[r.number%shards].head
		for {
			first := head.Load()
			r.next = first
			if head.CompareAndSwap(first, r) {
				break
			}
		}
	}
	step.At("multicast:listed")
	if !s.asleep.Load() {
		s.asleep.Store(true)
	}
}
