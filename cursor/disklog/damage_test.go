package disklog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/region"
)

var ctx = context.Background()

// sized returns how much a test does: all of it, less where it is to be short, least under the race detector.
func sized(full, short, race int) int {
	switch {
	case raceOn:
		return race
	case testing.Short():
		return short
	}
	return full
}

// mixed returns a batch of Drafts that differ.
func mixed(t failing, n, at int) (ds []cursor.Draft) {
	t.Helper()
	entities := []string{"a", "a:b", "a:b:c", "ab", "b"}
	for i := at; i < at+n; i++ {
		d := about(t, entities[i%len(entities)], i%40)
		d.Kind, d.Lane, d.Time = region.Kind(0x1000+i%3), uint32(i%2), uint64(i)
		for j := range d.Payload {
			d.Payload[j] = byte(i + j)
		}
		ds = append(ds, d)
	}
	return ds
}

// A content is what a Log has that is not damaged.
type content struct {
	events []core.Envelope
	saved  savings
}

// filled returns a disk with a Log that has some of everything, as a killed process leaves it or one that closed it.
func filled(t failing, closed bool) (fs vfs.FS, want content) {
	t.Helper()
	var (
		es []core.Envelope
		l  ledger
	)
	mem := vfs.NewCrashableMem()
	log, err := openOn(mem, disklog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		es = append(es, add(t, log, mixed(t, 10, 10*i)...)...)
		if err := l.save(log.Checkpoints(), i); err != nil {
			t.Fatal(err)
		}
		if i == 8 || i == 16 || i == 21 {
			if err := log.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		if i == 16 {
			if err := log.Merge(); err != nil {
				t.Fatal(err)
			}
			if err := log.Compact(ctx, 45); err != nil {
				t.Fatal(err)
			}
		}
	}
	fs, want = mem, content{es[45:], l.saved}
	if !closed {
		fs = mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 1))})
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	return fs, want
}

// filledEvents is filled, for whom the events are enough.
func filledEvents(t failing, closed bool) (vfs.FS, []core.Envelope) {
	t.Helper()
	disk, want := filled(t, closed)
	return disk, want.events
}

// outcome opens a disk, and returns what it says: all of want, or a typed error.
func outcome(fs vfs.FS, want content) (whole bool, err error) {
	log, err := openOn(fs, disklog.Options{})
	if err == nil {
		err = want.saved.held(log.Checkpoints())
		got, rerr := everything(log)
		if rerr == nil && !alike(got, want.events) {
			rerr = fmt.Errorf("%d events, want %d, and the first difference is somewhere", len(got), len(want.events))
		}
		if rerr == nil && err != nil {
			rerr = fmt.Errorf("nothing is said by Verify of: %v", err)
		}
		if rerr != nil && (err == nil || errors.Is(err, cursor.ErrCorrupt)) {
			err = rerr
		}
		if cerr := log.Close(); err == nil {
			err = cerr
		}
	}
	if err == nil {
		return true, nil
	}
	if _, ok := errors.AsType[*disklog.CorruptError](err); ok {
		return false, nil
	}
	return false, err
}

// TestDamagedRepeat: an event is appended again, and what was appended the first time is damaged. That is an error with its place: neither an
// answer, nor another event.
func TestDamagedRepeat(t *testing.T) {
	disk, want := filledEvents(t, true)
	files := filesOf(t, disk)
	random := rand.New(rand.NewPCG(11, 11))
	var tables []int
	for i, f := range files {
		if strings.HasSuffix(f.path, ".sst") {
			tables = append(tables, i)
		}
	}
	said, answered := 0, 0
	for range sized(300, 100, 60) {
		at := tables[random.IntN(len(tables))]
		damaged := slices.Clone(files)
		damaged[at].data = bytes.Clone(files[at].data)
		damaged[at].data[random.IntN(len(files[at].data))] ^= byte(1 + random.IntN(255))
		log, err := openOn(diskOf(t, damaged), disklog.Options{})
		if err != nil {
			continue // TestH133DamageAnywhere looks at that
		}
		next := bounds(t, log).Next
		for i := 0; i < len(want); i += 5 {
			made, err := log.Append(ctx, []cursor.Draft{remade(want[i])})
			c, corrupt := errors.AsType[*disklog.CorruptError](err)
			switch {
			case err == nil && alike(made, want[i:i+1]):
				answered++
			case corrupt && c.Place != "" && !errors.Is(err, cursor.ErrUnknown):
				said++
			default:
				t.Errorf("%s: event %d again: %v, %v; want it, or a CorruptError with its place", files[at].path, want[i].Sequence, made, err)
			}
		}
		if got := bounds(t, log).Next; got != next {
			t.Errorf("%s: %d repeats were added", files[at].path, got-next)
		}
		_ = log.Close()
	}
	t.Logf("%d were said to be damaged, %d answered", said, answered)
	if said == 0 || answered == 0 {
		t.Errorf("%d repeats were said to be damaged and %d answered: it looks at one of the two only", said, answered)
	}
}

// TestH133DamageAnywhere: a byte changed at whatever place of whatever file is an error with a place, unless all that was
// acknowledged is there; never a panic, never an event less.
func TestH133DamageAnywhere(t *testing.T) {
	places := sized(1000, 100, 20)
	for _, closed := range []bool{false, true} {
		t.Run(fmt.Sprint("closed ", closed), func(t *testing.T) {
			disk, want := filled(t, closed)
			files := filesOf(t, disk)
			if whole, err := outcome(diskOf(t, files), want); !whole || err != nil {
				t.Fatalf("undamaged: %t, %v", whole, err)
			}
			random := rand.New(rand.NewPCG(7, 7))
			said, harmless := make(map[string]int), make(map[string]int)
			for range places {
				at := random.IntN(len(files))
				f := files[at]
				if len(f.data) == 0 {
					continue
				}
				place := random.IntN(len(f.data))
				damaged := slices.Clone(files)
				damaged[at].data = bytes.Clone(f.data)
				damaged[at].data[place] ^= byte(1 + random.IntN(255))
				whole, err := outcome(diskOf(t, damaged), want)
				if err != nil {
					t.Errorf("%s of %d bytes, changed at %d: %v", f.path, len(f.data), place, err)
				}
				if whole {
					harmless[f.path]++
				} else {
					said[f.path]++
				}
			}
			t.Logf("said %v, harmless %v", said, harmless)
			if len(said) < 4 && !raceOn {
				t.Errorf("damage was said of %v only", said)
			}
		})
	}
}
