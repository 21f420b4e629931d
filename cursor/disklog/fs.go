package disklog

import (
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/spillwayhq/spillway/cursor"
)

// A gate is the file system that the engine is given. It is shut by the first write or sync that fails, for good: from
// then on nothing on the disk is changed, whatever the engine goes on to try, and reads go on. So an fsync is never tried
// again and believed, and an engine that has lost its way does no harm.
//
// The engine cannot be told of all failures: where its own log fails it ends the process, where it can't begin a new one it
// unlocks a mutex twice, which no recover stops, and from a failure of its manifest it never recovers. So they are noted
// here, and kept from it; and whoever appends looks here when the engine has answered. It is told where its tables fail: it keeps
// what it has in memory, to be read, and tries again, for ever. Where it is to end, nobody reads any more, and these
// succeed too, and go nowhere: the gate is sunk.
type gate struct {
	vfs.FS
	onSync func(time.Duration)
	// readOnly is for Options.ReadOnly: where nobody can write, nobody is kept out.
	readOnly bool

	shut chan struct{} // closed by fail
	sunk chan struct{} // closed by sink
	once sync.Once
	last sync.Once

	// failed is what shut the gate.
	//   written by: fail, once, before it closes shut
	//   read by:    everybody, one Load
	//   order:      a write that fails is noted before the engine is told, so that who waits for the engine sees it
	failed atomic.Pointer[FailedError]

	mu      sync.Mutex          // taken last, for the two
	syncs   cursor.Distribution // nanoseconds of the fsyncs of the write-ahead log
	appends cursor.Distribution // and of the appends that added events
}

// observe counts what an fsync or an append took.
func (g *gate) observe(of *cursor.Distribution, took time.Duration) {
	g.mu.Lock()
	of.Observe(uint64(max(0, took)))
	g.mu.Unlock()
}

// took returns what was observed.
func (g *gate) took() (appends, syncs cursor.Distribution) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.appends, g.syncs
}

func newGate(fs vfs.FS, onSync func(time.Duration)) *gate {
	return &gate{FS: fs, onSync: onSync, shut: make(chan struct{}), sunk: make(chan struct{})}
}

// fail shuts the gate, if err is not nil, and returns err.
func (g *gate) fail(err error) error {
	if err != nil {
		g.once.Do(func() {
			g.failed.Store(&FailedError{err})
			close(g.shut)
		})
	}
	return err
}

// err returns what shut the gate.
func (g *gate) err() error {
	if failed := g.failed.Load(); failed != nil {
		return failed
	}
	return nil
}

// sink has the engine believe that all succeeds, if the gate is shut or as soon as it is: its goroutines end.
func (g *gate) sink() { g.last.Do(func() { close(g.sunk) }) }

// pretends tells whether what is to be written is to go nowhere, and be said to have succeeded.
func (g *gate) pretends() bool {
	select {
	case <-g.sunk:
		return g.err() != nil
	default:
		return false
	}
}

// pause is how long the engine is held up when it tries to write though it can't. It tries again at once, for ever.
const pause = 20 * time.Millisecond

// pass returns nil, or why nothing may be written.
func (g *gate) pass() error {
	err := g.err()
	if err == nil {
		return nil
	}
	held := time.NewTimer(pause)
	defer held.Stop()
	select {
	case <-held.C:
	case <-g.sunk:
	}
	return err
}

// make makes a file: one that takes everything and keeps nothing, where it can't be made, and is no table.
func (g *gate) make(name string, create func() (vfs.File, error)) (vfs.File, error) {
	table := strings.HasSuffix(name, ".sst")
	err := g.err()
	if err == nil {
		f, cerr := create()
		if g.fail(cerr) == nil {
			return &gated{File: f, gate: g, table: table, wal: strings.HasSuffix(name, ".log")}, nil
		}
		err = cerr
	}
	if !table || g.pretends() {
		return nowhere{}, nil
	}
	_ = g.pass()
	return nil, err
}

// Create syncs the folder before a marker is made in it: the engine syncs the marker and what it points to at once, and a
// power cut may keep the one without the other.
func (g *gate) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return g.make(name, func() (vfs.File, error) {
		if strings.HasPrefix(g.PathBase(name), "marker.") {
			if err := syncDir(g.FS, g.PathDir(name)); err != nil {
				return nil, err
			}
		}
		return g.FS.Create(name, c)
	})
}

func (g *gate) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return g.make(name, func() (vfs.File, error) { return g.FS.OpenReadWrite(name, c, opts...) })
}

func (g *gate) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return g.make(newname, func() (vfs.File, error) { return g.FS.ReuseForWrite(oldname, newname, c) })
}

// Lock takes no lock where it is to keep out those who write, and the file system lets nobody write.
func (g *gate) Lock(name string) (io.Closer, error) {
	held, err := g.FS.Lock(name)
	if g.readOnly && errors.Is(err, syscall.EROFS) {
		return nowhere{}, nil
	}
	return held, err
}

func (g *gate) OpenDir(name string) (vfs.File, error) {
	f, err := g.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &gated{File: f, gate: g}, nil
}

func (g *gate) do(f func() error) error {
	if g.pretends() {
		return nil
	}
	if err := g.pass(); err != nil {
		return err
	}
	return g.fail(f())
}

func (g *gate) Link(oldname, newname string) error {
	return g.do(func() error { return g.FS.Link(oldname, newname) })
}

func (g *gate) Rename(oldname, newname string) error {
	return g.do(func() error { return g.FS.Rename(oldname, newname) })
}

func (g *gate) MkdirAll(dir string, perm os.FileMode) error {
	return g.do(func() error { return g.FS.MkdirAll(dir, perm) })
}

// Remove of what is no longer needed may fail: it is tried again when the Log is opened.
func (g *gate) Remove(name string) error {
	if err := g.err(); err != nil {
		return err
	}
	return g.FS.Remove(name)
}

func (g *gate) RemoveAll(name string) error {
	if err := g.err(); err != nil {
		return err
	}
	return g.FS.RemoveAll(name)
}

func (g *gate) Unwrap() vfs.FS { return g.FS }

// A gated is a file behind a gate.
type gated struct {
	vfs.File
	gate  *gate
	table bool // the engine is told of failures
	wal   bool // syncs are counted
}

// attempt does what may fail, unless the gate is shut.
func (f *gated) attempt(do func() error) error {
	silent := !f.table || f.gate.pretends()
	err := f.gate.err()
	if err == nil {
		err = f.gate.fail(do())
	} else if !silent {
		err = f.gate.pass()
	}
	if silent {
		return nil
	}
	return err
}

func (f *gated) Write(p []byte) (n int, err error) {
	err = f.attempt(func() (err error) {
		n, err = f.File.Write(p)
		if err == nil && n < len(p) {
			err = io.ErrShortWrite
		}
		return err
	})
	if err == nil {
		n = len(p)
	}
	return n, err
}

func (f *gated) WriteAt(p []byte, at int64) (n int, err error) {
	err = f.attempt(func() (err error) {
		n, err = f.File.WriteAt(p, at)
		return err
	})
	if err == nil {
		n = len(p)
	}
	return n, err
}

func (f *gated) Sync() error { return f.sync(f.File.Sync) }

func (f *gated) SyncData() error { return f.sync(f.File.SyncData) }

func (f *gated) SyncTo(length int64) (full bool, err error) {
	err = f.sync(func() (err error) {
		full, err = f.File.SyncTo(length)
		return err
	})
	return full, err
}

func (f *gated) sync(sync func() error) error {
	return f.attempt(func() error {
		start := time.Now()
		if err := sync(); err != nil || !f.wal {
			return err
		}
		took := time.Since(start)
		f.gate.observe(&f.gate.syncs, took)
		if f.gate.onSync != nil {
			f.gate.onSync(took)
		}
		return nil
	})
}

func (f *gated) Close() error {
	err := f.File.Close()
	if f.table {
		return err
	}
	_ = f.gate.fail(err)
	return nil
}

// nowhere is a file for what the engine writes to a log that could not be made.
type nowhere struct{ vfs.File }

func (nowhere) Write(p []byte) (int, error)            { return len(p), nil }
func (nowhere) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
func (nowhere) Read([]byte) (int, error)               { return 0, io.EOF }
func (nowhere) ReadAt([]byte, int64) (int, error)      { return 0, io.EOF }
func (nowhere) Preallocate(_, _ int64) error           { return nil }
func (nowhere) Prefetch(_, _ int64) error              { return nil }
func (nowhere) Sync() error                            { return nil }
func (nowhere) SyncData() error                        { return nil }
func (nowhere) SyncTo(int64) (full bool, _ error)      { return false, nil }
func (nowhere) Stat() (vfs.FileInfo, error)            { return nothing{}, nil }
func (nowhere) Fd() uintptr                            { return vfs.InvalidFd }
func (nowhere) Close() error                           { return nil }

// nothing says how large that file is.
type nothing struct{ vfs.FileInfo }

func (nothing) Size() int64 { return 0 }
