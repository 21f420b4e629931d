package cursor

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// A Clock is the hybrid logical clock of a Log: the wall clock where that moves on, and a counter where it doesn't.
// Each of its readings is later than all before, by milliseconds first and counter second, whatever the wall clock
// does: while that stands still, or has been set back, the counter goes on, and when it is full the milliseconds
// run ahead by one.
//
// The zero Clock works. A Clock is for engines: its methods are called by one goroutine at a time.
type Clock struct {
	wallMS  uint64
	counter uint16
}

// Next returns the reading for one event. A wall clock before 1970 is one that stands still; one that ran far ahead
// leaves the Clock where it was, and the counter to go on until the time has come. At the greatest reading that there is it stays: no clock
// comes there by itself in 500 million years, and Receive lets none be taken there.
func (c *Clock) Next(wall time.Time) (wallMS uint64, counter uint16) {
	now := uint64(max(0, wall.UnixMilli()))
	switch {
	case now > c.wallMS:
		c.wallMS, c.counter = now, 0
	case c.counter < math.MaxUint16:
		c.counter++
	case c.wallMS < math.MaxUint64:
		c.wallMS, c.counter = c.wallMS+1, 0
	}
	return c.wallMS, c.counter
}

// Observe has all later readings be later than this one, whatever it is: that of the last event of a Log that is opened again, which nothing can
// take back. What comes from elsewhere is for Receive.
func (c *Clock) Observe(wallMS uint64, counter uint16) {
	if wallMS > c.wallMS || wallMS == c.wallMS && counter > c.counter {
		c.wallMS, c.counter = wallMS, counter
	}
}

// Receive is Observe for the reading of another node's event, where this node's wall clock shows wall: but it fails, and nothing is
// changed, with a *DriftError if the reading is over most ahead of that. One node whose wall clock is wrong would take all the others with
// it otherwise, and none would come back. A most of some 500 ms is what is usual between machines that keep their time. The
// event is not to be taken in then: its order with others is by chance.
func (c *Clock) Receive(wallMS uint64, counter uint16, wall time.Time, most time.Duration) error {
	now := uint64(max(0, wall.UnixMilli()))
	if bound := uint64(max(0, most.Milliseconds())); wallMS > now && wallMS-now > bound {
		return &DriftError{WallMS: wallMS, NowMS: now, MostMS: bound}
	}
	c.Observe(wallMS, counter)
	return nil
}

// ErrDrift says that another node's clock is too far ahead. The error is a *DriftError.
var ErrDrift = errors.New("spillway/cursor: the clock of another node is too far ahead")

// A DriftError says how far, in milliseconds since 1970. errors.Is(err, ErrDrift) holds for it.
type DriftError struct {
	WallMS uint64 // of the reading
	NowMS  uint64 // of the wall clock here
	MostMS uint64 // that it may be ahead
}

func (e *DriftError) Error() string {
	return fmt.Sprintf("%v: %d ms; up to %d ms is taken", ErrDrift, e.WallMS-e.NowMS, e.MostMS)
}

// Unwrap returns ErrDrift.
func (e *DriftError) Unwrap() error { return ErrDrift }
