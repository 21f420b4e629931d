package cursor

import (
	"context"
	"fmt"
	"iter"

	"github.com/spillwayhq/spillway/core"
)

// Merge returns the values of several streams over one Log as one, in the order of their sequences. An event that several of
// them have comes once. place says where a value stands: an event at its sequence; any other value, as a Mark is, before the
// event of that sequence, and it comes as often as it is there.
//
// Which is first is known when each source has its next: Merge waits for the slowest. A quiet source holds the others
// up until it has an event, a mark or an end; a Follower's Progress comes in time, a Cursor has nothing of the kind: for
// those there is MergeCursors. One value of each source is held back, and lost to whoever breaks off; sources that are
// Cursors are then past it.
//
// A source that ends leaves the rest to the others. The error of one ends all, after everything before it: nothing
// behind is handed out, as the others don't know what it would have had. A source that goes back ends all with ErrDisorder.
func Merge[V any](place func(V) (sequence uint64, event bool), sources ...iter.Seq2[V, error]) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		heads := make([]*head[V], 0, len(sources))
		defer func() {
			for _, h := range heads {
				h.stop()
			}
		}()
		for i, s := range sources {
			h := &head[V]{source: i}
			h.next, h.stop = iter.Pull2(s)
			heads = append(heads, h)
			h.pull(place)
		}
		var last stand // of the event handed out last
		for {
			first := earliest(heads)
			switch {
			case first == nil:
				return
			case first.err != nil:
				var none V
				yield(none, first.err)
				return
			case first.at.event && first.at == last: // another source had it
			case !yield(first.value, nil):
				return
			case first.at.event:
				last = first.at
			}
			first.pull(place)
		}
	}
}

// earliest returns the source whose next is first; nil where all have ended. An error comes after all that doesn't come after
// what its source had last.
func earliest[V any](heads []*head[V]) (first *head[V]) {
	for _, h := range heads {
		if h.ok && (first == nil || h.at.before(first.at) || h.at == first.at && first.err != nil && h.err == nil) {
			first = h
		}
	}
	return first
}

// EnvelopePlace is what Merge asks for where all values are events.
func EnvelopePlace(e core.Envelope) (sequence uint64, event bool) { return e.Sequence, true }

// ItemPlace is what Merge asks for where the values are Items, as a Follower's are: a Mark stands before the event of its Place.
func ItemPlace(i Item) (sequence uint64, event bool) {
	if i.IsMark() {
		return i.Mark.Place, false
	}
	return i.Sequence, true
}

// A stand is the place of a value among others.
type stand struct {
	sequence uint64
	event    bool
}

func (s stand) before(t stand) bool {
	return s.sequence < t.sequence || s.sequence == t.sequence && !s.event && t.event
}

// A head is the next value of one source of a Merge, or its error.
type head[V any] struct {
	source int // its number
	value  V
	at     stand // of value; where there is an error, of the last before it
	err    error
	ok     bool // there is either
	begun  bool // at is that of a value
	next   func() (V, error, bool)
	stop   func()
}

// pull goes on to the source's next.
func (h *head[V]) pull(place func(V) (uint64, bool)) {
	if h.value, h.err, h.ok = h.next(); !h.ok || h.err != nil {
		return
	}
	at := stand{}
	at.sequence, at.event = place(h.value)
	if h.begun && (at.before(h.at) || at == h.at && at.event) {
		h.err = fmt.Errorf("%w: source %d has sequence %d after %d", ErrDisorder, h.source, at.sequence, h.at.sequence)
		return
	}
	h.at, h.begun = at, true
}

// MergeCursors returns the events of several Cursors of one Log as one stream, in order and each once, and waits at the Log's
// end. A quiet Region holds nobody up: each Cursor moves on over what isn't its own, as far as the others have come.
//
// Each Cursor's Place stays exact, whenever the caller breaks off: all of its Region below was handed out. The least of them is
// where all can be opened again; the Cursors themselves can be used on, in another merge or alone. An error comes after all
// events that are before the Place of the Cursor that has it, and ends the stream; it has moved nothing. Finding the next
// event takes a look at each Cursor: this is for tens of Regions.
func MergeCursors(ctx context.Context, cursors ...*Cursor) iter.Seq2[core.Envelope, error] {
	return func(yield func(core.Envelope, error) bool) {
		for _, c := range cursors {
			if c.log.ID() != cursors[0].log.ID() {
				yield(core.Envelope{}, fmt.Errorf("%w: %s and %s", ErrLogs, cursors[0].log.ID(), c.log.ID()))
				return
			}
		}
		for len(cursors) > 0 {
			e, err := mergeNext(ctx, cursors)
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// mergeNext returns the next event of all cursors, and takes it from each that has it.
func mergeNext(ctx context.Context, cursors []*Cursor) (core.Envelope, error) {
	for {
		first := leader(cursors)
		blocked, err := catchUp(ctx, cursors, first)
		if err != nil {
			return core.Envelope{}, err
		}
		if blocked {
			continue // there is more now, or it is known of more that there isn't
		}
		e := first.pop()
		for _, c := range cursors {
			if len(c.held) > 0 && c.held[0].Sequence == e.Sequence {
				c.pop()
			}
		}
		return e, nil
	}
}

// leader returns the cursor that holds the earliest event; nil where none holds one.
func leader(cursors []*Cursor) (first *Cursor) {
	for _, c := range cursors {
		if len(c.held) > 0 && (first == nil || c.held[0].Sequence < first.held[0].Sequence) {
			first = c
		}
	}
	return first
}

// catchUp has those cursors read a step that hold nothing and have not come past what first holds, and tells whether there
// were any. Where none of them moves, it waits at the Log's end. An error is that of the cursor that is furthest behind.
func catchUp(ctx context.Context, cursors []*Cursor, first *Cursor) (blocked bool, err error) {
	var (
		moved  bool
		behind *Cursor // the one furthest behind, and what it failed with
	)
	for _, c := range cursors {
		if len(c.held) > 0 || first != nil && c.next > first.held[0].Sequence {
			continue
		}
		blocked = true
		n, next, failed := c.read(ctx, c.room())
		if failed == nil {
			moved = moved || n > 0 || next != c.next
			c.next = next
			c.keep(n)
		}
		if behind == nil || c.Place() < behind.Place() || c.Place() == behind.Place() && failed != nil {
			behind, err = c, failed
		}
	}
	if err != nil || !blocked || moved {
		return blocked, err
	}
	return true, behind.log.Wait(ctx, behind.next)
}
