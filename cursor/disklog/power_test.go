package disklog_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// A cut is what a disk holds when the power goes at some moment, and what had been promised by then.
type cut struct {
	at       string
	percent  int // of what was not synced that made it
	disk     *vfs.MemFS
	promised *ledger
}

// cuts runs the script, and cuts the power before every write and every sync of it, and whatever else changes the disk.
// Where syncs do nothing, they do nothing.
func cuts(t *testing.T, batches int, noSync bool) (all []cut) {
	t.Helper()
	mem := &crashable{MemFS: vfs.NewCrashableMem()}
	var (
		l  ledger
		mu sync.Mutex
		n  int
	)
	fs := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsRead || op.Kind == errorfs.OpFileClose {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		n++
		promised := l.snapshot() // first: what is promised meanwhile need not be on the disk
		for _, percent := range []int{0, 50, 100} {
			cfg := vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rand.New(rand.NewPCG(uint64(n), uint64(percent)))}
			all = append(all, cut{fmt.Sprintf("%d: %v %s", n, op.Kind, op.Path), percent, mem.clone(cfg), promised})
		}
		return nil
	}))
	var disk vfs.FS = fs
	if noSync {
		disk = forgetful{fs}
	}
	if err := l.script(t, disk, batches); err != nil {
		t.Fatal(err)
	}
	return all
}

// crashable keeps the engine's file system in memory from waiting for itself: its ReuseForWrite and its Lock take the lock for
// readers twice, and a clone that asks for the lock in between waits for the first while the second waits for the clone.
type crashable struct {
	*vfs.MemFS
	twice sync.Mutex // held by each clone, and by what would take the lock for readers twice
}

func (c *crashable) clone(cfg vfs.CrashCloneCfg) *vfs.MemFS {
	c.twice.Lock()
	defer c.twice.Unlock()
	return c.CrashClone(cfg)
}

func (c *crashable) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	c.twice.Lock()
	defer c.twice.Unlock()
	return c.MemFS.ReuseForWrite(oldname, newname, category)
}

func (c *crashable) Lock(name string) (io.Closer, error) {
	c.twice.Lock()
	defer c.twice.Unlock()
	return c.MemFS.Lock(name)
}

// TestCrashableClones: a clone, and what takes the lock for readers twice, wait for each other only so long as each takes.
func TestCrashableClones(t *testing.T) {
	mem := &crashable{MemFS: vfs.NewCrashableMem()}
	f, err := mem.Create("a", vfs.WriteCategoryUnspecified)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 2000 {
			for _, names := range [][2]string{{"a", "b"}, {"b", "a"}} {
				f, err := mem.ReuseForWrite(names[0], names[1], vfs.WriteCategoryUnspecified)
				if err == nil {
					err = f.Close()
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
			lock, err := mem.Lock("lock")
			if err == nil {
				err = lock.Close()
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 2000 {
		mem.clone(vfs.CrashCloneCfg{})
	}
	wg.Wait()
}

// TestH152PowerCuts: wherever the power goes, all that was acknowledged is there, no batch is there in part, repeats are
// recognized, and the clocks go on.
func TestH152PowerCuts(t *testing.T) {
	batches := sized(60, 12, 6)
	all := cuts(t, batches, false)
	failed := 0
	for _, c := range all {
		if err := c.promised.check(c.disk); err != nil {
			t.Errorf("%s, %d%% of the rest: %d acknowledged, %d tried: %v", c.at, c.percent, len(c.promised.acked), len(c.promised.tried), err)
			if failed++; failed == 20 {
				t.Fatal("and so on")
			}
		}
	}
	t.Logf("%d cuts", len(all))
	if len(all) < 60 {
		t.Errorf("%d cuts cannot be all", len(all))
	}
}

// TestPowerCutsAreFelt: where the disk syncs nothing, the same cuts break promises. So they are cuts.
func TestPowerCutsAreFelt(t *testing.T) {
	broken := 0
	all := cuts(t, 6, true)
	for _, c := range all {
		if c.promised.check(c.disk) != nil {
			broken++
		}
	}
	if broken < len(all)/10 {
		t.Errorf("%d of %d cuts break a promise where nothing is synced: the cuts are not felt", broken, len(all))
	}
}

// A forgetful disk says that it has synced, and hasn't.
type forgetful struct{ vfs.FS }

type forgetfulFile struct{ vfs.File }

func (f forgetful) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, c)
	return forgetfulFile{file}, err
}

func (f forgetful) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	file, err := f.FS.OpenReadWrite(name, c, opts...)
	return forgetfulFile{file}, err
}

func (f forgetful) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.ReuseForWrite(oldname, newname, c)
	return forgetfulFile{file}, err
}

func (f forgetful) OpenDir(name string) (vfs.File, error) {
	file, err := f.FS.OpenDir(name)
	return forgetfulFile{file}, err
}

func (forgetfulFile) Sync() error                { return nil }
func (forgetfulFile) SyncData() error            { return nil }
func (forgetfulFile) SyncTo(int64) (bool, error) { return true, nil }
