package disklog_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/region"
)

// A ledger is what a script has been told of a Log: what was promised to it.
type ledger struct {
	mu    sync.Mutex
	acked []core.Envelope  // from 0 on, whatever was dropped
	tried [][]cursor.Draft // the batches that were given to the Log after those, which may be there: in order
	first uint64           // up to where it was told to drop, and was told that this is done
	most  uint64           // up to where it was told to drop
	log   cursor.LogID     // zero until it was opened
	open  *disklog.Log     // nil where it is being opened, or closed
	saved savings          // what it was told of Checkpoints, by name
}

// snapshot returns what was promised so far.
func (l *ledger) snapshot() *ledger {
	l.mu.Lock()
	defer l.mu.Unlock()
	return &ledger{
		acked: slices.Clip(l.acked), tried: slices.Clone(l.tried), first: l.first, most: l.most, log: l.log, open: l.open,
		saved: maps.Clone(l.saved),
	}
}

// append appends a batch, and notes the answer.
func (l *ledger) append(log *disklog.Log, ds []cursor.Draft) error {
	l.mu.Lock()
	l.tried = append(l.tried, ds)
	l.mu.Unlock()
	made, err := log.Append(ctx, ds)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.tried = l.tried[:len(l.tried)-1]
		for _, e := range made {
			if e.Sequence == uint64(len(l.acked)) {
				l.acked = append(l.acked, e)
			}
		}
		return nil
	}
	if !errors.Is(err, cursor.ErrUnknown) {
		l.tried = l.tried[:len(l.tried)-1] // it says that nothing was added
	}
	return err
}

func (l *ledger) compact(log *disklog.Log, first uint64) error {
	l.mu.Lock()
	l.most = first
	l.mu.Unlock()
	err := log.Compact(ctx, first)
	if err == nil {
		l.mu.Lock()
		l.first = first
		l.mu.Unlock()
	}
	return err
}

// script does some of everything to a Log on a disk, and closes it. It goes on where something fails, and returns what
// failed first.
func (l *ledger) script(t failing, fs vfs.FS, batches int) (first error) {
	note := func(err error) {
		if first == nil {
			first = err
		}
	}
	log, err := openOn(fs, disklog.Options{})
	if err != nil {
		return err
	}
	l.is(log)
	for i := range batches {
		if i%11 == 10 && first == nil {
			l.is(nil)
			note(log.Close())
			if log, err = openOn(fs, disklog.Options{}); err != nil {
				note(err)
				return first
			}
			l.is(log)
		}
		ds := mixed(t, 1+i%9, 9*i)
		note(l.append(log, ds))
		note(l.save(log.Checkpoints(), i))
		switch i % 8 {
		case 3:
			note(l.append(log, ds)) // again
		case 5:
			note(log.Flush())
		case 6:
			note(l.compact(log, uint64(2*i)))
		case 7:
			_, err := log.Append(ctx, []cursor.Draft{about(t, "c", 0), {}})
			if !errors.Is(err, cursor.ErrNoCoordinate) {
				note(fmt.Errorf("a batch with a bad draft: %w", err))
			}
		}
		if b, err := log.Bounds(ctx); err == nil { // reads may fail, but what they give is right
			if es, err := allOf(log, region.Region{}, b.First, 50); err == nil && !alike(es, l.snapshot().acked[b.First:]) {
				t.Fatalf("step %d: %d events are read, want %d", i, len(es), len(l.acked)-int(b.First))
			}
		}
	}
	l.is(nil)
	note(log.Close())
	return first
}

// is notes which Log is open, for whoever reads beside the script.
func (l *ledger) is(log *disklog.Log) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open = log; log != nil {
		l.log = log.ID()
	}
}

// check opens a disk, and returns which promise is broken. The ledger is a snapshot.
func (l *ledger) check(fs vfs.FS) (err error) {
	log, err := openOn(fs, disklog.Options{})
	if err != nil {
		return fmt.Errorf("it does not open: %w", err)
	}
	defer func() {
		if cerr := log.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("closing it: %w", cerr)
		}
	}()
	if l.log != (cursor.LogID{}) && log.ID() != l.log {
		return errors.New("it is another log")
	}
	got, err := everything(log)
	if err != nil {
		return fmt.Errorf("reading it: %w", err)
	}
	b, err := log.Bounds(ctx)
	if err != nil {
		return err
	}
	if b.First < l.first || b.First > l.most {
		return fmt.Errorf("it begins at %d, want %d, or %d at most", b.First, l.first, l.most)
	}
	if b.Next < uint64(len(l.acked)) {
		return fmt.Errorf("it ends at %d, and was acknowledged up to %d", b.Next, len(l.acked))
	}
	if !alike(got[:uint64(len(l.acked))-b.First], l.acked[b.First:]) {
		return errors.New("what was acknowledged is there otherwise")
	}
	rest := got[uint64(len(l.acked))-b.First:]
	for _, ds := range l.tried {
		if len(rest) == 0 {
			break
		}
		for i := range ds {
			if i == len(rest) || !ds[i].Made(&rest[i]) {
				return fmt.Errorf("a batch of %d is there in part", len(ds))
			}
		}
		rest = rest[len(ds):]
	}
	if len(rest) > 0 {
		return fmt.Errorf("there are %d events that nobody appended", len(rest))
	}
	for name, s := range l.saved {
		if err := s.check(log.Checkpoints(), name); err != nil {
			return fmt.Errorf("checkpoint %q: %w", name, err)
		}
	}
	return l.goesOn(log, got, b)
}

// goesOn looks whether the Log that was opened goes on as it should: repeats, and clocks.
func (l *ledger) goesOn(log *disklog.Log, got []core.Envelope, b cursor.Bounds) error {
	clocks := make(map[region.Coordinate]uint32)
	for _, e := range l.acked {
		clocks[e.Coordinate] = e.Position.Sequence
	}
	for _, e := range got {
		clocks[e.Coordinate] = e.Position.Sequence
	}
	for _, e := range got[max(0, len(got)-3):] {
		made, err := log.Append(ctx, []cursor.Draft{remade(e)})
		if err != nil || !alike(made, []core.Envelope{e}) {
			return fmt.Errorf("event %d again: %v, %w", e.Sequence, made, err)
		}
	}
	for _, ds := range l.tried {
		if _, err := log.Append(ctx, ds); err != nil {
			return fmt.Errorf("the batch whose outcome is unknown, again: %w", err)
		}
		for _, d := range ds {
			if !slices.ContainsFunc(got, func(e core.Envelope) bool { return e.EventID == d.EventID }) {
				clocks[d.Coordinate]++
			}
		}
	}
	for c, clock := range clocks {
		made, err := log.Append(ctx, []cursor.Draft{{Coordinate: c, Expect: cursor.ExpectClock(clock)}})
		if err != nil {
			return fmt.Errorf("one more of %s: %w", c, err)
		}
		if last := len(got); last > 0 && made[0].Position.WallMS < got[last-1].Position.WallMS {
			return errors.New("the clock has gone back")
		}
	}
	return log.Verify(ctx, nil)
}
