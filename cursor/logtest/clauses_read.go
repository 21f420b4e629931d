package logtest

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// checkMovesOn: a Read moves on until it comes to the end, whatever it finds, and writes no more than it says.
func checkMovesOn(t *trial) error {
	if err := t.many("loud", 300); err != nil {
		return err
	}
	if err := t.many("quiet", 1); err != nil {
		return err
	}
	if err := t.many("loud", 300); err != nil {
		return err
	}
	next := uint64(len(t.events))
	for _, r := range []region.Region{{}, {Entity: "loud"}, {Entity: "quiet"}, {Entity: "nobody"}, {Clock: region.Clocks(1, 1)}} {
		for _, room := range []int{1, 7, 1000} {
			if err := t.walk(r, next, room); err != nil {
				return fmt.Errorf("reading %s, %d at a time: %w", r, room, err)
			}
		}
	}
	if n, to, err := t.Log.Read(t.ctx, region.Region{}, 5, nil); n != 0 || to != 5 || err != nil {
		return fmt.Errorf("reading without room from 5: %d, next %d, %s; want 0, 5", n, to, said(err))
	}
	return nil
}

// walk reads to the end, and looks at nothing but how it gets there.
func (t *trial) walk(r region.Region, end uint64, room int) error {
	dst := make([]core.Envelope, room)
	for from := uint64(0); ; {
		for i := range dst {
			dst[i] = untouched
		}
		n, next, err := t.Log.Read(t.ctx, r, from, dst)
		switch {
		case err != nil:
			return fmt.Errorf("from %d: %w", from, err)
		case n < 0 || n > room || next < from || next > end:
			return fmt.Errorf("from %d of %d: returned %d, next %d", from, end, n, next)
		case next == from && from < end:
			return fmt.Errorf("from %d of %d: it doesn't move on", from, end)
		}
		for i := range dst {
			if written := !same(dst[i], untouched); written != (i < n) {
				return fmt.Errorf("from %d: returned %d, and element %d was written: %v", from, n, i, written)
			}
		}
		if from == end {
			return nil
		}
		from = next
	}
}

// checkReads: what was answered is what is read, from wherever, however little at a time.
func checkReads(t *trial) error {
	if _, err := t.append(mixed(60)...); err != nil {
		return err
	}
	if err := t.many("alice", 1500); err != nil {
		return err
	}
	for _, s := range []struct {
		from uint64
		room int
	}{
		{0, 7},
		{0, 5000},
		{1, 99},
		{30, 500},
		{59, 5000},
		{60, 7},
		{255, 100},
		{256, 5000},
		{1024, 7},
		{1300, 1},
		{1559, 1},
		{1560, 5000}, // one at a time is slow over a network
	} {
		if err := t.holds(region.Region{}, s.from, s.room); err != nil {
			return err
		}
	}
	return nil
}

// checkByRegion: a Region is answered with its events alone, and all of them.
func checkByRegion(t *trial) error {
	if _, err := t.append(mixed(200)...); err != nil {
		return err
	}
	from, room := []uint64{0, 77, 199}, []int{1, 9, 500}
	for i, r := range someRegions() {
		if err := t.holds(r, from[i%3], room[i/3%3]); err != nil {
			return err
		}
	}
	return nil
}

// someRegions returns every shape of Region, with what mixed makes and what it doesn't.
func someRegions() (rs []region.Region) {
	for _, entity := range []string{"", "alice", "alice:child", "alic", "nobody"} {
		for _, scope := range []string{"", "shop", "nowhere"} {
			for _, k := range []region.KindFilter{{}, region.OneKind(0x1002), region.OneKind(0), region.InCategory(1), region.InCategory(9)} {
				for _, lane := range []region.LaneFilter{{}, region.OneLane(0), region.OneLane(2), region.OneLane(9)} {
					for _, clock := range []region.ClockRange{{}, region.Clocks(0, 0), region.Clocks(3, 9), region.Clocks(9, math.MaxUint32)} {
						rs = append(rs, region.Region{Entity: entity, Scope: scope, Kind: k, Lane: lane, Clock: clock})
					}
				}
			}
		}
	}
	return rs
}

// checkBeyond: a place that the Log has not come to is an error with both sides, and its end is none.
func checkBeyond(t *trial) error {
	for _, next := range []uint64{0, 3} {
		for _, from := range []uint64{next + 1, math.MaxUint64} {
			if err := t.refusesRead(from, cursor.ErrBeyond); err != nil {
				return err
			}
			_, _, err := t.Log.Read(t.ctx, region.Region{}, from, make([]core.Envelope, 1))
			want := cursor.BeyondError{From: from, Next: next}
			if got, ok := errors.AsType[*cursor.BeyondError](err); !ok || *got != want {
				return fmt.Errorf("reading from %d: got %s; want %+v", from, said(err), want)
			}
		}
		if err := t.holds(region.Region{}, next, 1); err != nil {
			return err
		}
		if err := t.many("alice", 3-len(t.events)); err != nil {
			return err
		}
	}
	return nil
}

// checkBadRegion: what Validate refuses is refused with its error.
func checkBadRegion(t *trial) error {
	if err := t.many("alice", 3); err != nil {
		return err
	}
	for _, c := range []struct {
		r    region.Region
		want error
	}{
		{region.Region{Entity: "alice::child"}, region.ErrSegment},
		{region.Region{Scope: "a@b"}, region.ErrAt},
		{region.Region{Kind: region.InCategory(16)}, region.ErrRange},
		{region.Region{Clock: region.Clocks(3, 2)}, region.ErrClockRange},
	} {
		if n, next, err := t.Log.Read(t.ctx, c.r, 1, make([]core.Envelope, 4)); n != 0 || next != 1 || !errors.Is(err, c.want) {
			return fmt.Errorf("reading %s from 1: %d, next %d, %s; want 0, 1, %s", c.r, n, next, said(err), said(c.want))
		}
	}
	return nil
}

// checkCompacted: what was dropped is an error with the first that is left, and that and all after it are there.
func checkCompacted(t *trial) error {
	if _, err := t.append(mixed(40)...); err != nil {
		return err
	}
	const next = 40
	for _, s := range []struct{ compact, first uint64 }{{0, 0}, {4, 4}, {2, 4}, {5, 5}, {39, 39}, {next, next}} {
		if err := t.Compact(t.ctx, s.compact); err != nil {
			return fmt.Errorf("Compact(%d): %w", s.compact, err)
		}
		if err := t.bounds(s.first, next); err != nil {
			return fmt.Errorf("compacted to %d: %w", s.first, err)
		}
		for _, from := range []uint64{0, s.first - 1} {
			if from >= s.first {
				continue
			}
			if err := t.refusesRead(from, cursor.ErrCompacted); err != nil {
				return err
			}
			_, _, err := t.Log.Read(t.ctx, region.Region{Entity: "nobody"}, from, make([]core.Envelope, 4))
			want := cursor.CompactedError{From: from, First: s.first}
			if got, ok := errors.AsType[*cursor.CompactedError](err); !ok || *got != want {
				return fmt.Errorf("reading from %d: got %s; want %+v", from, said(err), want)
			}
		}
		for _, r := range []region.Region{{}, {Entity: "alice"}, {Scope: "shop"}, {Entity: "nobody"}} {
			if err := t.holds(r, s.first, 3); err != nil {
				return fmt.Errorf("compacted to %d: %w", s.first, err)
			}
		}
	}
	if err := t.many("alice", 1); err != nil {
		return err
	}
	if err := t.bounds(next, next+1); err != nil {
		return fmt.Errorf("an event after all were dropped: %w", err)
	}
	return t.holds(region.Region{Entity: "alice"}, next, 3)
}

// checkKeepsClocks: the clock of an entity goes on when its events are gone, and is what is expected of it.
func checkKeepsClocks(t *trial) error {
	if err := t.many("alice", 5); err != nil {
		return err
	}
	if err := t.Compact(t.ctx, 5); err != nil {
		return fmt.Errorf("Compact(5): %w", err)
	}
	_, err := t.Log.Append(t.ctx, []cursor.Draft{expecting(0)})
	if got, ok := errors.AsType[*cursor.ConflictError](err); !ok || got.Actual != 5 {
		return fmt.Errorf("5 events were dropped, and 0 expected: got %s; want a ConflictError of 0 and 5", said(err))
	}
	made, err := t.batch(expecting(5))
	if err != nil {
		return fmt.Errorf("5 events were dropped, and 5 expected: %w", err)
	}
	if got := made[0].Position.Sequence; got != 6 {
		return fmt.Errorf("5 events were dropped: the next has the clock %d, want 6", got)
	}
	return nil
}

// checkPayloads: what was read stays as it was, whatever becomes of the Log.
func checkPayloads(t *trial) error {
	var ds []cursor.Draft
	for i := range 40 {
		d := about("alice")
		d.Payload = bytes.Repeat([]byte{byte(i)}, 16)
		ds = append(ds, d)
	}
	if _, err := t.append(ds...); err != nil {
		return err
	}
	got, err := t.read(region.Region{}, 0, 7)
	if err != nil {
		return err
	}
	look := func(when string) error {
		for i, e := range got {
			if want := bytes.Repeat([]byte{byte(i)}, 16); !bytes.Equal(e.Payload, want) {
				return fmt.Errorf("%s, the payload %x of event %d has become %x", when, want, i, e.Payload)
			}
		}
		return nil
	}
	if _, err := t.read(region.Region{}, 0, 3); err != nil {
		return err
	}
	if err := look("after another read"); err != nil {
		return err
	}
	if err := t.Compact(t.ctx, 40); err != nil {
		return err
	}
	if err := t.many("bob", 600); err != nil {
		return err
	}
	if err := look("after retention"); err != nil {
		return err
	}
	if err := t.Log.Close(); err != nil {
		return fmt.Errorf("closing it: %w", err)
	}
	return look("after Close")
}
