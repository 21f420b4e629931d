package disklog_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/region"
)

// failure is what a disk says.
func failure(op errorfs.Op, errno syscall.Errno) error {
	return &fs.PathError{Op: fmt.Sprint(op.Kind), Path: op.Path, Err: errno}
}

// faulty returns a disk that fails in those operations that are to fail.
func faulty(mem vfs.FS, fails func(op errorfs.Op) error) vfs.FS {
	return errorfs.Wrap(mem, errorfs.InjectorFunc(fails))
}

// TestH139FailedSyncIsFinal: the fsync of one append fails. Its outcome is unknown, and said to be; nothing is appended any
// more, though the disk is well again; what was acknowledged is read; who waits is told; opened again, the log goes on.
func TestH139FailedSyncIsFinal(t *testing.T) {
	for _, kind := range []string{"sync", "write"} {
		t.Run(kind, func(t *testing.T) {
			mem := vfs.NewMem()
			var armed atomic.Bool
			disk := faulty(mem, func(op errorfs.Op) error {
				syncs := op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo
				if strings.HasSuffix(op.Path, ".log") && (syncs || op.Kind == errorfs.OpFileWrite && kind == "write") && armed.CompareAndSwap(true, false) {
					return failure(op, syscall.EIO)
				}
				return nil
			})
			log, err := openOn(disk, disklog.Options{})
			if err != nil {
				t.Fatal(err)
			}
			var l ledger
			for i := range 3 {
				if err := l.append(log, mixed(t, 5, 5*i)); err != nil {
					t.Fatal(err)
				}
			}
			waiting := make(chan error, 1)
			go func() { waiting <- log.Wait(ctx, 15) }()
			armed.Store(true)
			err = l.append(log, mixed(t, 5, 15))
			if !errors.Is(err, cursor.ErrUnknown) || !errors.Is(err, cursor.ErrFailed) || !errors.Is(err, syscall.EIO) {
				t.Errorf("the append whose %s failed: %v; want ErrUnknown, ErrFailed and EIO", kind, err)
			}
			if err := <-waiting; !errors.Is(err, cursor.ErrFailed) {
				t.Errorf("Wait: %v, want ErrFailed", err)
			}
			for range 3 {
				err := l.append(log, mixed(t, 1, 20))
				if !errors.Is(err, cursor.ErrFailed) || errors.Is(err, cursor.ErrUnknown) {
					t.Errorf("a later append: %v; want ErrFailed", err)
				}
			}
			if err := log.Compact(ctx, 3); !errors.Is(err, cursor.ErrFailed) {
				t.Errorf("Compact: %v; want ErrFailed", err)
			}
			if got := all(t, log, region.Region{}, 0, 7); !alike(got, l.acked) {
				t.Errorf("%d events are read, want the %d that were acknowledged", len(got), len(l.acked))
			}
			if s := log.Stats(); !errors.Is(s.Failed, cursor.ErrFailed) || s.Next != 15 {
				t.Errorf("Stats: %+v", s)
			}
			if err := log.Close(); !errors.Is(err, cursor.ErrFailed) {
				t.Errorf("Close: %v; want ErrFailed", err)
			}
			if err := l.check(mem); err != nil {
				t.Errorf("opened again: %v", err)
			}
		})
	}
}

// TestFaultsEverywhere: whichever call of the engine's to the disk fails, once or from then on, for whatever reason:
// nothing panics, the process lives on, each call returns, and afterwards every promise is kept.
func TestFaultsEverywhere(t *testing.T) {
	batches, every := 24, sized(1, 7, 31)
	var calls atomic.Int64
	counting := faulty(vfs.NewMem(), func(errorfs.Op) error { calls.Add(1); return nil })
	if err := new(ledger).script(t, counting, batches); err != nil {
		t.Fatal(err)
	}
	most := calls.Load()
	if most < 200 {
		t.Fatalf("%d calls cannot be all", most)
	}
	for _, errno := range []syscall.Errno{syscall.EIO, syscall.ENOSPC} {
		t.Run(errno.Error(), func(t *testing.T) {
			felt, failed := 0, 0
			for at := int64(1); at <= most; at += int64(every) {
				var n atomic.Int64
				var where atomic.Value
				mem := vfs.NewMem()
				disk := faulty(mem, func(op errorfs.Op) error {
					// A full disk stays full, and can be read; the other fails once.
					i := n.Add(1)
					if errno == syscall.ENOSPC && (i < at || op.Kind.ReadOrWrite() == errorfs.OpIsRead || op.Kind == errorfs.OpRemove || op.Kind == errorfs.OpFileClose) ||
						errno == syscall.EIO && i != at {
						return nil
					}
					where.CompareAndSwap(nil, fmt.Sprintf("%v %s", op.Kind, op.Path))
					return failure(op, errno)
				})
				var l ledger
				err := l.script(t, disk, batches)
				if err != nil {
					felt++
				}
				if errors.Is(err, cursor.ErrCorrupt) {
					t.Errorf("call %d, %v: taken for damage: %v", at, where.Load(), err)
				}
				if err := l.snapshot().check(mem); err != nil {
					t.Errorf("call %d, %v: %v", at, where.Load(), err)
					if failed++; failed == 20 {
						t.Fatal("and so on")
					}
				}
			}
			t.Logf("%d calls failed, the script felt %d", most, felt)
			if felt < int(most)/every/3 {
				t.Errorf("the script felt %d of %d failures", felt, most)
			}
		})
	}
}
