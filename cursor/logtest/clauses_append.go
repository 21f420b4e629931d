package logtest

import (
	"errors"
	"fmt"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// checkIdentity: a Log is itself, and no other.
func checkIdentity(t *trial) error {
	other, err := begin(t.open)
	if err != nil {
		return err
	}
	defer other.end()
	id := t.Log.ID()
	switch {
	case id == cursor.LogID{}:
		return errors.New("the ID is zero")
	case id != t.Log.ID():
		return errors.New("the ID changes")
	case id == other.Log.ID():
		return errors.New("two logs have one ID")
	}
	return nil
}

// checkBeginsEmpty: nothing is there, and the first sequence will be 0.
func checkBeginsEmpty(t *trial) error { return t.bounds(0, 0) }

// checkAnswers: an Append is answered with what its Drafts say, under sequences that follow each other.
func checkAnswers(t *trial) error {
	ds := mixed(24)
	ds[5].EventID, ds[6].EventID = core.ID{}, core.ID{}
	made, err := t.append(ds...)
	if err != nil {
		return err
	}
	seen := make(map[core.ID]bool)
	for i, e := range made {
		if i == 5 || i == 6 {
			ds[i].EventID = e.EventID
		}
		if e.EventID == (core.ID{}) || seen[e.EventID] {
			return fmt.Errorf("draft %d has the event id %s, which is zero or another's", i, e.EventID)
		}
		seen[e.EventID] = true
		if !ds[i].Made(&e) || e.Sequence != uint64(i) {
			return fmt.Errorf("draft %d is answered\n\t%+v; want sequence %d, and otherwise\n\t%+v", i, e, i, ds[i])
		}
	}
	if _, err := t.batch(); err != nil {
		return fmt.Errorf("an empty batch: %w", err)
	}
	return t.bounds(0, 24)
}

// checkCounts: each Coordinate has a clock of its own, which counts its events from 1.
func checkCounts(t *trial) error {
	made, err := t.append(mixed(60)...)
	if err != nil {
		return err
	}
	clocks := make(map[region.Coordinate]uint32)
	for _, e := range made {
		clocks[e.Coordinate]++
		if got, want := e.Position.Sequence, clocks[e.Coordinate]; got != want {
			return fmt.Errorf("an event of %s has the clock %d, want %d", e.Coordinate, got, want)
		}
	}
	return nil
}

// checkForward: the hybrid logical clock of each event is later than that of the one before, and about the time of day.
func checkForward(t *trial) error {
	if o := t.Log.Limits().Clocks; o != cursor.TotalOrder && o != cursor.OrderPerNode {
		return fmt.Errorf("Limits.Clocks is %d, which is none of cursor's", o)
	}
	for range 3 {
		if err := t.many("alice", 150); err != nil {
			return err
		}
		if _, err := t.append(mixed(9)...); err != nil {
			return err
		}
	}
	for i := 1; i < len(t.events); i++ {
		if err := later(t.events[i-1], t.events[i]); err != nil {
			return err
		}
	}
	// Retention by age goes by it. Another machine's clock may say something else, but not that much.
	last := t.events[len(t.events)-1].Position
	if off := time.Since(time.UnixMilli(int64(last.WallMS))); off.Abs() > time.Hour {
		return fmt.Errorf("the clock %s is %v behind the time of day", last, off)
	}
	return nil
}

// later looks whether b's hybrid logical clock is later than a's.
func later(a, b core.Envelope) error {
	p, q := a.Position, b.Position
	if q.WallMS < p.WallMS || q.WallMS == p.WallMS && q.Counter <= p.Counter {
		return fmt.Errorf("event %d is at %s, and the later one %d at %s", a.Sequence, p, b.Sequence, q)
	}
	return nil
}

// expecting is a Draft about alice that expects a clock.
func expecting(n uint32) cursor.Draft {
	d := about("alice")
	d.Expect = cursor.ExpectClock(n)
	return d
}

// checkExpects: an entity is as expected, the batch's earlier Drafts counted, or the error has both sides.
func checkExpects(t *trial) error {
	for _, s := range []struct {
		name   string
		batch  []cursor.Draft
		index  int // of the Draft to blame; -1: none
		actual uint32
	}{
		{"none yet, 1 expected", []cursor.Draft{expecting(1)}, 0, 0},
		{"none yet, 0 expected", []cursor.Draft{expecting(0)}, -1, 0},
		{"1, 0 expected", []cursor.Draft{expecting(0)}, 0, 1},
		{"1, 2 expected", []cursor.Draft{expecting(2)}, 0, 1},
		{"1 and the batch's own", []cursor.Draft{expecting(1), about("bob"), about("alice"), expecting(3)}, -1, 0},
		{"4 and the batch's own", []cursor.Draft{expecting(4), expecting(4)}, 1, 5},
		{"4, anything expected", []cursor.Draft{about("alice")}, -1, 0},
	} {
		_, err := t.Log.Append(t.ctx, s.batch)
		if s.index < 0 {
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			continue
		}
		if err := blames(err, cursor.ErrConflict, s.index); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		d := s.batch[s.index]
		want := cursor.ConflictError{Coordinate: d.Coordinate, Actual: s.actual}
		want.Expected, _ = d.Expect.Clock()
		if got, ok := errors.AsType[*cursor.ConflictError](err); !ok || *got != want {
			return fmt.Errorf("%s: got %s; want %+v", s.name, said(err), want)
		}
	}
	return nil
}

// checkAllOrNone: of a batch that is refused nothing is left: no event, no clock, no event id.
func checkAllOrNone(t *trial) error {
	if err := t.many("alice", 1); err != nil {
		return err
	}
	bob, carol := about("bob"), about("carol")
	nameless := about("bob")
	nameless.Coordinate = region.Coordinate{}
	taken := about("bob")
	taken.EventID = t.events[0].EventID
	for _, s := range []struct {
		name string
		last cursor.Draft
		want error
	}{
		{"a conflict", expecting(7), cursor.ErrConflict},
		{"no coordinate", nameless, cursor.ErrNoCoordinate},
		{"another's event id", taken, cursor.ErrDuplicate},
	} {
		_, err := t.Log.Append(t.ctx, []cursor.Draft{bob, carol, s.last})
		if err := blames(err, s.want, 2); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if err := t.bounds(0, 1); err != nil {
			return fmt.Errorf("%s: a batch that was refused has left something: %w", s.name, err)
		}
		if err := t.holds(region.Region{}, 0, 9); err != nil {
			return fmt.Errorf("%s: a batch that was refused has left something: %w", s.name, err)
		}
	}
	bob.Time++ // had the log kept its id, this would be another event's
	made, err := t.batch(bob, carol)
	if err != nil {
		return fmt.Errorf("after batches that were refused: %w", err)
	}
	for i, e := range made {
		if e.Sequence != uint64(i+1) || e.Position.Sequence != 1 {
			return fmt.Errorf("after batches that were refused: sequence %d and clock %d, want %d and 1", e.Sequence, e.Position.Sequence, i+1)
		}
	}
	return nil
}
