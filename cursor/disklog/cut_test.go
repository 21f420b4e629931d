package disklog_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/cursor/disklog/internal/block"
)

// newest returns the index of the engine's newest log that has something in it.
func newest(t *testing.T, files []file) int {
	t.Helper()
	at := -1
	for i, f := range files {
		if strings.HasSuffix(f.path, ".log") && len(f.data) > 0 {
			at = i
		}
	}
	if at < 0 {
		t.Fatal("there is no log")
	}
	return at
}

// TestH131CutAnywhere: the last batch, whose append was not answered, is cut at every byte of it. The log opens with all that
// was acknowledged, says what was cut, and goes on. A cut in what was acknowledged is damage.
func TestH131CutAnywhere(t *testing.T) {
	mem := vfs.NewCrashableMem()
	log, err := openOn(mem, disklog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	acked := add(t, log, mixed(t, 5, 0)...)
	state := func() []file { return filesOf(t, mem.CrashClone(vfs.CrashCloneCfg{})) }
	before := state()
	last := add(t, log, mixed(t, 5, 5)...)
	after := filesOf(t, mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 1))}))
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	at := newest(t, after)
	whole := after[at].data
	begins := len(before[newest(t, before)].data)
	if begins == 0 || begins >= len(whole) {
		t.Fatalf("the last write is from %d to %d", begins, len(whole))
	}
	for size := begins; size < len(whole); size += sized(1, 1, 41) {
		files := slices.Clone(before) // the anchor too: it was not answered
		files[newest(t, before)].data = bytes.Clone(whole[:size])
		disk := diskOf(t, files)
		log, err := openOn(disk, disklog.Options{})
		if err != nil {
			t.Fatalf("cut at %d: %v", size, err)
		}
		got, err := everything(log)
		if err != nil || !alike(got, acked) {
			t.Fatalf("cut at %d: %d events, %v", size, len(got), err)
		}
		if o := log.Stats().Opened; o.Cut != (size > begins) || o.Cut && (o.Offset != int64(begins) || o.Bytes > int64(size-begins) || o.Path != files[newest(t, before)].path) {
			t.Fatalf("cut at %d of a write at %d: it says %+v", size, begins, o)
		}
		more := add(t, log, about(t, "more", 3))
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		reopened, err := openOn(disk, disklog.Options{})
		if err != nil {
			t.Fatalf("cut at %d, appended to: %v", size, err)
		}
		got, err = everything(reopened)
		if err != nil || !alike(got, append(slices.Clone(acked), more...)) {
			t.Fatalf("cut at %d, appended to: %d events, %v", size, len(got), err)
		}
		if o := reopened.Stats().Opened; o.Cut {
			t.Fatalf("cut at %d, opened twice: it says %+v again", size, o)
		}
		if err := reopened.Close(); err != nil {
			t.Fatal(err)
		}
		cutInAcked(t, after, at, size, append(slices.Clone(acked), last...))
	}
}

// TestRecycledIsNoCut: what an older log of the engine's has left in a file that is used again is no write that was cut short.
func TestRecycledIsNoCut(t *testing.T) {
	disk, want := filledEvents(t, false)
	log, err := openOn(disk, disklog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if o := log.Stats().Opened; o.Cut || o.Tail == 0 {
		t.Errorf("it says %+v; nothing was cut", o)
	}
	if got, err := everything(log); err != nil || !alike(got, want) {
		t.Errorf("%d events, want %d: %v", len(got), len(want), err)
	}
	if err := log.Close(); err != nil {
		t.Error(err)
	}
}

// cutInAcked cuts what the anchor says was acknowledged.
func cutInAcked(t *testing.T, files []file, at, size int, want []core.Envelope) {
	t.Helper()
	files = slices.Clone(files)
	files[at].data = bytes.Clone(files[at].data[:size])
	if whole, err := outcome(diskOf(t, files), content{events: want}); err != nil || whole {
		t.Fatalf("what was acknowledged is cut at %d: %v, all there: %t; want a CorruptError", size, err, whole)
	}
}

// TestH160UnknownVersion: what another version wrote is refused, not guessed at; an event in another place is found out.
func TestH160UnknownVersion(t *testing.T) {
	disk, _ := filled(t, true)
	for _, f := range filesOf(t, disk) {
		if !strings.HasSuffix(f.path, "/anchor") {
			continue
		}
		other := bytes.Clone(f.data)
		other[16]++
		binary.BigEndian.PutUint64(other[33:], xxhash.Sum64(other[:33])) // or it is the checksum that refuses it
		files := filesOf(t, disk)
		i := slices.IndexFunc(files, func(g file) bool { return g.path == f.path })
		files[i].data = other
		if _, err := openOn(diskOf(t, files), disklog.Options{}); !errors.Is(err, cursor.ErrCorrupt) || !errors.Is(err, block.ErrVersion) {
			t.Errorf("an anchor of another version: %v", err)
		}
		return
	}
	t.Fatal("there is no anchor")
}

// TestMissingFiles: a file less is an error, or nothing is missing.
func TestMissingFiles(t *testing.T) {
	disk, want := filled(t, false)
	said := 0
	for i, f := range filesOf(t, disk) {
		whole, err := outcome(diskOf(t, slices.Delete(filesOf(t, disk), i, i+1)), want)
		if err != nil && !errors.Is(err, cursor.ErrClosed) {
			t.Errorf("without %s: %v", f.path, err)
		}
		if !whole {
			said++
		}
	}
	if said < 4 {
		t.Errorf("%d missing files were said", said)
	}
}
