package disklog_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/checkpointtest"
	"github.com/spillwayhq/spillway/cursor/disklog"
)

// opened opens a disk for a test, which fails where it doesn't open.
func opened(t failing, fs vfs.FS, o disklog.Options) *disklog.Log {
	t.Helper()
	log, err := openOn(fs, o)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

func closed(t failing, log *disklog.Log) {
	t.Helper()
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
}

// A handed is the store of whichever Log has the folder now: one at a time can.
type handed struct{ log atomic.Pointer[disklog.Log] }

func (h *handed) store() cursor.Checkpoints { return h.log.Load().Checkpoints() }

func (h *handed) Load(ctx context.Context, name string) (cursor.Checkpoint, error) {
	return h.store().Load(ctx, name)
}

func (h *handed) Claim(ctx context.Context, c cursor.Checkpoint) (cursor.Checkpoint, error) {
	return h.store().Claim(ctx, c)
}

func (h *handed) Save(ctx context.Context, c cursor.Checkpoint) error { return h.store().Save(ctx, c) }

func TestCheckpointsKit(t *testing.T) {
	for _, level := range []cursor.Level{cursor.EachGroup(), cursor.NoSync()} {
		t.Run(level.String(), func(t *testing.T) {
			checkpointtest.Run(t, func() checkpointtest.Subject {
				dir, h := t.TempDir(), new(handed)
				open := func() error {
					log, err := disklog.Open(dir, disklog.Options{Sync: level})
					h.log.Store(log)
					return err
				}
				if err := open(); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { closed(t, h.log.Load()) })
				return checkpointtest.Subject{
					Checkpoints: h,
					Reopen: func() (cursor.Checkpoints, error) {
						return h, errors.Join(h.log.Load().Close(), open())
					},
					Damage: func(name string) error {
						return errors.Join(spoil(h.log.Load(), 0, name), spoil(h.log.Load(), 1, name))
					},
				}
			})
		})
	}
}

// spoil changes a byte of a generation of a Checkpoint.
func spoil(log *disklog.Log, generation uint64, name string) error {
	key := disklog.SavedKey(generation, name)
	value, err := log.Row(key)
	if err != nil {
		return err
	}
	value[len(value)/2] ^= 4
	return log.SetRow(key, value)
}

// TestCheckpointRow: the bytes are as docs/formats/disklog.md draws them.
func TestCheckpointRow(t *testing.T) {
	log := opened(t, vfs.NewMem(), disklog.Options{})
	defer closed(t, log)
	store := log.Checkpoints()
	var last cursor.Checkpoint
	for _, name := range []string{"other", "worker"} {
		c, err := store.Claim(ctx, unclaimed(name, log.ID()))
		if err != nil {
			t.Fatal(err)
		}
		last = c
	}
	last.Place, last.State = 7, []byte("fold")
	if err := store.Save(ctx, last); err != nil {
		t.Fatal(err)
	}
	last.Generation = 3 // the claim has made 1 and 2
	inner, err := last.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	key := []byte("w\x01worker")
	if got := disklog.SavedKey(3, "worker"); !bytes.Equal(got, key) {
		t.Errorf("the key is %q, want %q", got, key)
	}
	want := append([]byte{1, 0, 0, 0, 0, 0, 0, 0, 5}, inner...) // two writes for each claim before
	id := log.ID()
	want = binary.BigEndian.AppendUint64(want, xxhash.Sum64(slices.Concat(id[:], key, want)))
	if got, err := log.Row(key); err != nil || !bytes.Equal(got, want) {
		t.Errorf("wrote\n%x, %v; want\n%x", got, err, want)
	}
}

// TestSaveIsDurable: whatever Sync says, what a Claim or a Save has answered is there after a power cut, and so is all that was appended
// before: no place is ahead of its Log.
func TestSaveIsDurable(t *testing.T) {
	mem := vfs.NewCrashableMem()
	log := opened(t, mem, disklog.Options{Sync: cursor.NoSync()})
	var l ledger
	for i := range 3 {
		add(t, log, mixed(t, 10, 10*i)...)
		for _, write := range []func() error{
			func() error { return l.claim(log.Checkpoints(), "worker") },
			func() error { return l.saveAt(log.Checkpoints(), "worker", 10*i+9) },
		} {
			if err := write(); err != nil {
				t.Fatal(err)
			}
			left := opened(t, mem.CrashClone(vfs.CrashCloneCfg{}), disklog.Options{})
			s := l.saved["worker"]
			if err := s.check(left.Checkpoints(), "worker"); err != nil {
				t.Error(err)
			}
			if got := bounds(t, left).Next; got != uint64(10*i+10) {
				t.Errorf("%d events are left of %d", got, 10*i+10)
			}
			closed(t, left)
		}
	}
	closed(t, log)
}

// TestRetentionLeavesCheckpoints: whatever is dropped, they stay, and they are not counted as what is kept.
func TestRetentionLeavesCheckpoints(t *testing.T) {
	mem := vfs.NewMem()
	log := opened(t, mem, disklog.Options{MaxEvents: 50})
	var l ledger
	for i := range 60 { // some segments
		add(t, log, mixed(t, 10, 10*i)...)
		if err := l.save(log.Checkpoints(), i); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := log.Compact(ctx, 600); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(log.Flush(), log.Merge()); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(l.saved.held(log.Checkpoints()), log.Verify(ctx, nil)); err != nil {
			t.Error(err)
		}
		if s := log.Stats(); s.Bytes != 0 || s.First != 600 || s.Next != 600 {
			t.Errorf("Stats: %+v", s)
		}
		closed(t, log)
		log = opened(t, mem, disklog.Options{MaxEvents: 50})
	}
	closed(t, log)
}

// TestOlderLogTakesCheckpoints: the anchor of a Log without Checkpoints is as it was when no program knew of any, which can read it. It opens, has
// none, and takes some.
func TestOlderLogTakesCheckpoints(t *testing.T) {
	mem := vfs.NewMem()
	log := opened(t, mem, disklog.Options{})
	es := add(t, log, mixed(t, 100, 0)...)
	var l ledger
	l.log = log.ID()
	closed(t, log)
	files := filesOf(t, mem)
	anchor := files[slices.IndexFunc(files, func(f file) bool { return strings.HasSuffix(f.path, "/anchor") })].data
	for _, at := range []int{512, 1024} {
		sum := xxhash.Sum64(slices.Concat(l.log[:], []byte("anchor"), anchor[at:at+24]))
		if want := binary.BigEndian.AppendUint64(nil, sum); !bytes.Equal(anchor[at+24:at+40], append(want, make([]byte, 8)...)) {
			t.Errorf("the slot at %d is %x; want its sum %x after 24 bytes, and nothing more", at, anchor[at:at+40], want)
		}
	}
	log = opened(t, mem, disklog.Options{})
	if _, err := log.Checkpoints().Load(ctx, "worker"); !errors.Is(err, cursor.ErrNoCheckpoint) {
		t.Errorf("there is one: %v", err)
	}
	if err := l.save(log.Checkpoints(), 0); err != nil {
		t.Fatal(err)
	}
	closed(t, log)
	if whole, err := outcome(mem, content{es, l.saved}); !whole || err != nil {
		t.Errorf("opened again: %t, %v", whole, err)
	}
}

// TestFailedSaveIsFinal: the fsync of a claim or a save fails. It is the Log's end: nothing is written any more, by whatever name. What
// was stored before is answered, and what is there in the end is that or what was tried.
func TestFailedSaveIsFinal(t *testing.T) {
	for _, what := range []string{"claim", "save", "first claim"} {
		mem := vfs.NewMem()
		var armed atomic.Bool
		disk := faulty(mem, func(op errorfs.Op) error {
			syncs := op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo
			if syncs && strings.HasSuffix(op.Path, ".log") && armed.CompareAndSwap(true, false) {
				return failure(op, syscall.EIO)
			}
			return nil
		})
		log := opened(t, disk, disklog.Options{})
		store := log.Checkpoints()
		var l ledger
		l.log = log.ID()
		if err := l.append(log, mixed(t, 5, 0)); err != nil {
			t.Fatal(err)
		}
		for i := range 2 { // "worker", and "other"
			if err := l.save(store, i); err != nil {
				t.Fatal(err)
			}
		}
		armed.Store(true)
		name := "worker"
		var err error
		switch what {
		case "claim":
			err = l.claim(store, name)
		case "save":
			err = l.saveAt(store, name, 2)
		case "first claim":
			name = "third"
			err = l.claim(store, name)
		}
		if !errors.Is(err, cursor.ErrFailed) || !errors.Is(err, syscall.EIO) {
			t.Errorf("%s: %v; want ErrFailed and EIO", what, err)
		}
		later := unclaimed("other", l.log)
		later.Epoch = 1
		_, claimed := store.Claim(ctx, later)
		_, appended := log.Append(ctx, mixed(t, 1, 5))
		for _, err := range []error{claimed, appended, store.Save(ctx, later), l.saveAt(store, "worker", 3)} {
			if !errors.Is(err, cursor.ErrFailed) {
				t.Errorf("%s, and then: %v; want ErrFailed", what, err)
			}
		}
		for name, s := range l.saved {
			got, err := store.Load(ctx, name)
			if s.acked.Epoch == 0 && !errors.Is(err, cursor.ErrNoCheckpoint) || s.acked.Epoch > 0 && (err != nil || !sameCheckpoint(got, s.acked)) {
				t.Errorf("%s: %q is %+v, %v; acknowledged was %+v", what, name, got, err, s.acked)
			}
		}
		if err := log.Close(); !errors.Is(err, cursor.ErrFailed) {
			t.Errorf("%s: Close: %v; want ErrFailed", what, err)
		}
		if _, err := store.Load(ctx, name); !errors.Is(err, cursor.ErrClosed) {
			t.Errorf("%s: closed: %v; want ErrClosed", what, err)
		}
		if err := l.check(mem); err != nil {
			t.Errorf("%s: opened again: %v", what, err)
		}
	}
}

// TestLoadIsOfWhatIsDurable: while the fsync of a save is under way, nobody is told of the place, and who doesn't want to wait for it
// leaves.
func TestLoadIsOfWhatIsDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var armed atomic.Bool
		goOn := make(chan struct{})
		log := opened(t, faulty(vfs.NewMem(), func(op errorfs.Op) error {
			syncs := op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo
			if syncs && strings.HasSuffix(op.Path, ".log") && armed.CompareAndSwap(true, false) {
				<-goOn
			}
			return nil
		}), disklog.Options{})
		store := log.Checkpoints()
		c, err := store.Claim(ctx, unclaimed("worker", log.ID()))
		if err != nil {
			t.Fatal(err)
		}
		armed.Store(true)
		c.Place = 7
		var done atomic.Int32
		go func() {
			if err := store.Save(ctx, c); err != nil {
				t.Error(err)
			}
			done.Add(1)
		}()
		synctest.Wait()
		go func() {
			if got, err := store.Load(ctx, "worker"); err != nil || got.Place != 7 {
				t.Errorf("got %+v, %v", got, err)
			}
			done.Add(1)
		}()
		synctest.Wait()
		if got := done.Load(); got != 0 {
			t.Errorf("%d of save and load have returned before the fsync has", got)
		}
		over, cancel := context.WithCancelCause(ctx)
		time.AfterFunc(time.Second, func() { cancel(errors.New("gone")) })
		if _, err := store.Load(over, "worker"); err == nil || err.Error() != "gone" {
			t.Errorf("who doesn't wait got %v", err)
		}
		close(goOn)
		synctest.Wait()
		if got := done.Load(); got != 2 {
			t.Errorf("%d of save and load have returned", got)
		}
		closed(t, log)
	})
}

// TestTooLargeACheckpoint: it is refused, and harms nothing.
func TestTooLargeACheckpoint(t *testing.T) {
	log := opened(t, vfs.NewMem(), disklog.Options{})
	defer closed(t, log)
	store := log.Checkpoints()
	c, err := store.Claim(ctx, unclaimed("worker", log.ID()))
	if err != nil {
		t.Fatal(err)
	}
	large := c
	large.State = make([]byte, 64<<20)
	if err := store.Save(ctx, large); !errors.Is(err, cursor.ErrLimit) {
		t.Errorf("got %v; want ErrLimit", err)
	}
	c.State = []byte("fold")
	if err := store.Save(ctx, c); err != nil {
		t.Error(err)
	}
}
