package cursor

import (
	"time"

	"github.com/spillwayhq/spillway/region"
)

// Limits are what an engine bounds. They don't change while the Log is open. A bound of 0 is none.
type Limits struct {
	Batch      int // drafts in one Append
	BatchBytes int // payload bytes in one Append, together
	Payload    int // bytes of one payload
	Entities   int // Coordinates that the Log ever knows: their clocks are kept for good, whatever retention drops

	// An event that is appended again is recognized at least as long as it is kept, is among the last Repeats
	// events, and is no older than RepeatsFor. Beyond that it may be taken for a new one.
	Repeats    int
	RepeatsFor time.Duration

	Clocks ClockOrder
}

// A ClockOrder says whose events the hybrid logical clock puts in the order in which they are in the Log.
type ClockOrder uint8

const (
	// TotalOrder is all events': of two, the one with the higher sequence has the later clock.
	TotalOrder ClockOrder = iota
	// OrderPerNode is that of those that one node appended: several append to the Log, each by a clock of its own.
	OrderPerNode
)

func (o ClockOrder) String() string {
	switch o {
	case TotalOrder:
		return "total"
	case OrderPerNode:
		return "per node"
	}
	return "unknown"
}

// Check returns nil, or why no state of the Log would take the batch: a *LimitError for the whole of it, or a
// *DraftError for the first Draft that is too large or has no Coordinate. Engines call it first.
func (l Limits) Check(ds []Draft) error {
	if l.Batch > 0 && len(ds) > l.Batch {
		return &LimitError{Limit: "drafts in a batch", Got: uint64(len(ds)), Most: uint64(l.Batch)}
	}
	total := 0
	for i := range ds {
		d := &ds[i]
		if d.Coordinate == (region.Coordinate{}) {
			return &DraftError{Index: i, Err: ErrNoCoordinate}
		}
		if l.Payload > 0 && len(d.Payload) > l.Payload {
			return &DraftError{Index: i, Err: &LimitError{Limit: "bytes of a payload", Got: uint64(len(d.Payload)), Most: uint64(l.Payload)}}
		}
		total += len(d.Payload)
	}
	if l.BatchBytes > 0 && total > l.BatchBytes {
		return &LimitError{Limit: "payload bytes in a batch", Got: uint64(total), Most: uint64(l.BatchBytes)}
	}
	return nil
}
