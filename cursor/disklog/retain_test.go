package disklog_test

import (
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/region"
)

// TestDropIsSeenWhenDurable: while the fsync of a drop is under way, and for good where it fails, all that was to go can be read,
// by a scan and by the index: nothing is passed over, and nothing is called damaged.
func TestDropIsSeenWhenDurable(t *testing.T) {
	for _, fails := range []bool{false, true} {
		var armed atomic.Bool
		syncing, goOn := make(chan struct{}), make(chan struct{})
		disk := faulty(vfs.NewMem(), func(op errorfs.Op) error {
			syncs := op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo
			if !syncs || !strings.HasSuffix(op.Path, ".log") || !armed.CompareAndSwap(true, false) {
				return nil
			}
			close(syncing)
			<-goOn
			if fails {
				return failure(op, syscall.EIO)
			}
			return nil
		})
		log, err := disklog.OpenOn("/log", disklog.Options{}, disk, time.Now, 5)
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			add(t, log, about(t, "a", 8), about(t, "b", 8), about(t, "a", 8), about(t, "b", 8))
		}
		whole := func(when string) {
			t.Helper()
			if got := len(all(t, log, region.Region{}, 0, 7)); got != 40 {
				t.Errorf("%s: %d events by a scan, want 40", when, got)
			}
			if got := len(all(t, log, region.Region{Entity: "a"}, 0, 7)); got != 20 {
				t.Errorf("%s: %d events of an entity, want 20", when, got)
			}
		}
		armed.Store(true)
		compacted := make(chan error, 1)
		go func() { compacted <- log.Compact(ctx, 30) }()
		<-syncing
		whole("while it is synced")
		close(goOn)
		if err := <-compacted; (err != nil) != fails {
			t.Errorf("Compact: %v; fails: %v", err, fails)
		}
		if fails {
			whole("when it has failed")
		} else if got := bounds(t, log).First; got != 30 {
			t.Errorf("the first is %d, want 30", got)
		}
		_ = log.Close() // it says what failed
	}
}

// TestAgeTakesFewSyncs: events that come of age one soon after the other go together: each time is an fsync.
func TestAgeTakesFewSyncs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, err := openOn(vfs.NewMem(), disklog.Options{MaxAge: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		const events = 1000
		for range events {
			add(t, log, about(t, "a", 8))
			time.Sleep(time.Millisecond)
		}
		before := log.Stats().Syncs
		time.Sleep(9*time.Second - time.Millisecond)
		synctest.Wait()
		if got := bounds(t, log); got.First != 0 {
			t.Errorf("the first is %d before anything is of age", got.First)
		}
		time.Sleep(1200 * time.Millisecond) // all of them, and more than a hundredth of the age
		synctest.Wait()
		if got := bounds(t, log); got.First != events {
			t.Errorf("the first is %d, want %d: all are of age", got.First, events)
		}
		if got := log.Stats().Syncs - before; got > 15 {
			t.Errorf("%d syncs to drop what came of age within a second", got)
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
