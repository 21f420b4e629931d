package disklog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

const engineDir = "engine"

// Open opens the Log in a folder, which it makes if there is none and Options don't forbid it. It fails with ErrLocked while the Log is open already, in
// whatever process; with a *CorruptError where what was acknowledged is not there as it was; and with an error that
// says which option is at fault. A last write that was incomplete is cut: Stats().Opened says so.
func Open(dir string, o Options) (*Log, error) {
	if !o.mustExist() {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return nil, fmt.Errorf("spillway/disklog: %w", err)
		}
	}
	// One name for the folder, since locks go by name within a process.
	real, err := filepath.EvalSymlinks(dir)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noLog(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("spillway/disklog: %w", err)
	}
	return open(real, o, env{fs: vfs.Default, now: time.Now, segment: segmentEvents})
}

func noLog(dir string) error { return fmt.Errorf("%w: %s", ErrNoLog, dir) }

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
	g.readOnly = o.ReadOnly
	l := &Log{dir: dir, options: o, env: e, gate: g, turn: make(chan struct{}, 1)}
	l.w.entities = make(map[region.Coordinate]*entity)
	engine := g.PathJoin(dir, engineDir)
	if o.mustExist() {
		if err := l.find(engine); err != nil {
			return nil, err
		}
	}
	if !o.ReadOnly {
		if err := makeDirs(g, dir, engine); err != nil {
			return nil, fmt.Errorf("spillway/disklog: %w", err)
		}
	}
	l.lock, err = pebble.LockDirectory(engine, g)
	if errors.Is(err, fs.ErrPermission) && o.ReadOnly {
		return nil, fmt.Errorf("spillway/disklog: a reader locks the log too, and must be able to write that file; or read a copy of the folder: %w", err)
	}
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

// find fails where there is no Log that Options allow to be opened. What is there may be damaged.
func (l *Log) find(engine string) error {
	_, err := l.gate.Stat(l.gate.PathJoin(l.dir, anchorName))
	if errors.Is(err, fs.ErrNotExist) {
		_, err = l.gate.Stat(engine)
	} else if err == nil {
		return nil
	}
	if err == nil && l.options.ReadOnly { // it is half made, or has lost its anchor
		var is *pebble.DBDesc
		if is, err = pebble.Peek(engine, l.gate); err != nil {
			return l.unopened(err)
		}
		if !is.Exists {
			return noLog(l.dir)
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return noLog(l.dir)
	}
	if err != nil {
		return fmt.Errorf("spillway/disklog: %w", err)
	}
	return nil
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
	o.ReadOnly = l.options.ReadOnly
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
	err = guarded(func() error {
		if err := l.begin(&a); err != nil {
			return err
		}
		l.anchor = a
		return l.restore()
	})
	if err != nil {
		return l.damaged("the log", err)
	}
	if err := l.checkEnd(); err != nil || l.options.ReadOnly {
		return err
	}
	l.noteEnd()
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
	case !l.options.ReadOnly:
		l.opened.New = true
		l.id = cursor.NewLogID()
		b := l.db.NewBatch()
		_ = b.Set(metaKey, l.w.meta.encode(l.id), nil) // of a batch, it cannot fail
		if err := l.commit(b, true); err != nil {
			return err
		}
	}
	if *a == nil {
		// The anchor is made before there is any event, or Checkpoint: a Log whose anchor is missing has none.
		if empty, err := l.empty(); err != nil || !empty {
			if err == nil {
				err = l.corrupt("the anchor", errMissing)
			}
			return err
		}
		if l.options.ReadOnly {
			return noLog(l.dir)
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
	if w.iter.First() || w.iter.Error() != nil {
		return false, w.iter.Error()
	}
	c, err := l.census()
	return l.w.meta == meta{} && len(c.rows) == 0, err
}
