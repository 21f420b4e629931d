package ring

import (
	"errors"
	"fmt"
)

// A Policy says what becomes of an event that finds the ring full.
type Policy uint8

const (
	// Prune ends the subscription: what the ring holds stays readable, and the error says what was missed first.
	Prune Policy = iota
	// Overwrite replaces the oldest event that is not read yet, and counts it as lost.
	Overwrite
)

// String returns the Policy's name in lower case.
func (p Policy) String() string {
	switch p {
	case Prune:
		return "prune"
	case Overwrite:
		return "overwrite"
	}
	return "unknown policy"
}

// Options say how large a ring is, and what happens when it is full.
type Options struct {
	Capacity int    // events, exactly; at least 1
	WhenFull Policy // Prune where it is not set
}

var (
	// ErrCapacity is in the error of a Subscribe whose Capacity is below 1, or more than memory can have.
	ErrCapacity = errors.New("spillway/ring: unusable capacity")
	// ErrPolicy is in the error of a Subscribe whose WhenFull is neither Prune nor Overwrite.
	ErrPolicy = errors.New("spillway/ring: unknown policy")
)

// mostOverwriting is what the numbers of cells allow.
const mostOverwriting = 1 << 30

func (o Options) validate() error {
	if o.Capacity < 1 {
		return fmt.Errorf("%w: %d; an event needs room for one at least", ErrCapacity, o.Capacity)
	}
	if o.WhenFull == Overwrite && o.Capacity > mostOverwriting {
		return fmt.Errorf("%w: %d; a ring that overwrites has %d at most", ErrCapacity, o.Capacity, mostOverwriting)
	}
	if o.WhenFull > Overwrite {
		return fmt.Errorf("%w: %d; want ring.Prune or ring.Overwrite", ErrPolicy, o.WhenFull)
	}
	return nil
}
