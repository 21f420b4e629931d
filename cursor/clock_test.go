package cursor_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/spillwayhq/spillway/cursor"
)

// TestClock: milliseconds where they move on, the counter where they don't, and a millisecond ahead when that is full.
func TestClock(t *testing.T) {
	var c cursor.Clock
	for i, s := range []struct {
		wall    int64 // milliseconds
		ms      uint64
		counter uint16
	}{
		{1000, 1000, 0},
		{1000, 1000, 1},
		{999, 1000, 2},
		{-5, 1000, 3},
		{1001, 1001, 0},
	} {
		if ms, counter := c.Next(time.UnixMilli(s.wall)); ms != s.ms || counter != s.counter {
			t.Errorf("step %d, wall clock %d: %d.%d, want %d.%d", i, s.wall, ms, counter, s.ms, s.counter)
		}
	}
	c.Observe(2000, math.MaxUint16)
	c.Observe(1500, 7)
	if ms, counter := c.Next(time.UnixMilli(2000)); ms != 2001 || counter != 0 {
		t.Errorf("after a full counter: %d.%d, want 2001.0", ms, counter)
	}
	if ms, counter := c.Next(time.UnixMilli(2000)); ms != 2001 || counter != 1 {
		t.Errorf("ahead of the wall clock: %d.%d, want 2001.1", ms, counter)
	}
}

// TestH156ClockNeverRunsBackwards: each reading is later than all before, whatever the wall clock shows and is observed.
func TestH156ClockNeverRunsBackwards(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c cursor.Clock
		var lastMS uint64
		var lastCounter uint16
		walls := rapid.OneOf(rapid.Int64Range(-3, 3), rapid.Int64Range(1_700_000_000_000, 1_700_000_000_003), rapid.Int64())
		counters := rapid.OneOf(rapid.Uint16Range(0, 2), rapid.Uint16Range(math.MaxUint16-2, math.MaxUint16))
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "observe") {
				ms, counter := uint64(max(0, walls.Draw(t, "ms"))), counters.Draw(t, "counter")
				c.Observe(ms, counter)
				if ms > lastMS || ms == lastMS && counter > lastCounter {
					lastMS, lastCounter = ms, counter
				}
				continue
			}
			ms, counter := c.Next(time.UnixMilli(walls.Draw(t, "wall")))
			if ms < lastMS || ms == lastMS && counter <= lastCounter {
				t.Fatalf("%d.%d after %d.%d", ms, counter, lastMS, lastCounter)
			}
			lastMS, lastCounter = ms, counter
		}
	})
}

// TestClockReceives: a reading that is too far ahead changes nothing, and says how far; any other is as observed. At the greatest
// reading the Clock stays.
func TestClockReceives(t *testing.T) {
	for _, r := range []struct {
		ms     uint64
		most   time.Duration
		refuse bool
	}{
		{1500, 500 * time.Millisecond, false},
		{1501, 500 * time.Millisecond, true},
		{math.MaxUint64, time.Duration(math.MaxInt64), true},
		{1000, 0, false},
		{1001, 0, true},
		{1001, -time.Second, true},
		{3, 0, false},
	} {
		var c cursor.Clock
		c.Observe(900, 3)
		err := c.Receive(r.ms, 7, time.UnixMilli(1000), r.most)
		drift, ok := errors.AsType[*cursor.DriftError](err)
		if ok != r.refuse || errors.Is(err, cursor.ErrDrift) != r.refuse || ok && (drift.WallMS != r.ms || drift.NowMS != 1000) {
			t.Errorf("%d, %v ahead at most: %v", r.ms, r.most, err)
		}
		wantMS, wantCounter := r.ms, uint16(8)
		if r.refuse || r.ms < 900 {
			wantMS, wantCounter = 900, 4
		}
		if ms, counter := c.Next(time.UnixMilli(0)); ms != wantMS || counter != wantCounter {
			t.Errorf("%d, %v ahead at most: then %d.%d, want %d.%d", r.ms, r.most, ms, counter, wantMS, wantCounter)
		}
	}
	var c cursor.Clock
	if err := c.Receive(5, 0, time.UnixMilli(-7), 4*time.Millisecond); !errors.Is(err, cursor.ErrDrift) {
		t.Errorf("a wall clock before 1970: %v", err)
	}
	c.Observe(math.MaxUint64, math.MaxUint16)
	if ms, counter := c.Next(time.UnixMilli(1000)); ms != math.MaxUint64 || counter != math.MaxUint16 {
		t.Errorf("after the greatest: %d.%d", ms, counter)
	}
}
