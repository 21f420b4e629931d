package cursor

import (
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
// leaves the Clock where it was, and the counter to go on until the time has come.
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

// Observe has all later readings be later than this one: that of the last event of a Log that is opened again, or of
// one that another node appended.
func (c *Clock) Observe(wallMS uint64, counter uint16) {
	if wallMS > c.wallMS || wallMS == c.wallMS && counter > c.counter {
		c.wallMS, c.counter = wallMS, counter
	}
}
