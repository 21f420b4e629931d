package checkpointfile_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

var (
	ctx   = context.Background()
	fresh = cursor.NewCheckpoint("worker", cursor.LogID{1}, region.Region{Entity: "alice"}, 0)
)

// A witness is what two owners, one after the other, know of their Checkpoint.
type witness struct {
	older, owner cursor.Checkpoint
	acknowledged cursor.Checkpoint // the last write that returned nil
	highest      uint64            // the highest place that was attempted
}

// script is what they do: claims, and saves of higher and higher places. It goes on whatever fails.
func (w *witness) script(store cursor.Checkpoints) {
	for range 2 {
		claimed, err := store.Claim(ctx, fresh)
		if err != nil {
			continue
		}
		w.older, w.owner = w.owner, claimed
		w.acknowledged = claimed
		for range 3 {
			c := w.owner
			c.Place++
			w.highest = max(w.highest, c.Place)
			if store.Save(ctx, c) == nil {
				w.owner, w.acknowledged = c, c
			}
		}
	}
}

// check returns what a store has lost of what was acknowledged.
func (w *witness) check(store cursor.Checkpoints) error {
	got, err := store.Load(ctx, "worker")
	switch {
	case errors.Is(err, cursor.ErrNoCheckpoint):
		if w.acknowledged.Epoch > 0 {
			return fmt.Errorf("lost: %+v", w.acknowledged)
		}
	case err != nil:
		return err
	case got.Damaged:
		return fmt.Errorf("a generation is damaged: %+v", got)
	case got.Place < w.acknowledged.Place || got.Place > w.highest || got.Epoch < w.acknowledged.Epoch:
		return fmt.Errorf("got place %d of epoch %d; want %d of %d, up to place %d",
			got.Place, got.Epoch, w.acknowledged.Place, w.acknowledged.Epoch, w.highest)
	}
	claimed, err := store.Claim(ctx, fresh)
	if err != nil || claimed.Epoch <= w.owner.Epoch || claimed.Place != got.Place {
		return fmt.Errorf("claiming after it: %+v, %w; the owner was %+v", claimed, err, w.owner)
	}
	for _, c := range []cursor.Checkpoint{w.older, w.owner} {
		if c.Epoch > 0 && !errors.Is(store.Save(ctx, c), cursor.ErrFenced) {
			return fmt.Errorf("epoch %d is not fenced by %d", c.Epoch, claimed.Epoch)
		}
	}
	claimed.Place++
	return store.Save(ctx, claimed)
}

// steps is how many calls of the disk the script makes.
func steps(t *testing.T) int {
	t.Helper()
	whole := newSim()
	new(witness).script(whole.store())
	if n := len(whole.calls); n > 40 {
		return n
	}
	t.Fatalf("the script makes %d calls", len(whole.calls))
	return 0
}

// powerCuts cuts the power at each step of the script, many times over, and returns what was found lost.
func powerCuts(t *testing.T, change func(*sim)) (lost []error) {
	t.Helper()
	for step := range steps(t) {
		for seed := range uint64(20) {
			s := newSim()
			change(s)
			s.failAt, s.dead, s.failAfterwards = step, true, seed%2 == 0
			var w witness
			w.script(s.store())
			if err := w.check(s.cut(rand.New(rand.NewPCG(seed, 7))).store()); err != nil {
				lost = append(lost, fmt.Errorf("cut at step %d, seed %d: %w", step, seed, err))
			}
		}
	}
	return lost
}

// TestH116PowerCuts: at whatever step the power goes, what was acknowledged is there, whole, and its owner is fenced by the next.
func TestH116PowerCuts(t *testing.T) {
	for _, err := range powerCuts(t, func(*sim) {}) {
		t.Error(err)
	}
}

// TestH117SyncsMatter: the power cuts find out a store that leaves out either sync; and both are where they should be.
func TestH117SyncsMatter(t *testing.T) {
	for name, change := range map[string]func(*sim){
		"of the file":   func(s *sim) { s.deafFile = true },
		"of the folder": func(s *sim) { s.deafFolder = true },
	} {
		if lost := powerCuts(t, change); len(lost) == 0 {
			t.Errorf("without the sync %s nothing is lost: the test sees nothing", name)
		}
	}
	s := newSim()
	store := s.store()
	c, err := store.Claim(ctx, fresh)
	if err != nil {
		t.Fatal(err)
	}
	s.calls = nil
	if err := store.Save(ctx, c); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(s.calls, ", "), "create, write, sync, rename, sync folder"; got != want {
		t.Errorf("a save is: %s; want %s", got, want)
	}
}

// TestFailures: a call that fails is an error, leaves no temporary file once the next write is done, and the same
// write can be made again.
func TestFailures(t *testing.T) {
	for step := range steps(t) {
		for _, afterwards := range []bool{false, true} {
			s := newSim()
			s.failAt, s.failAfterwards = step, afterwards
			store := s.store()
			var w witness
			w.script(store)
			if err := w.check(store); err != nil {
				t.Errorf("failed at call %d, done %v: %v", step, afterwards, err)
			}
			for name := range s.names {
				if strings.HasSuffix(name, ".tmp") {
					t.Errorf("failed at call %d: %s is left", step, name)
				}
			}
		}
	}
}

// TestH118TemporaryFileIsNeverRead: what a crash left there, whole though it be, is nobody's place.
func TestH118TemporaryFileIsNeverRead(t *testing.T) {
	s := newSim()
	stale := fresh
	stale.Epoch, stale.Generation, stale.Place = 9, 9, 900
	b, err := stale.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	s.names["worker.tmp"] = &inode{data: b}
	store := s.store()
	if c, err := store.Load(ctx, "worker"); !errors.Is(err, cursor.ErrNoCheckpoint) {
		t.Errorf("got %+v, %v; want none", c, err)
	}
	if c, err := store.Claim(ctx, fresh); err != nil || c.Epoch != 1 || c.Place != 0 {
		t.Errorf("got %+v, %v; want the first claim", c, err)
	}
	if s.names["worker.tmp"] != nil {
		t.Error("it is still there")
	}
}

// TestH116EitherGenerationWillDo: with either file spoiled, in whatever way, the other is used, that is said, who was the owner stays
// fenced, and the owner goes on. With both it is an error.
func TestH116EitherGenerationWillDo(t *testing.T) {
	for name, spoil := range map[string]func([]byte) []byte{
		"empty":     func([]byte) []byte { return nil },
		"cut short": func(b []byte) []byte { return b[:len(b)-1] },
		"zeros":     func(b []byte) []byte { return make([]byte, len(b)) },
		"a bit":     func(b []byte) []byte { b[len(b)/2] ^= 4; return b },
		"longer":    func(b []byte) []byte { return append(b, 0) },
		"version":   func(b []byte) []byte { b[4]++; return b },
	} {
		for _, file := range []string{"worker.0", "worker.1"} {
			for saves := range 2 {
				s := newSim()
				store := s.store()
				older, err := store.Claim(ctx, fresh)
				if err != nil {
					t.Fatal(err)
				}
				owner, err := store.Claim(ctx, fresh)
				if err != nil {
					t.Fatal(err)
				}
				for range saves {
					owner.Place++
					if err := store.Save(ctx, owner); err != nil {
						t.Fatal(err)
					}
				}
				s.names[file].data = spoil(slices.Clone(s.names[file].data))
				got, err := store.Load(ctx, "worker")
				if err != nil || !got.Damaged || got.Epoch != owner.Epoch || owner.Place-got.Place > 1 {
					t.Errorf("%s, %s, %d saves: got %+v, %v", name, file, saves, got, err)
				}
				if err := store.Save(ctx, older); !errors.Is(err, cursor.ErrFenced) {
					t.Errorf("%s, %s, %d saves: the older owner's save: %v", name, file, saves, err)
				}
				owner.Place++
				if err := store.Save(ctx, owner); err != nil {
					t.Errorf("%s, %s, %d saves: the owner's save: %v", name, file, saves, err)
				}
				if got, err := store.Load(ctx, "worker"); err != nil || got.Damaged || got.Place != owner.Place {
					t.Errorf("%s, %s, %d saves: not healed: %+v, %v", name, file, saves, got, err)
				}
				for _, file := range []string{"worker.0", "worker.1"} {
					s.names[file].data = spoil(slices.Clone(s.names[file].data))
				}
				if got, err := store.Load(ctx, "worker"); !errors.Is(err, cursor.ErrCorruptCheckpoint) {
					t.Errorf("%s of both: %+v, %v", name, got, err)
				}
			}
		}
	}
}

// TestWorkerSaysWhatIsDamaged: a worker that begins with the generation that is left says so, and handles what lies between again.
func TestWorkerSaysWhatIsDamaged(t *testing.T) {
	log, err := memlog.New(memlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	named, err := region.NewCoordinate("alice", "shop")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(ctx, make4(named)); err != nil {
		t.Fatal(err)
	}
	s := newSim()
	var handled []uint64
	o := cursor.WorkerOptions{Name: "worker", Checkpoints: s.store(), Every: 1, Handle: func(_ context.Context, e core.Envelope) (cursor.Answer, error) {
		handled = append(handled, e.Sequence)
		if e.Sequence == 3 {
			return cursor.Stop, nil
		}
		return cursor.Continue, nil
	}}
	for _, want := range []struct {
		damaged bool
		handled string
	}{{false, "[0 1 2 3]"}, {true, "[0 1 2 3 3]"}} {
		if want.damaged {
			newest := s.names["worker.0"]
			var c [2]cursor.Checkpoint
			for i, name := range []string{"worker.0", "worker.1"} {
				if err := c[i].UnmarshalBinary(s.names[name].data); err != nil {
					t.Fatal(err)
				}
			}
			if c[1].Generation > c[0].Generation {
				newest = s.names["worker.1"]
			}
			newest.data = newest.data[:9]
		}
		w, err := cursor.StartWorker(ctx, log, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Wait(ctx); err != nil || w.Status().Damaged != want.damaged || fmt.Sprint(handled) != want.handled {
			t.Errorf("ended with %v, %+v, handled %v; want %v", err, w.Status(), handled, want)
		}
	}
}

func make4(c region.Coordinate) []cursor.Draft {
	return []cursor.Draft{{Coordinate: c}, {Coordinate: c}, {Coordinate: c}, {Coordinate: c}}
}
