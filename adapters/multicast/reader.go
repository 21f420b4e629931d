package multicast

import (
	"context"
	"fmt"
	"iter"
	"math"
	"sync"
	"sync/atomic"

	"github.com/spillwayhq/spillway/adapters/internal/park"
	"github.com/spillwayhq/spillway/adapters/internal/pull"
	"github.com/spillwayhq/spillway/adapters/internal/step"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A Start is where in the ring a Reader begins.
type Start uint8

const (
	// FromNext begins with the event that comes next.
	FromNext Start = iota
	// FromOldest begins with the oldest event that a Reader may lag by.
	FromOldest
)

// A Reader reads a Ring from its own place. Several goroutines may read by one Reader; each event then goes
// to one of them.
type Reader[T any] struct {
	ring   *Ring[T]
	number uint64   // spreads Readers over the list's shards
	lot    park.Lot // has ended when the Reader has

	// stop takes back the watch over its context; nil where there is none yet.
	//   written by: Ring.Reader, before it looks whether the Reader has ended
	//   read by:    who ends it, when cause says so
	//   order:      stop, then cause, against cause, then stop: one of the two calls it
	stop atomic.Pointer[func() bool]

	// listed says that the Reader is on the list of those who sleep; next leads to the one below.
	//   written by: the Reader that lists itself, by Swap; the waker, when it has read next
	//   read by:    the same
	//   order:      whoever turns it to true owns next until the push, the waker after it
	listed atomic.Bool
	next   *Reader[T]

	// cause is why it ended; nil while it lives.
	//   written by: who ends it, by compare-and-swap from nil
	//   read by:    Err, and each read
	//   order:      one end wins
	cause atomic.Pointer[error]

	mu       sync.Mutex // among those who read, and who ends the ring; no writer takes it
	place    uint64     // of the next event
	expected uint64     // the sequence after that of the last event read, or the ring's highest when the Reader began
	drains   bool       // it ended with its ring: what that holds comes first
	one      [1]T       // where Next reads to
}

// Reader returns a new Reader, which ends with ctx, by its Cancel, with the Ring, or when it is lapped. It
// refuses with the Ring's error when that is over; for a context that is already over with one that is both
// core.ErrCancelled and the context's cause. Each context is watched on its own: a hundred thousand Readers
// had better take context.Background() and end with the Ring. One that nobody reads any more stays with the Ring
// until it is cancelled: no writer looks at it, and nobody is told that it was lapped.
func (m *Ring[T]) Reader(ctx context.Context, from Start) (*Reader[T], error) {
	if ctx.Err() != nil {
		return nil, overErr(ctx)
	}
	r := &Reader[T]{ring: m}
	r.lot.Init()
	r.begin(from) // first: who ends the Ring finds Readers that have their place
	m.mu.Lock()
	if m.cause != nil {
		m.mu.Unlock()
		return nil, m.cause
	}
	m.began++
	r.number = m.began
	m.readers[r] = struct{}{}
	m.most = max(m.most, len(m.readers))
	m.setSole()
	m.mu.Unlock()
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() { r.end(overErr(ctx)) })
		r.stop.Store(&stop)
		if r.cause.Load() != nil {
			stop()
		}
	}
	return r, nil
}

// setSole says who the only Reader is, where it is one. Under m.mu.
func (m *Ring[T]) setSole() {
	var sole *Reader[T]
	if len(m.readers) == 1 {
		for sole = range m.readers {
		}
	}
	m.sleep.sole.Store(sole)
}

func overErr(ctx context.Context) error {
	return fmt.Errorf("%w by its context: %w", core.ErrCancelled, context.Cause(ctx))
}

// begin finds the Reader's place, and what sequence it expects there. Where writers have come round before that was found
// it begins later: each retry means that they got on. Nobody else knows the Reader yet.
func (r *Reader[T]) begin(from Start) {
	m := r.ring
	for tail := m.tail.Load(); !r.beginAt(from, tail); {
		now := m.tail.Load()
		if now == tail || m.order.next.Load() == 0 { // nothing is published there yet, or located at all
			return
		}
		tail = now
	}
}

// beginAt takes a place for which tail is the next to be claimed; false where it is not known what to expect there.
func (r *Reader[T]) beginAt(from Start, tail uint64) (known bool) {
	m := r.ring
	held := min(m.capacity, tail-m.first)
	r.place = tail
	if from == FromOldest {
		r.place -= held
		if sequence, ok := m.sequenceAt(r.place); ok {
			r.expected = sequence
			return true
		}
	}
	// The last before it that is published; a writer that has stopped before it was is among the late.
	for back := uint64(1); back <= min(held, r.place-m.first); back++ {
		if sequence, ok := m.sequenceAt(r.place - back); ok {
			r.expected = max(sequence, sequence+1)
			return true
		}
	}
	return r.place == m.first
}

// sequenceAt returns the sequence of the event at a place; false where none is published there, any more or yet.
func (m *Ring[T]) sequenceAt(place uint64) (uint64, bool) {
	var one [1]T
	n, sequence := m.copy(place, one[:])
	return sequence, n > 0
}

// copy copies what is published from a place on, within one window; with the sequence of the last.
func (m *Ring[T]) copy(place uint64, dst []T) (n int, sequence uint64) {
	number := place >> m.bits
	return m.windows[number%windows].Load().read(number, place, dst)
}

// lapped tells whether the Reader lags by more than the capacity.
func (r *Reader[T]) lapped() bool { return r.ring.tail.Load()-r.place > r.ring.capacity }

// read takes what there is, into dst; it returns 0 and nil where nothing is. Under r.mu.
func (r *Reader[T]) read(dst []T) (n int, err error) {
	if cause := r.cause.Load(); cause != nil && !r.drains {
		return 0, *cause
	}
	// The check comes first: what is copied after it is whole, since nobody writes a window that a Reader is
	// inside, and it may well be more than the capacity behind when the call returns.
	if r.lapped() {
		r.endLapped()
		return 0, *r.cause.Load()
	}
	step.At("multicast:not-lapped")
	for n < len(dst) {
		k, sequence := r.ring.copy(r.place, dst[n:])
		if k == 0 {
			break
		}
		r.place += uint64(k)
		r.expected = max(sequence, sequence+1)
		n += k
	}
	if n == 0 {
		if cause := r.cause.Load(); cause != nil {
			err = *cause
		}
		return 0, err
	}
	return n, nil
}

// look reads, and where nothing is there lists the Reader among those to be woken, and reads again. Under r.mu.
func (r *Reader[T]) look(dst []T) (n int, err error) {
	if n, err = r.read(dst); n > 0 || err != nil {
		return n, err
	}
	r.ring.sleep.list(r)
	return r.read(dst)
}

// Next returns the next event, and waits for one while the Reader lives. When it has ended with its Ring, what that
// holds comes first; then, and at once after any other end, the error that Err returns, as often as
// asked. If ctx ends while Next waits, it returns the cause and has taken nothing.
func (r *Reader[T]) Next(ctx context.Context) (v T, err error) {
	over := r.lot.Await(ctx, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		var n int
		if n, err = r.look(r.one[:]); n == 0 {
			return err != nil
		}
		var none T
		v, r.one[0] = r.one[0], none
		return true
	})
	if over != nil {
		err = over
	}
	return v, err
}

// NextBatch copies as many events as there are, and as dst has room for, to the start of dst, and returns how
// many: one at least, which it waits for as Next does, or 0 and an error as Next's. A dst without room
// gets 0 and no error.
func (r *Reader[T]) NextBatch(ctx context.Context, dst []T) (n int, err error) {
	if len(dst) == 0 {
		return 0, nil
	}
	over := r.lot.Await(ctx, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		n, err = r.look(dst)
		return n > 0 || err != nil
	})
	if over != nil {
		err = over
	}
	return n, err
}

// All returns the events as they come, and at the end the error that Err returns, with a zero event. Leaving
// the loop early cancels the Reader.
func (r *Reader[T]) All() iter.Seq2[T, error] { return pull.All(r.Next, r.Cancel) }

// Lag returns by how many events the Reader is behind: more than the Ring's capacity, and its next call finds that it
// was lapped.
func (r *Reader[T]) Lag() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return int(min(r.ring.tail.Load()-r.place, math.MaxInt))
}

// Cancel ends the Reader, which reads no more. It waits for nothing.
func (r *Reader[T]) Cancel() { r.end(core.ErrCancelled) }

// Done returns a channel that is closed when the Reader is over; one that was lapped may not be until it reads again.
func (r *Reader[T]) Done() <-chan struct{} { return r.lot.Over() }

// Err returns nil while the Reader lives, and why it ended once it is over: for one that was lapped a
// *core.PrunedError, with the Fanout, ID and Region of the Ring.
func (r *Reader[T]) Err() error {
	if cause := r.cause.Load(); cause != nil {
		return *cause
	}
	return nil
}

// ID returns the Ring's number within its Fanout.
func (r *Reader[T]) ID() uint64 { return r.ring.ID() }

// Region returns what the Ring asked for.
func (r *Reader[T]) Region() region.Region { return r.ring.Region() }
