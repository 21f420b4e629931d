package disklog

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/spillwayhq/spillway/cursor"
)

const (
	memTable = 16 << 20
	cache    = 32 << 20

	// The engine merges what it has flushed when eight tables lie over each other, which those of the log never do: so the clocks
	// of some entities are what is merged, and not half of the log with them. A look for a clock asks a filter of each.
	merged  = 16 // it begins at half of that
	stalled = 48
)

// engineOptions returns how pebble is opened. What it calls fatal shuts the gate: it would end the process otherwise, and
// goes on in a way of its own now, where it can do no harm.
func engineOptions(dir string, g *gate, lock *pebble.Lock) *pebble.Options {
	o := &pebble.Options{
		FS:                 g,
		Lock:               lock,
		FormatMajorVersion: pebble.FormatNewest,
		MemTableSize:       memTable,

		L0CompactionThreshold: merged,
		L0StopWritesThreshold: stalled,

		CacheSize: cache,
		Logger:    quiet{g},
		EventListener: &pebble.EventListener{
			BackgroundError: func(err error) {
				if pebble.IsCorruptionError(err) {
					_ = g.fail(&CorruptError{Path: dir, Place: "the engine's files", Err: err})
				}
			},
			DataCorruption: func(info pebble.DataCorruptionInfo) {}, // whoever reads is told
		},
	}
	o.Experimental.CompactionScheduler = newScheduler()
	o.Experimental.SpanPolicyFunc = apart
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return o
}

// apart has the engine end a table of its where the log ends, and what is written all over begins. A table with both would lie over
// all that comes later, and be merged with it again and again instead of being moved down.
func apart(start []byte) (policy pebble.SpanPolicy, end []byte, err error) {
	if len(start) > 0 && start[0] > tableLog {
		return policy, nil, nil
	}
	return policy, []byte{tableLog + 1}, nil
}

// quiet is the engine's logger. It has nothing to say but what ends it.
type quiet struct{ gate *gate }

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}

// Fatalf is called where the engine cannot go on. Its callers return an error, or nothing, after it.
func (q quiet) Fatalf(format string, args ...any) { _ = q.gate.fail(fmt.Errorf(format, args...)) }

var errPanicked = errors.New("the engine panicked")

// guarded does what may panic where the engine's files are damaged, or its disk has failed.
func guarded(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errPanicked, r)
		}
	}()
	return f()
}

// commit has a batch be written, and returns why it may not have been. With a nil error it is there, and durable if asked. The
// batch is the engine's afterwards.
func (l *Log) commit(b *pebble.Batch, sync bool) error {
	if err := l.writable(); err != nil {
		return err
	}
	mode := pebble.NoSync
	if sync {
		mode = pebble.Sync
	}
	done := make(chan error, 1)
	l.pending = done
	go func() {
		defer close(done)
		err := guarded(func() error { return b.Commit(mode) })
		if err == nil {
			err = b.Close()
		}
		done <- err
	}()
	var err error
	select {
	case err = <-done:
	case <-l.gate.shut: // it may be waiting for room in memory, which there will not be before Close
	}
	if errors.Is(err, errPanicked) {
		l.wedged = true // locks of the engine may be held for good
	}
	_ = l.gate.fail(err)
	return l.gate.err()
}

// damaged returns err as what Read and the others return: a *CorruptError if the engine says so. What is typed already stays as it is.
func (l *Log) damaged(place string, err error) error {
	if _, ok := errors.AsType[*CorruptError](err); ok || err == nil || errors.Is(err, cursor.ErrFailed) {
		return err
	}
	if pebble.IsCorruptionError(err) || errors.Is(err, errPanicked) || errors.Is(err, fs.ErrNotExist) {
		return &CorruptError{Path: l.dir, Place: place, Err: err}
	}
	return fmt.Errorf("spillway/disklog: %s: %w", place, err)
}

// corrupt returns a *CorruptError for what this package found wrong.
func (l *Log) corrupt(place string, err error) error {
	return &CorruptError{Path: l.dir, Place: place, Err: err}
}

var _ vfs.FS = (*gate)(nil)
