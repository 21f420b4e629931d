package checkpointfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// A disk is the files of a folder, as a Store uses them. Names have no separators in them.
type disk interface {
	read(name string) ([]byte, error) // os.ErrNotExist where there is none
	create(name string) (file, error) // empty, whatever was there
	rename(from, to string) error
	remove(name string) error
	sync() error // of the folder: its names
	lock(ctx context.Context, name string) (unlock func() error, err error)
}

// A file is one that is being written.
type file interface {
	Write(b []byte) (int, error)
	Sync() error
	Close() error
}

// A folder is the disk that there is.
type folder string

func (d folder) path(name string) string { return filepath.Join(string(d), name) }

func (d folder) read(name string) ([]byte, error) { return os.ReadFile(d.path(name)) }

func (d folder) create(name string) (file, error) {
	return os.OpenFile(d.path(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
}

func (d folder) rename(from, to string) error { return os.Rename(d.path(from), d.path(to)) }

func (d folder) remove(name string) error { return os.Remove(d.path(name)) }

func (d folder) sync() error { return syncFolder(string(d)) }

func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// retryLock is how often it is looked whether somebody else's lock is free: it is held for one write.
const retryLock = 2 * time.Millisecond

// lock takes the lock of a file, which stays when it is free again: removing it would let two processes lock two files of one
// name. It goes with its process. Each call opens the file anew, so that it holds off other goroutines too.
func (d folder) lock(ctx context.Context, name string) (func() error, error) {
	l := flock.New(d.path(name), flock.SetPermissions(0o600))
	ok, err := l.TryLockContext(ctx, retryLock)
	switch {
	case ctx.Err() != nil && !ok:
		return nil, errors.Join(context.Cause(ctx), l.Close())
	case err != nil:
		return nil, errors.Join(fmt.Errorf("lock: %w", err), l.Close())
	}
	return l.Close, nil
}
