package cursor

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/spillwayhq/spillway/region"
)

// A Start is where a Cursor begins. The zero Start is FromStart.
type Start struct {
	where where
	seq   uint64
	saved *saved // of FromCheckpoint
	last  *last  // of what was saved; nil where none is known
}

// A saved is what FromCheckpoint was given.
type saved struct {
	store Checkpoints
	name  string
	or    Start
}

type where uint8

const (
	fromStart where = iota
	fromEnd
	from
	after
	fromCheckpoint
)

// FromStart begins at the first event that is kept when it comes to the first read: retention cannot be quicker.
func FromStart() Start { return Start{} }

// FromEnd begins at the Log's end as Open finds it: at the latest with the first event that is appended after Open has returned.
func FromEnd() Start { return Start{where: fromEnd} }

// From begins at seq itself: it is the sequence of an event that was not handled yet.
func From(seq uint64) Start { return Start{where: from, seq: seq} }

// After begins behind seq: it is the sequence of the last event that was handled.
func After(seq uint64) Start { return Start{where: after, seq: seq} }

// FromCheckpoint begins at the place that is saved under a name, and at or where none is. It claims nothing: that is
// its owner's to do. Opening fails as Load does otherwise, and with a *MismatchError where what is saved is bound to
// another Log or Region than it is opened on, or to a Log that has lost its end and grown again.
func FromCheckpoint(store Checkpoints, name string, or Start) Start {
	return Start{where: fromCheckpoint, saved: &saved{store: store, name: name, or: or}}
}

// String returns "from start", "from end", "from 7", "after 7" or "from checkpoint name".
func (s Start) String() string {
	switch s.where {
	case fromEnd:
		return "from end"
	case from:
		return fmt.Sprintf("from %d", s.seq)
	case after:
		return fmt.Sprintf("after %d", s.seq)
	case fromCheckpoint:
		return fmt.Sprintf("from checkpoint %q", s.saved.name)
	}
	return "from start"
}

// plain returns a Start that is none from a Checkpoint, for r in log. It ends since a Start is made before those that fall back on it.
func (s Start) plain(ctx context.Context, log Log, r region.Region) (Start, error) {
	for s.where == fromCheckpoint {
		c, err := s.saved.store.Load(ctx, s.saved.name)
		if errors.Is(err, ErrNoCheckpoint) {
			s = s.saved.or
			continue
		}
		if err != nil {
			return s, err
		}
		want := NewCheckpoint(s.saved.name, log.ID(), r, 0)
		return c.Start(), c.Bound(&want)
	}
	return s, nil
}

// in returns the sequence to begin at in log, as it is now: a *CompactedError or a *BeyondError where nothing can be read
// there, and what last says where the Log has another event before it.
func (s Start) in(ctx context.Context, log Log) (uint64, error) {
	b, err := log.Bounds(ctx)
	if err != nil {
		return 0, err
	}
	seq := s.seq
	switch s.where {
	case fromStart:
		return b.First, nil
	case fromEnd:
		return b.Next, nil
	case after:
		if seq == math.MaxUint64 {
			return 0, &BeyondError{From: seq, Next: b.Next}
		}
		seq++
	}
	if seq < b.First {
		return 0, &CompactedError{From: seq, First: b.First}
	}
	if seq > b.Next {
		return 0, &BeyondError{From: seq, Next: b.Next}
	}
	return seq, s.last.in(ctx, log)
}
