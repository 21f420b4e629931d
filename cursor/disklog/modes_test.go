package disklog_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/region"
)

var noLogMade = []disklog.Options{{MustExist: true}, {ReadOnly: true}, {MustExist: true, ReadOnly: true}}

// TestMustExist: where no Log is to be made none is, nor a folder; what else lies in a folder is no Log; one that is there is opened.
func TestMustExist(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "other")
	if err := os.Mkdir(other, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(other, "file"), []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	there := filepath.Join(dir, "there")
	log := openLog(t, there, disklog.Options{})
	add(t, log, about(t, "a", 0))
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	was := tree(t, dir)
	for _, o := range noLogMade {
		for _, name := range []string{"none", "none/deeper", "other"} {
			if _, err := disklog.Open(filepath.Join(dir, name), o); !errors.Is(err, disklog.ErrNoLog) || !strings.Contains(err.Error(), name) {
				t.Errorf("%+v, %s: %v; want ErrNoLog with the name", o, name, err)
			}
		}
		if _, err := disklog.Open(filepath.Join(other, "file"), o); err == nil || errors.Is(err, disklog.ErrNoLog) {
			t.Errorf("%+v, a file: %v; want what is wrong", o, err)
		}
		if got := tree(t, dir); !slices.Equal(got, was) {
			t.Errorf("%+v: there is %q, and was %q", o, got, was)
		}
	}
	for _, o := range noLogMade {
		log := openLog(t, there, o)
		if got := bounds(t, log); got.Next != 1 {
			t.Errorf("%+v: %+v, want the event that is there", o, got)
		}
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	}
}

// tree returns the names of all that is in a folder.
func tree(t *testing.T, dir string) (names []string) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		names = append(names, path)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return names
}

// TestHalfMade: whatever call of making a Log is the last that reaches the disk, MustExist makes the Log whole or finds none, and so does
// ReadOnly, which makes nothing: no event was acknowledged yet.
func TestHalfMade(t *testing.T) {
	found, missing := 0, 0
	for at := 1; ; at++ {
		mem := vfs.NewMem()
		n := 0
		log, err := openOn(faulty(mem, func(op errorfs.Op) error {
			if op.Kind.ReadOrWrite() == errorfs.OpIsRead || op.Kind == errorfs.OpFileClose {
				return nil
			}
			if n++; n > at {
				return failure(op, syscall.EIO)
			}
			return nil
		}), disklog.Options{})
		if err == nil {
			_ = log.Close()
		}
		if err == nil && n < at {
			break
		}
		if _, err := mem.Stat(folder); err != nil {
			continue // disklog.Open has made that
		}
		log, err = disklog.OpenOn(folder, disklog.Options{ReadOnly: true}, unwritable{mem}, time.Now, small)
		if err == nil {
			err = errors.Join(log.Verify(ctx, nil), log.Close())
		}
		if err != nil && !errors.Is(err, disklog.ErrNoLog) {
			t.Errorf("after call %d, read only: %v", at, err)
		}
		log, err = openOn(mem, disklog.Options{MustExist: true})
		switch {
		case err == nil:
			found++
			if err := errors.Join(log.Verify(ctx, nil), log.Close()); err != nil {
				t.Errorf("after call %d: %v", at, err)
			}
		case errors.Is(err, disklog.ErrNoLog):
			missing++
		default:
			t.Errorf("after call %d: %v", at, err)
		}
	}
	if found < 5 || missing > 2 {
		t.Errorf("%d Logs were found, %d were not", found, missing)
	}
}

// unwritable is a file system that nobody can write to: as it is mounted.
type unwritable struct{ vfs.FS }

func readOnlyFS(op, path string) error {
	return &fs.PathError{Op: op, Path: path, Err: syscall.EROFS}
}

func (unwritable) Create(name string, _ vfs.DiskWriteCategory) (vfs.File, error) {
	return nil, readOnlyFS("create", name)
}

func (unwritable) OpenReadWrite(name string, _ vfs.DiskWriteCategory, _ ...vfs.OpenOption) (vfs.File, error) {
	return nil, readOnlyFS("open", name)
}

func (unwritable) ReuseForWrite(name, _ string, _ vfs.DiskWriteCategory) (vfs.File, error) {
	return nil, readOnlyFS("rename", name)
}
func (unwritable) Link(name, _ string) error                 { return readOnlyFS("link", name) }
func (unwritable) Rename(name, _ string) error               { return readOnlyFS("rename", name) }
func (unwritable) Remove(name string) error                  { return readOnlyFS("remove", name) }
func (unwritable) RemoveAll(name string) error               { return readOnlyFS("remove", name) }
func (unwritable) MkdirAll(name string, _ fs.FileMode) error { return readOnlyFS("mkdir", name) }
func (unwritable) Lock(name string) (io.Closer, error)       { return nil, readOnlyFS("lock", name) }

func (u unwritable) OpenDir(name string) (vfs.File, error) {
	f, err := u.FS.OpenDir(name)
	return unwritableFile{f}, err
}

func (u unwritable) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	f, err := u.FS.Open(name, opts...)
	return unwritableFile{f}, err
}

type unwritableFile struct{ vfs.File }

func (unwritableFile) Write([]byte) (int, error)          { return 0, readOnlyFS("write", "") }
func (unwritableFile) WriteAt([]byte, int64) (int, error) { return 0, readOnlyFS("write", "") }
func (unwritableFile) Sync() error                        { return readOnlyFS("sync", "") }

// TestReadOnly: a Log is read, all of it, from a disk that nobody can write to; what a killed process left is read, too, also what has come
// of age, and a last write that was cut short is said each time. What would change it is refused, as by a Log that has failed; nobody waits
// for more; and the disk is as it was, byte by byte.
func TestReadOnly(t *testing.T) {
	for _, left := range []string{"closed", "killed", "torn"} {
		disk, want := filledEvents(t, left == "closed")
		if left == "torn" {
			disk, want = torn(t)
		}
		files := filesOf(t, disk)
		for range 2 {
			old := func() time.Time { return time.Now().Add(time.Hour) }
			o := disklog.Options{ReadOnly: true, MaxAge: time.Minute, MaxEvents: 10}
			log, err := disklog.OpenOn(folder, o, unwritable{disk}, old, small/2)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := everything(log); err != nil || !alike(got, want) {
				t.Errorf("%d events, want %d: %v", len(got), len(want), err)
			}
			if opened := log.Stats().Opened; opened.Cut != (left == "torn") || opened.New {
				t.Errorf("%s: it says %+v", left, opened)
			}
			next := bounds(t, log).Next
			again := remade(want[len(want)-1])
			_, claim := log.Checkpoints().Claim(ctx, cursor.NewCheckpoint("new", log.ID(), region.Region{}, next))
			for name, err := range map[string]error{
				"Append":         errOf(log.Append(ctx, []cursor.Draft{about(t, "a", 1)})),
				"Append, again":  errOf(log.Append(ctx, []cursor.Draft{again})),
				"Compact":        log.Compact(ctx, next),
				"Compact of all": log.Compact(ctx, 0),
				"Wait":           log.Wait(ctx, next),
				"Claim":          claim,
			} {
				if !errors.Is(err, disklog.ErrReadOnly) || !errors.Is(err, cursor.ErrFailed) || errors.Is(err, cursor.ErrUnknown) {
					t.Errorf("%s: %v; want ErrReadOnly, as of a Log that has failed", name, err)
				}
			}
			if err := log.Wait(ctx, next-1); err != nil {
				t.Errorf("Wait for what is there: %v", err)
			}
			if err := log.Stats().Failed; err != nil {
				t.Errorf("it has not failed, and says %v", err)
			}
			if err := errors.Join(log.Close(), log.Close()); err != nil {
				t.Errorf("Close: %v", err)
			}
			if err := log.Wait(ctx, next); !errors.Is(err, cursor.ErrClosed) {
				t.Errorf("closed, Wait: %v", err)
			}
		}
		if got := filesOf(t, disk); !slices.EqualFunc(got, files, func(a, b file) bool { return a.path == b.path && bytes.Equal(a.data, b.data) }) {
			t.Errorf("%s: the disk is not as it was", left)
		}
		ends, err := openOn(disk, disklog.Options{})
		if err != nil {
			t.Fatal(err)
		}
		add(t, ends, about(t, "a", 1))
		if err := ends.Close(); err != nil {
			t.Error(err)
		}
	}
}

// torn returns a disk as a killed process leaves it that was about to append something.
func torn(t *testing.T) (disk vfs.FS, want []core.Envelope) {
	t.Helper()
	mem := vfs.NewCrashableMem()
	log, err := openOn(mem, disklog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want = add(t, log, mixed(t, 20, 0)...)
	before := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 1))})
	add(t, log, mixed(t, 20, 20)...)
	after := filesOf(t, mem.CrashClone(vfs.CrashCloneCfg{}))
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	files := filesOf(t, before)
	at := newest(t, files)
	files[at].data = after[newest(t, after)].data[:len(files[at].data)+50]
	return diskOf(t, files), want
}

func errOf(_ []core.Envelope, err error) error { return err }

// TestReadOnlyDamage: damage is an error with its place to a reader, too, and its anchor is needed as much.
func TestReadOnlyDamage(t *testing.T) {
	disk, _ := filled(t, true)
	files := filesOf(t, disk)
	for i, f := range files {
		if !strings.HasSuffix(f.path, "/anchor") && !strings.HasSuffix(f.path, ".sst") && !strings.Contains(f.path, "/MANIFEST") {
			continue
		}
		log, err := disklog.OpenOn(folder, disklog.Options{ReadOnly: true}, unwritable{diskOf(t, slices.Delete(slices.Clone(files), i, i+1))}, time.Now, small)
		if err == nil {
			err = errors.Join(log.Verify(ctx, nil), log.Close())
		}
		if !errors.Is(err, cursor.ErrCorrupt) {
			t.Errorf("without %s: %v; want ErrCorrupt", f.path, err)
		}
	}
}

// TestReadOnlyIsLocked: who only reads is refused while somebody has the Log open, and keeps others out, but where nobody can write: there
// any number read.
func TestReadOnlyIsLocked(t *testing.T) {
	dir := t.TempDir()
	options := []disklog.Options{{}, {ReadOnly: true}}
	for _, first := range options {
		log := openLog(t, dir, first)
		for _, second := range options {
			if _, err := disklog.Open(dir, second); !errors.Is(err, disklog.ErrLocked) {
				t.Errorf("%+v beside %+v: %v; want ErrLocked", second, first, err)
			}
		}
		if out := inChild(t, dir); !strings.Contains(out, "locked=true") {
			t.Errorf("another process beside %+v: %s; want ErrLocked", first, out)
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	}
	disk, want := filledEvents(t, true)
	var logs []*disklog.Log
	for range 3 {
		log, err := openOn(unwritable{disk}, disklog.Options{ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		logs = append(logs, log)
	}
	for _, log := range logs {
		if got := all(t, log, region.Region{}, want[0].Sequence, 100); !alike(got, want) {
			t.Errorf("%d events, want %d", len(got), len(want))
		}
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	}
}

// forbidding is a disk whose lock may not be written by whom it asks.
type forbidding struct{ vfs.FS }

func (forbidding) Lock(name string) (io.Closer, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EACCES}
}

// TestReadOnlyNeedsTheLock: where others may write and we may not, a reader can't keep them out: it says so, and what to do.
func TestReadOnlyNeedsTheLock(t *testing.T) {
	disk, _ := filled(t, true)
	_, err := openOn(forbidding{disk}, disklog.Options{ReadOnly: true})
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "copy of the folder") {
		t.Errorf("%v; want ErrPermission, and what to do", err)
	}
}

// TestReadOnlyUnderOthers: a Cursor reads a Log that is read only to its end and is told that no more comes; so is a Follower; a Journal takes
// nothing, and tries nothing again.
func TestReadOnlyUnderOthers(t *testing.T) {
	disk, want := filledEvents(t, true)
	synctest.Test(t, func(t *testing.T) {
		log, err := openOn(disk, disklog.Options{ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		c, err := cursor.Open(ctx, log, region.Region{}, cursor.FromStart())
		if err != nil {
			t.Fatal(err)
		}
		dst, n := make([]core.Envelope, 100), 0
		for err == nil {
			var more int
			more, err = c.NextBatch(ctx, dst)
			n += more
		}
		if n != len(want) || !errors.Is(err, disklog.ErrReadOnly) {
			t.Errorf("%d of %d events were read, then %v", n, len(want), err)
		}
		f := core.New(core.Config[core.Envelope]{SingleWriter: true, Locate: core.Envelope.Point})
		j := cursor.NewJournal(log, f, cursor.JournalOptions{})
		for range 2 {
			limit, cancel := context.WithTimeout(ctx, time.Hour)
			_, err = j.Append(limit, []cursor.Draft{about(t, "a", 0)})
			cancel()
			if !errors.Is(err, disklog.ErrReadOnly) || errors.Is(err, cursor.ErrUnknown) {
				t.Errorf("appended: %v; want ErrReadOnly", err)
			}
		}
		_ = j.Close(ctx)
		if err := errors.Join(f.Close(), log.Close()); err != nil {
			t.Error(err)
		}
	})
}
