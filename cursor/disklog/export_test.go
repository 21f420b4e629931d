package disklog

import (
	"context"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// OpenOn is Open on another file system, by another wall clock. The folder's name is taken as it is.
// Segments have so many events at least.
func OpenOn(dir string, o Options, fs vfs.FS, now func() time.Time, segment int) (*Log, error) {
	return open(dir, o, env{fs, now, segment})
}

// Flush has the engine write what it holds in memory to tables.
func (l *Log) Flush() error {
	if err := l.gate.err(); err != nil {
		return err
	}
	done, err := l.db.AsyncFlush()
	if err != nil {
		return err
	}
	select {
	case <-done:
	case <-l.gate.shut:
	}
	return l.gate.err()
}

// Merge has the engine merge its tables.
func (l *Log) Merge() error {
	return l.db.Compact(context.Background(), []byte{0}, []byte{0xff}, false)
}
