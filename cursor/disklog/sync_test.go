package disklog_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
)

// TestSyncLevels: what an Append has promised is on the disk when it returns, after the interval, or at Close; each level
// has its name, and what was synced is counted and told.
func TestSyncLevels(t *testing.T) {
	for _, c := range []struct {
		sync                  cursor.Level
		name                  string
		atOnce, later, closed uint64 // events that a power cut leaves
	}{
		{cursor.Level{}, "each group", 10, 10, 10},
		{cursor.Interval(time.Minute), "interval 1m0s", 0, 10, 10},
		{cursor.NoSync(), "none", 0, 0, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			mem := vfs.NewCrashableMem()
			synctest.Test(t, func(t *testing.T) {
				synced, appended := 0, 0
				log, err := openOn(mem, disklog.Options{
					Sync:     c.sync,
					OnSync:   func(time.Duration) { synced++ },
					OnAppend: func(events int, _ time.Duration) { appended += events },
				})
				if err != nil {
					t.Fatal(err)
				}
				if got := log.Level().String(); got != c.name {
					t.Errorf("its level is called %q, want %q", got, c.name)
				}
				synctest.Wait()
				before := log.Stats().Syncs
				add(t, log, mixed(t, 10, 0)...)
				survive(t, mem, "at once", c.atOnce)
				if got := log.Stats().Syncs - before; got != c.atOnce/10 {
					t.Errorf("%d syncs for an append, want %d", got, c.atOnce/10)
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				survive(t, mem, "after the interval", c.later)
				if got := log.Stats().Syncs; got != uint64(synced) {
					t.Errorf("%d syncs are counted, and %d were told", got, synced)
				}
				if err := log.Close(); err != nil {
					t.Fatal(err)
				}
				survive(t, mem, "closed", c.closed)
				s := log.LogStats()
				if s.Append.Count != 1 || s.Sync.Count != uint64(synced) || s.Bounds.Next != 10 || s.Entities == 0 || s.Level != log.Level() || s.Failed != nil {
					t.Errorf("LogStats: %+v", s)
				}
				if appended != 10 {
					t.Errorf("%d events were told, want 10", appended)
				}
			})
		})
	}
}

// survive looks how many events a power cut leaves.
func survive(t *testing.T, mem *vfs.MemFS, when string, want uint64) {
	t.Helper()
	log, err := openOn(mem.CrashClone(vfs.CrashCloneCfg{}), disklog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := bounds(t, log); got != (cursor.Bounds{Next: want}) {
		t.Errorf("%s, a power cut leaves %+v, want %d events", when, got, want)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestLevelIsSaid: the Level that is asked for is the one that is said; the zero one is the safest; an interval of nothing is none.
func TestLevelIsSaid(t *testing.T) {
	for asked, want := range map[cursor.Level]cursor.Level{
		{}:                            cursor.EachGroup(),
		cursor.EachGroup():            cursor.EachGroup(),
		cursor.Interval(time.Second):  cursor.Interval(time.Second),
		cursor.NoSync():               cursor.NoSync(),
		cursor.Interval(0):            {},
		cursor.Interval(-time.Second): {},
	} {
		log, err := openOn(vfs.NewMem(), disklog.Options{Sync: asked})
		if (err != nil) != (want == cursor.Level{}) {
			t.Errorf("Sync %v: %v", asked, err)
		}
		if err != nil {
			continue
		}
		if got := log.Level(); got != want {
			t.Errorf("Sync %v: the level is %v, want %v", asked, got, want)
		}
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	}
}
