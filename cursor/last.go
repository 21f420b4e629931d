package cursor

import (
	"context"
	"errors"
	"fmt"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// lastEvent is the What of an error that says that a Log has another event than was seen there.
const lastEvent = "event"

// A last is an event below a place, as whoever saved that place had it. A Log that lost its end (a backup was restored; the power went
// where nothing waits for a sync) and grew again has the identity that it had, and the place lies in it: only its events
// tell that they are others.
type last struct {
	sequence uint64
	id       core.ID
	other    func(want, got string) error // what to return for one that differs
}

// newLast returns nil where no event is known.
func newLast(sequence uint64, id core.ID, other func(want, got string) error) *last {
	if id == (core.ID{}) {
		return nil
	}
	return &last{sequence, id, other}
}

// in compares it with what is at its sequence in log. What isn't there any more can't be judged.
func (l *last) in(ctx context.Context, log Log) error {
	if l == nil {
		return nil
	}
	var dst [1]core.Envelope
	for from := l.sequence; from <= l.sequence; {
		n, next, err := log.Read(ctx, region.Region{}, from, dst[:])
		switch {
		case errors.Is(err, ErrCompacted):
			return nil
		case err != nil:
			return err
		case n > 0 && dst[0].Sequence == l.sequence && dst[0].EventID != l.id:
			return l.other(eventText(l.sequence, dst[0].EventID), eventText(l.sequence, l.id))
		case n > 0:
			return nil
		case next == from: // the Log's end: the place below which it was lies further on
			return &BeyondError{From: l.sequence, Next: next}
		}
		from = next
	}
	return nil
}

func eventText(sequence uint64, id core.ID) string { return fmt.Sprintf("%d (%s)", sequence, id) }

// Start returns where to go on from c: at its Place, in a Log that still has the event that was before it. Opening fails with a *BeyondError
// where the Log doesn't come so far, and with a *MismatchError where it has another event there.
func (c *Checkpoint) Start() Start {
	name := c.Name
	s := From(c.Place)
	s.last = newLast(c.LastSequence, c.LastID, func(want, got string) error {
		return &MismatchError{Name: name, What: lastEvent, Want: want, Got: got}
	})
	return s
}

// Move sets Place, and notes the event before it as log has it: of whatever Region, since a place moves over others' events too. Where
// log can't say it, what was noted before stays, if that is below place: it tells less, and nothing that is wrong.
func (c *Checkpoint) Move(ctx context.Context, log Log, place uint64) {
	if c.Place = place; c.LastSequence >= place {
		c.LastSequence, c.LastID = 0, core.ID{}
	}
	if sequence, id, ok := before(ctx, log, place); ok {
		c.LastSequence, c.LastID = sequence, id
	}
}

// before returns the event before a place, of whatever Region; false where log can't say it.
func before(ctx context.Context, log Log, place uint64) (sequence uint64, id core.ID, ok bool) {
	if place == 0 {
		return 0, id, false
	}
	var dst [1]core.Envelope
	n, _, err := log.Read(ctx, region.Region{}, place-1, dst[:])
	return dst[0].Sequence, dst[0].EventID, err == nil && n > 0 && dst[0].Sequence < place
}
