package cursor

import (
	"context"
	"fmt"
	"math"
)

// A Start is where a Cursor begins. The zero Start is FromStart.
type Start struct {
	where where
	seq   uint64
}

type where uint8

const (
	fromStart where = iota
	fromEnd
	from
	after
)

// FromStart begins at the first event that is kept when it comes to the first read: retention cannot be quicker.
func FromStart() Start { return Start{} }

// FromEnd begins at the Log's end as Open finds it: at the latest with the first event that is appended after Open has returned.
func FromEnd() Start { return Start{where: fromEnd} }

// From begins at seq itself: it is the sequence of an event that was not handled yet.
func From(seq uint64) Start { return Start{where: from, seq: seq} }

// After begins behind seq: it is the sequence of the last event that was handled.
func After(seq uint64) Start { return Start{where: after, seq: seq} }

// String returns "from start", "from end", "from 7" or "after 7".
func (s Start) String() string {
	switch s.where {
	case fromEnd:
		return "from end"
	case from:
		return fmt.Sprintf("from %d", s.seq)
	case after:
		return fmt.Sprintf("after %d", s.seq)
	}
	return "from start"
}

// in returns the sequence to begin at in log, as it is now: a *CompactedError or a *BeyondError where nothing can be read
// there.
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
	return seq, nil
}
