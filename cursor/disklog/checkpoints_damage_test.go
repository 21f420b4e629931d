package disklog_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
)

// TestH116EitherGenerationOfTheEngine: with either generation spoiled or gone, whether the Log is opened again or not, the other is used, that is
// said, by Verify too, who was the owner stays fenced, and the owner goes on; then all is well again. With both it is an error, and others
// go on.
func TestH116EitherGenerationOfTheEngine(t *testing.T) {
	for name, change := range map[string]func([]byte) []byte{
		"a bit":     func(b []byte) []byte { b[len(b)/2] ^= 4; return b },
		"cut short": func(b []byte) []byte { return b[:len(b)-1] },
		"empty":     func([]byte) []byte { return []byte{} },
		"gone":      func([]byte) []byte { return nil },
	} {
		for spoiled := range uint64(2) {
			for saves := range 3 {
				for _, again := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s, %d, after %d saves, opened again %t", name, spoiled, saves, again), func(t *testing.T) {
						eitherGeneration(t, change, spoiled, saves, again)
					})
				}
			}
		}
	}
}

func eitherGeneration(t *testing.T, change func([]byte) []byte, spoiled uint64, saves int, again bool) {
	disk := vfs.NewMem()
	log := opened(t, disk, disklog.Options{})
	reopen := func() {
		closed(t, log)
		log = opened(t, disk, disklog.Options{})
	}
	var l ledger
	for i := range 2 {
		if err := errors.Join(l.claim(log.Checkpoints(), "worker"), l.claim(log.Checkpoints(), "other")); err != nil {
			t.Fatal(i, err)
		}
	}
	for i := range saves {
		if err := l.saveAt(log.Checkpoints(), "worker", i); err != nil {
			t.Fatal(err)
		}
	}
	was := l.saved["worker"]
	both := func(keys ...uint64) {
		t.Helper()
		for _, bit := range keys {
			key := disklog.SavedKey(bit, "worker")
			value, err := log.Row(key)
			if err == nil {
				err = log.SetRow(key, change(value))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if again {
			reopen()
		}
	}
	both(spoiled)
	if err := log.Verify(ctx, nil); !corrupt(err) {
		t.Errorf("Verify: %v; want a CorruptError", err)
	}
	store := log.Checkpoints()
	got, err := store.Load(ctx, "worker")
	if err != nil || !got.Damaged || got.Epoch != was.acked.Epoch || was.acked.Place-got.Place > 1 {
		t.Fatalf("got %+v, %v; acknowledged was %+v", got, err, was.acked)
	}
	if err := store.Save(ctx, was.older); !errors.Is(err, cursor.ErrFenced) {
		t.Errorf("the older owner's save: %v", err)
	}
	if err := l.saveAt(store, "other", 3); err != nil { // beside it
		t.Errorf("a save of another: %v", err)
	}
	if again {
		reopen()
	}
	if err := l.saveAt(log.Checkpoints(), "worker", 9); err != nil {
		t.Errorf("the owner's save: %v", err)
	}
	for range 2 {
		if err := errors.Join(l.saved.held(log.Checkpoints()), log.Verify(ctx, nil)); err != nil {
			t.Errorf("not healed: %v", err)
		}
		if err := errors.Join(l.claim(log.Checkpoints(), "worker"), l.saveAt(log.Checkpoints(), "worker", 10)); err != nil {
			t.Error(err)
		}
		reopen()
	}
	if bytes.Equal(change([]byte{1}), nil) { // gone, both of them: TestLostSavesAreFound
		closed(t, log)
		return
	}
	both(0, 1)
	store = log.Checkpoints()
	if got, err := store.Load(ctx, "worker"); !errors.Is(err, cursor.ErrCorruptCheckpoint) || !corrupt(err) {
		t.Errorf("both: %+v, %v", got, err)
	}
	if err := l.saveAt(store, "other", 11); err != nil {
		t.Errorf("a save of another: %v", err)
	}
	reopen()
	if err := log.Verify(ctx, nil); !corrupt(err) {
		t.Errorf("both: Verify: %v; want a CorruptError", err)
	}
	closed(t, log)
}

func corrupt(err error) bool {
	_, ok := errors.AsType[*disklog.CorruptError](err)
	return ok
}

// TestLaterCheckpointIsNotPassedOver: what a later program has written is whole, and may be the newer.
func TestLaterCheckpointIsNotPassedOver(t *testing.T) {
	log := opened(t, vfs.NewMem(), disklog.Options{})
	defer closed(t, log)
	c, err := log.Checkpoints().Claim(ctx, unclaimed("worker", log.ID()))
	if err != nil {
		t.Fatal(err)
	}
	for _, generation := range []uint64{c.Generation, c.Generation - 1} {
		key := disklog.SavedKey(generation, "worker")
		was, err := log.Row(key)
		if err != nil {
			t.Fatal(err)
		}
		later := bytes.Clone(was)
		later[0]++
		id := log.ID()
		end := len(later) - 8
		binary.BigEndian.PutUint64(later[end:], xxhash.Sum64(slices.Concat(id[:], key, later[:end])))
		if err := log.SetRow(key, later); err != nil {
			t.Fatal(err)
		}
		_, claimed := log.Checkpoints().Claim(ctx, c)
		_, loaded := log.Checkpoints().Load(ctx, "worker")
		for _, err := range []error{loaded, claimed, log.Checkpoints().Save(ctx, c)} {
			if !errors.Is(err, cursor.ErrCorruptCheckpoint) {
				t.Errorf("generation %d: %v", generation, err)
			}
		}
		if err := log.SetRow(key, was); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLostSavesAreFound: rows that are as they were before, or are gone with no trace, are whole each by itself. Verify and Open say so.
func TestLostSavesAreFound(t *testing.T) {
	for name, lose := range map[string]func(before []byte) []byte{
		"as they were": func(before []byte) []byte { return before },
		"gone":         func([]byte) []byte { return nil },
	} {
		disk := vfs.NewMem()
		log := opened(t, disk, disklog.Options{})
		var l ledger
		l.log = log.ID()
		store := log.Checkpoints()
		if err := errors.Join(l.claim(store, "worker"), l.claim(store, "other")); err != nil {
			t.Fatal(err)
		}
		var keys, before [][]byte
		for bit := range uint64(2) {
			keys = append(keys, disklog.SavedKey(bit, "worker"))
			row, err := log.Row(keys[bit])
			if err != nil {
				t.Fatal(err)
			}
			before = append(before, row)
		}
		for i := range 4 {
			if err := errors.Join(l.saveAt(store, "worker", i), l.saveAt(store, "other", i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := log.Verify(ctx, nil); err != nil {
			t.Fatal(err)
		}
		for i, key := range keys {
			if err := log.SetRow(key, lose(before[i])); err != nil {
				t.Fatal(err)
			}
		}
		if err := log.Verify(ctx, nil); !corrupt(err) {
			t.Errorf("%s: Verify: %v; want a CorruptError", name, err)
		}
		closed(t, log)
		if log, err := openOn(disk, disklog.Options{}); !corrupt(err) {
			t.Errorf("%s: Open: %v; want a CorruptError", name, err)
			if err == nil {
				closed(t, log)
			}
		}
	}
}

// TestCheckpointsNeedTheAnchor: a Log of nothing but Checkpoints whose anchor is gone is no new one.
func TestCheckpointsNeedTheAnchor(t *testing.T) {
	mem := vfs.NewMem()
	log := opened(t, mem, disklog.Options{})
	if _, err := log.Checkpoints().Claim(ctx, unclaimed("worker", log.ID())); err != nil {
		t.Fatal(err)
	}
	closed(t, log)
	files := slices.DeleteFunc(filesOf(t, mem), func(f file) bool { return strings.HasSuffix(f.path, "/anchor") })
	if log, err := openOn(diskOf(t, files), disklog.Options{}); !corrupt(err) {
		t.Errorf("got %v; want a CorruptError", err)
		if err == nil {
			closed(t, log)
		}
	}
}

// TestLastSaveCutAnywhere: the last write of the engine's log is a save. Cut at whatever byte it is as if it had not been made, if it was not
// answered, and that is said; if it was, it is damage. A byte of it that is changed is damage, too: nobody is owner of an older epoch
// again in silence.
func TestLastSaveCutAnywhere(t *testing.T) {
	for _, what := range []string{"claim", "save"} {
		mem := vfs.NewCrashableMem()
		log := opened(t, mem, disklog.Options{})
		var l ledger
		es := add(t, log, mixed(t, 5, 0)...)
		for i := range 3 {
			if err := l.save(log.Checkpoints(), i); err != nil {
				t.Fatal(err)
			}
		}
		before, was := filesOf(t, mem.CrashClone(vfs.CrashCloneCfg{})), content{es, l.snapshot().saved}
		write := func() error { return l.saveAt(log.Checkpoints(), "worker", 7) }
		if what == "claim" {
			write = func() error { return l.claim(log.Checkpoints(), "worker") }
		}
		if err := write(); err != nil {
			t.Fatal(err)
		}
		is := content{es, l.saved}
		after := filesOf(t, mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 1))}))
		closed(t, log)
		at := newest(t, after)
		data := after[at].data
		begins := len(before[newest(t, before)].data)
		if begins == 0 || begins >= len(data) {
			t.Fatalf("the last write is from %d to %d", begins, len(data))
		}
		for size := begins; size < len(data); size += sized(1, 1, 23) {
			files := slices.Clone(before) // the anchor too: it was not answered
			files[newest(t, before)].data = bytes.Clone(data[:size])
			disk := diskOf(t, files)
			log := opened(t, disk, disklog.Options{})
			if got := log.Stats().Opened.Cut; got != (size > begins) {
				t.Errorf("%s, cut at %d of a write at %d: it says cut: %t", what, size, begins, got)
			}
			closed(t, log)
			if whole, err := outcome(disk, was); !whole || err != nil {
				t.Errorf("%s, cut at %d: as before: %t, %v", what, size, whole, err)
			}
			files = slices.Clone(after)
			files[at].data = bytes.Clone(data[:size])
			if whole, err := outcome(diskOf(t, files), is); whole || err != nil {
				t.Errorf("%s, cut at %d, answered: %v, all there: %t; want a CorruptError", what, size, err, whole)
			}
			files[at].data = bytes.Clone(data)
			files[at].data[size] ^= 0x10
			if whole, err := outcome(diskOf(t, files), is); whole || err != nil {
				t.Errorf("%s, changed at %d, answered: %v, all there: %t; want a CorruptError", what, size, err, whole)
			}
		}
	}
}

// TestH133EveryByteOfASmallLog: of a Log that was opened some times, and had little but saves in between, each byte of each file is changed: an
// error, or all that was acknowledged. The engine forgets what it wrote to tables when the end of its list of them is damaged.
func TestH133EveryByteOfASmallLog(t *testing.T) {
	disk := vfs.NewMem()
	var want content
	var l ledger
	for session := range 4 {
		log := opened(t, disk, disklog.Options{})
		l.log = log.ID()
		if session < 2 {
			want.events = append(want.events, add(t, log, mixed(t, 3, 3*session)...)...)
		}
		name := []string{"worker", "other"}[session%2]
		if session < 2 { // the last two saves of a name are in tables of their own
			if err := l.claim(log.Checkpoints(), name); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.saveAt(log.Checkpoints(), name, session); err != nil {
			t.Fatal(err)
		}
		if session == 2 {
			if err := log.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		closed(t, log)
	}
	want.saved = l.saved
	files := filesOf(t, disk)
	if whole, err := outcome(diskOf(t, files), want); !whole || err != nil {
		t.Fatalf("undamaged: %t, %v", whole, err)
	}
	said, healed := make(map[string]int), 0
	for at, f := range files {
		for place := 0; place < len(f.data); place += sized(5, 41, 401) {
			damaged := slices.Clone(files)
			damaged[at].data = bytes.Clone(f.data)
			damaged[at].data[place] ^= 0x21
			whole, err := outcome(diskOf(t, damaged), want)
			if err == nil {
				var is bool
				if is, err = heals(diskOf(t, damaged), "worker"); is {
					healed++
				}
			}
			if err != nil {
				t.Errorf("%s of %d bytes, changed at %d: %v", f.path, len(f.data), place, err)
			}
			if !whole {
				said[f.path]++
			}
		}
	}
	t.Logf("said %v of %d files, %d were healed", said, len(files), healed)
	if len(said) < 4 {
		t.Errorf("damage was said of %v only", said)
	}
}

// heals looks whether a Checkpoint that can be loaded, though it is damaged, is well after the next claim, and the Log opens with it. It says
// whether there was one, and is: where the engine merges the damaged table meanwhile, the Log has failed.
func heals(disk vfs.FS, name string) (is bool, err error) {
	log, err := openOn(disk, disklog.Options{})
	if err != nil {
		return false, nil // outcome has looked at that, and at what follows
	}
	if c, err := log.Checkpoints().Load(ctx, name); err != nil || !c.Damaged {
		_ = log.Close()
		return false, nil
	}
	claimed, err := log.Checkpoints().Claim(ctx, unclaimed(name, log.ID()))
	if err == nil {
		claimed.Place++
		err = log.Checkpoints().Save(ctx, claimed)
	}
	err = errors.Join(err, log.Close())
	var got cursor.Checkpoint
	if err == nil {
		log, err = openOn(disk, disklog.Options{})
	}
	if err == nil {
		got, err = log.Checkpoints().Load(ctx, name)
		err = errors.Join(err, log.Close())
	}
	if corrupt(err) && errors.Is(err, cursor.ErrFailed) {
		return false, nil
	}
	if claimed.Damaged = false; err != nil || !sameCheckpoint(got, claimed) {
		return true, fmt.Errorf("what was damaged was claimed, and is %+v, %w; claimed was %+v", got, err, claimed)
	}
	return true, nil
}
