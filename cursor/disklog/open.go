package disklog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog/internal/block"
	"github.com/spillwayhq/spillway/region"
)

const engineDir = "engine"

// Open opens the Log in a folder, which it makes if there is none. It fails with ErrLocked while the Log is open already, in
// whatever process; with a *CorruptError where what was acknowledged is not there as it was; and with an error that
// says which option is at fault. A last write that was incomplete is cut: Stats().Opened says so.
func Open(dir string, o Options) (*Log, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("spillway/disklog: %w", err)
	}
	// One name for the folder, since locks go by name within a process.
	real, err := filepath.EvalSymlinks(dir)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		return nil, fmt.Errorf("spillway/disklog: %w", err)
	}
	return open(real, o, env{fs: vfs.Default, now: time.Now, segment: segmentEvents})
}

// An env is what tests put something else for.
type env struct {
	fs      vfs.FS
	now     func() time.Time
	segment int // how many events a segment has at least
}

func open(dir string, o Options, e env) (*Log, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	g := newGate(e.fs, o.OnSync)
	l := &Log{dir: dir, options: o, env: e, gate: g, turn: make(chan struct{}, 1)}
	l.w.entities = make(map[region.Coordinate]*entity)
	engine := g.PathJoin(dir, engineDir)
	if err := makeDirs(g, dir, engine); err != nil {
		return nil, fmt.Errorf("spillway/disklog: %w", err)
	}
	l.lock, err = pebble.LockDirectory(engine, g)
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, fmt.Errorf("spillway/disklog: %w", path)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrLocked, dir, err)
	}
	if err := l.load(engine); err != nil {
		_ = l.release(nil) // what went wrong first is what matters
		if failed := g.err(); failed != nil && !errors.Is(err, cursor.ErrFailed) {
			err = failed
		}
		return nil, err
	}
	return l, nil
}

// makeDirs makes the folders, for good: also those above, which Open may have made, and those that a process made that was stopped
// before it came to this. Where there is an anchor, one has come past it.
func makeDirs(fsys vfs.FS, dir, engine string) error {
	if _, err := fsys.Stat(fsys.PathJoin(dir, anchorName)); err == nil {
		return nil
	}
	if err := fsys.MkdirAll(engine, 0o777); err != nil {
		return err
	}
	for {
		if err := syncDir(fsys, dir); err != nil && !errors.Is(err, fs.ErrPermission) { // one that is closed to us we have not made
			return err
		}
		above := fsys.PathDir(dir)
		if above == dir || above == "." {
			return nil
		}
		dir = above
	}
}

// load opens all that is in the folder.
func (l *Log) load(engine string) error {
	a, err := openAnchor(l.gate, l.dir)
	if err != nil {
		if !errors.Is(err, cursor.ErrCorrupt) {
			err = fmt.Errorf("spillway/disklog: %w", err)
		}
		return err
	}
	if a != nil {
		l.findCut(engine)
	}
	o := engineOptions(engine, l.gate, l.lock)
	o.ErrorIfNotExists = a != nil
	done := make(chan error, 1)
	go func() {
		done <- guarded(func() (err error) {
			l.db, err = pebble.Open(engine, o)
			return err
		})
	}()
	select {
	case err = <-done:
	case <-l.gate.shut: // on a full disk it would try for ever
		l.gate.sink()
		err = <-done
	}
	if err != nil {
		l.db = nil
		return l.unopened(err)
	}
	if err := l.gate.err(); err != nil {
		return err
	}
	o.Experimental.CompactionScheduler.(*scheduler).opened(l.db)
	if err := l.begin(&a); err != nil {
		return err
	}
	l.anchor = a
	if err := guarded(l.restore); err != nil {
		return l.damaged("the log", err)
	}
	if err := l.checkEnd(); err != nil {
		return err
	}
	if err := l.retain(); err != nil {
		return err
	}
	return l.gate.err()
}

// unopened says why the engine was not opened.
func (l *Log) unopened(err error) error {
	if failed := l.gate.err(); failed != nil {
		return failed
	}
	_, isPath := errors.AsType[*fs.PathError](err)
	_, isErrno := errors.AsType[syscall.Errno](err)
	if (isPath || isErrno) && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("spillway/disklog: opening the engine: %w", err)
	}
	return l.corrupt("the engine's files", err)
}

// begin makes the Log's identity, or reads it.
func (l *Log) begin(a **anchor) error {
	value, closer, err := l.db.Get(metaKey)
	switch {
	case err == nil:
		l.id, l.w.meta, err = decodeMeta(value)
		_ = closer.Close()
		if err != nil {
			return l.corrupt("the first row", err)
		}
	case !isNotFound(err):
		return l.damaged("the first row", err)
	case *a != nil:
		return l.corrupt("the first row", errMissing)
	default:
		l.opened.New = true
		l.id = cursor.NewLogID()
		b := l.db.NewBatch()
		_ = b.Set(metaKey, l.w.meta.encode(l.id), nil) // of a batch, it cannot fail
		if err := l.commit(b, true); err != nil {
			return err
		}
	}
	if *a == nil {
		// The anchor is made before there is any event: a Log whose anchor is missing has none.
		if empty, err := l.empty(); err != nil || !empty {
			if err == nil {
				err = l.corrupt("the anchor", errMissing)
			}
			return err
		}
		if err := writeAnchor(l.gate, l.dir, l.id); err != nil {
			return errors.Join(err, l.gate.err())
		}
		*a, err = openAnchor(l.gate, l.dir)
		if err != nil {
			return err
		}
	}
	if *a == nil || (*a).id != l.id {
		return l.corrupt("the anchor", errors.New("it is another log's"))
	}
	return nil
}

func (l *Log) empty() (bool, error) {
	w, err := l.walk()
	if err != nil {
		return false, err
	}
	defer w.close()
	return !w.iter.First() && l.w.meta == meta{}, w.iter.Error()
}

// rows calls f with each row from one key to another.
func (l *Log) rows(from, to []byte, f func(key, value []byte) error) error {
	iter, err := l.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return err
	}
	defer func() { _ = iter.Close() }()
	for ok := iter.First(); ok; ok = iter.Next() {
		value, err := iter.ValueAndErr()
		if err != nil {
			return err
		}
		if err := f(iter.Key(), value); err != nil {
			return err
		}
	}
	return iter.Error()
}

// restore has the Log know what is there: from the rows what was made a segment, from the events what was not.
func (l *Log) restore() error {
	m := &l.w.meta
	l.s = state{bounds: cursor.Bounds{First: m.first, Next: m.sealed}, sealed: m.sealed, tail: newTail(m.sealed, nil), entities: m.entities, bytes: m.bytes}
	l.w.sum, l.w.wallMS, l.w.counter = m.sum, m.wallMS, m.counter
	if err := l.restoreSegments(); err != nil {
		return err
	}
	l.w.ids = newRecent(l.options.Repeats, m.sealed)
	if err := l.restoreIDs(); err != nil {
		return err
	}
	if err := l.restoreTail(); err != nil {
		return err
	}
	l.opened.Tail = l.s.tail.count
	if l.s.bounds.Next < m.first {
		return l.corrupt(placeOf(m.first-1), errMissing)
	}
	l.w.ids.dropBelow(m.first)
	l.w.clock.Observe(l.w.wallMS, l.w.counter)
	before, err := l.bytesBefore(m.first)
	l.s.before = before
	if err == nil && l.s.tail.count >= l.env.segment {
		l.sealTail()
		err = l.gate.err()
	}
	return err
}

// restoreSegments reads where the segments are, from the last one back to the first event that is kept.
func (l *Log) restoreSegments() error {
	m := &l.w.meta
	l.w.gone = m.sealed
	for l.w.gone > m.first {
		s, err := l.segmentOf(l.w.gone)
		if err != nil {
			return err
		}
		l.s.segments = append(l.s.segments, s)
		l.w.gone = s.first
	}
	slices.Reverse(l.s.segments)
	return nil
}

// segmentOf returns the segment that ends before a sequence.
func (l *Log) segmentOf(end uint64) (s segment, err error) {
	key := keyOf(ofSegment, end-1)
	place := fmt.Sprintf("the segment that ends at %d", end)
	value, closer, err := l.db.Get(key)
	if err != nil {
		return s, l.rowError(place, err)
	}
	defer func() { _ = closer.Close() }()
	body, _, err := block.Unseal(l.id, key, value)
	if err == nil && (len(body) != 9 || body[0] != block.Version) {
		err = block.ErrContents
	}
	if err == nil {
		s = segment{binary.BigEndian.Uint64(body[1:]), end}
		if s.first >= end || end-s.first > segmentEvents+maxBatch {
			err = block.ErrContents
		}
	}
	if err != nil {
		return s, l.corrupt(place, err)
	}
	return s, nil
}

// restoreIDs reads the ids of the events in segments that are still to be recognized.
func (l *Log) restoreIDs() error {
	m, segments := &l.w.meta, l.s.segments
	window := m.sealed - min(m.sealed, uint64(l.options.Repeats))
	segments = segmentsFrom(append([]segment(nil), segments...), window)
	if len(segments) == 0 {
		return nil
	}
	l.w.ids = newRecent(l.options.Repeats, segments[0].first)
	for _, s := range segments {
		ids, err := l.idsOf(s)
		if err != nil {
			return err
		}
		for _, id := range ids {
			l.w.ids.push(id)
		}
		l.w.ids.trim()
	}
	return nil
}

// restoreTail reads the events that are in no segment, and makes the index of them.
func (l *Log) restoreTail() error {
	return l.rows(block.Key(l.w.meta.sealed), []byte{tableLog + 1}, func(key, value []byte) error {
		seq := l.s.bounds.Next
		b, err := block.Open(l.id, key, value)
		switch {
		case err != nil:
			return l.corrupt(fmt.Sprintf("the block at sequence %d", seq), err)
		case b.First != seq:
			return l.corrupt(placeOf(seq), errMissing)
		case b.Previous != l.w.sum || b.Entities != l.s.entities || b.Bytes != l.s.bytes:
			return l.corrupt(fmt.Sprintf("the block at sequence %d", seq), errors.New("it does not follow the one before"))
		}
		l.w.sum = b.Sum
		es, err := b.Events(&l.names)
		if err != nil {
			return l.corrupt(fmt.Sprintf("the block at sequence %d", seq), err)
		}
		for i := range es {
			e := &es[i]
			owner := l.w.entities[e.Coordinate]
			if owner == nil {
				owner = new(entity)
				l.w.entities[e.Coordinate] = owner
			}
			owner.clock = e.Position.Sequence
			l.s.tail.push(e, owner)
			l.w.ids.push(e.EventID)
			l.w.wallMS, l.w.counter = e.Position.WallMS, e.Position.Counter
			l.s.bytes += uint64(len(e.Payload))
			if e.Position.Sequence == 1 {
				l.s.entities++
			}
		}
		l.w.ids.trim()
		l.s.bounds.Next = b.End()
		return nil
	})
}

// checkEnd compares the end with what the anchor says was acknowledged.
func (l *Log) checkEnd() error {
	a, next := l.anchor, l.s.bounds.Next
	if a.end > next {
		return l.corrupt(placeOf(next), fmt.Errorf("%w: the log was acknowledged up to %d", errMissing, a.end))
	}
	if a.end > l.w.gone && a.end > l.s.bounds.First {
		w, err := l.walk()
		if err != nil {
			return err
		}
		defer w.close()
		if err := w.to(a.end - 1); err != nil {
			return err
		}
		if w.b.End() != a.end || w.b.Sum != a.lastSum {
			return l.corrupt(placeOf(a.end-1), errors.New("it is not the one that was acknowledged"))
		}
	}
	// What was found is durable now: the engine has written it anew.
	err := l.anchor.write(next, l.w.sum)
	if err == nil {
		err = l.anchor.sync()
	}
	return err
}
