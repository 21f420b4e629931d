package disklog_test

import (
	"math/rand/v2"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
)

// lacks opens the Log of a disk, closes it, and returns whether it says that it may have lost its end.
func lacks(t *testing.T, disk vfs.FS, o disklog.Options) bool {
	t.Helper()
	log, err := openOn(disk, o)
	if err != nil {
		t.Fatal(err)
	}
	may := log.Stats().Opened.MayLack
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	return may
}

// TestLostEndIsSaid: a Log that was open at a Level that may lose its end, and was not closed, says so: to readers each time, and to
// the first that opens it to write. It is the same Log. Closed, or with each group synced, there is nothing to say.
func TestLostEndIsSaid(t *testing.T) {
	reads := disklog.Options{ReadOnly: true}
	for _, level := range []cursor.Level{cursor.EachGroup(), cursor.Interval(time.Hour), cursor.NoSync()} {
		t.Run(level.String(), func(t *testing.T) {
			loose := level != cursor.EachGroup()
			mem := vfs.NewCrashableMem()
			log, err := openOn(mem, disklog.Options{Sync: level})
			if err != nil {
				t.Fatal(err)
			}
			for appended := range 2 { // power goes before there is an append, and after one
				for _, percent := range []int{0, 100} {
					for _, next := range []cursor.Level{cursor.EachGroup(), cursor.NoSync()} {
						disk := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rand.New(rand.NewPCG(1, 1))})
						for range 2 {
							if got := lacks(t, disk, reads); got != loose {
								t.Errorf("%d batches, a reader: its end may be lost: %t, want %t", appended, got, loose)
							}
						}
						again, err := openOn(disk, disklog.Options{Sync: next})
						if err != nil {
							t.Fatal(err)
						}
						if got := again.Stats().Opened.MayLack; got != loose || again.ID() != log.ID() {
							t.Errorf("%d batches, opened again: %t, want %t; log %s, want %s", appended, got, loose, again.ID(), log.ID())
						}
						if err := again.Close(); err != nil {
							t.Fatal(err)
						}
						if lacks(t, disk, reads) || lacks(t, disk, disklog.Options{}) {
							t.Errorf("%d batches: it was closed meanwhile, and says it again", appended)
						}
					}
				}
				add(t, log, mixed(t, 10, 10*appended)...)
			}
			if err := log.Close(); err != nil {
				t.Fatal(err)
			}
			if lacks(t, mem.CrashClone(vfs.CrashCloneCfg{}), reads) {
				t.Error("it was closed, and says that its end may be lost")
			}
		})
	}
}

// TestLostEndByAFailure: a Log whose end could not be synced by Close may have lost it.
func TestLostEndByAFailure(t *testing.T) {
	mem := vfs.NewMem()
	var fails atomic.Bool
	log, err := openOn(faulty(mem, func(op errorfs.Op) error {
		if fails.Load() && ofWAL(op) {
			return failure(op, syscall.EIO)
		}
		return nil
	}), disklog.Options{Sync: cursor.NoSync()})
	if err != nil {
		t.Fatal(err)
	}
	fails.Store(true)
	add(t, log, mixed(t, 10, 0)...)
	if log.Close() == nil {
		t.Error("Close has failed, and does not say so")
	}
	if !lacks(t, mem, disklog.Options{ReadOnly: true}) {
		t.Error("its end was not synced, and it does not say so")
	}
}
