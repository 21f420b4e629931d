package disklog_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/region"
)

// A contest is owners of a few names who fence each other, while the Log is written, dropped, verified and closed.
type contest struct {
	log   *disklog.Log
	mu    sync.Mutex
	acked map[string]uint64 // the highest place
	saves int
}

// own claims a name and saves higher and higher places, until it is fenced, or the Log is closed.
func (c *contest) own(name string) error {
	store := c.log.Checkpoints()
	owned, err := store.Claim(ctx, unclaimed(name, c.log.ID()))
	for n := 0; err == nil && n < 30; n++ {
		owned.Place++
		owned.State = fmt.Appendf(owned.State[:0], "place %d", owned.Place)
		if err = store.Save(ctx, owned); err == nil {
			c.mu.Lock()
			c.saves++
			c.acked[name] = max(c.acked[name], owned.Place) // another may have saved, and said so, since
			c.mu.Unlock()
		}
	}
	return err
}

// watch loads a name until the Log is closed: no epoch and no place goes back, and no State is another place's.
func (c *contest) watch(name string) error {
	var last cursor.Checkpoint
	for {
		got, err := c.log.Checkpoints().Load(ctx, name)
		if errors.Is(err, cursor.ErrNoCheckpoint) && last.Epoch == 0 {
			continue
		}
		if err != nil {
			return err
		}
		if got.Epoch < last.Epoch || got.Place < last.Place || got.Damaged || got.Place > 0 && string(got.State) != fmt.Sprintf("place %d", got.Place) {
			return fmt.Errorf("%+v after %+v", got, last)
		}
		last = got
	}
}

// TestCheckpointsStress: claims and saves beside appends, retention, Verify and Close: who was fenced saves nothing, and what was
// answered is there afterwards.
func TestCheckpointsStress(t *testing.T) {
	mem := vfs.NewMem()
	c := &contest{log: opened(t, mem, disklog.Options{MaxEvents: 300}), acked: make(map[string]uint64)}
	var appending, others sync.WaitGroup
	for a := range 2 {
		appending.Go(func() {
			for i := range sized(400, 100, 25) {
				if _, err := c.log.Append(ctx, mixed(t, 7, 10_000*a+7*i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	// until does something again and again, until the Log is closed.
	until := func(what string, do func() error) {
		others.Go(func() {
			for {
				err := do()
				switch {
				case err == nil, errors.Is(err, cursor.ErrFenced), errors.Is(err, cursor.ErrCompacted):
				case errors.Is(err, cursor.ErrClosed):
					return
				default:
					t.Errorf("%s: %v", what, err)
					return
				}
			}
		})
	}
	names := []string{"one", "two", "three"}
	for _, name := range names {
		for range 2 {
			until("owner of "+name, func() error { return c.own(name) })
		}
		until("load "+name, func() error { return c.watch(name) })
	}
	until("verify", func() error { return c.log.Verify(ctx, nil) })
	until("compact", func() error {
		b, err := c.log.Bounds(ctx)
		if err == nil {
			err = c.log.Compact(ctx, b.Next-(b.Next-b.First)/2)
		}
		if err == nil {
			err = c.log.Wait(ctx, b.Next+40)
		}
		return err
	})
	appending.Wait()
	closed(t, c.log)
	others.Wait()
	if c.saves < len(names) {
		t.Errorf("%d saves: the test sees nothing", c.saves)
	}
	log := opened(t, mem, disklog.Options{})
	defer closed(t, log)
	for name, want := range c.acked {
		got, err := log.Checkpoints().Load(ctx, name)
		if err != nil || got.Place < want {
			t.Errorf("%q: %+v, %v; acknowledged was place %d", name, got, err, want)
		}
	}
	if err := log.Verify(ctx, nil); err != nil {
		t.Error(err)
	}
}

// A noting is a store that notes which place was saved last.
type noting struct {
	cursor.Checkpoints
	place *uint64
}

func (s noting) Save(ctx context.Context, c cursor.Checkpoint) error {
	err := s.Checkpoints.Save(ctx, c)
	if err == nil {
		*s.place = c.Place
	}
	return err
}

// TestH113WorkersOverTheLogsOwnStore: a Worker whose places are in its Log's own files, and whose machine loses its power while it handles some
// event, again and again: every event is handled at least once, the place passes none that wasn't, nor does it move back, nor is it ever
// beyond the Log's end, though appends are not synced.
func TestH113WorkersOverTheLogsOwnStore(t *testing.T) {
	for seed := range uint64(sized(60, 20, 4)) {
		random := rand.New(rand.NewPCG(seed, 11))
		h := &lives{
			t: t, random: random, disk: vfs.NewCrashableMem(), handled: make(map[core.ID]bool),
			o: cursor.WorkerOptions{Name: "worker", Region: region.Region{Scope: "shop"}, Batch: 1 + random.IntN(5), Every: random.IntN(4), Attempts: 1000},
		}
		for range 2 + random.IntN(4) {
			h.live(2 + random.IntN(9))
		}
		h.live(-1)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// A lives is one disk, and the Workers that live on it, one after the other.
type lives struct {
	t       *testing.T
	random  *rand.Rand
	disk    *vfs.MemFS
	o       cursor.WorkerOptions
	handled map[core.ID]bool
	place   uint64 // the last that a Worker was told is saved
}

// live runs a Worker to the end of its Log, or to the power cut that its nth handling meets: just before, or just after.
func (h *lives) live(n int) {
	t := h.t
	log := opened(t, h.disk, disklog.Options{Sync: cursor.NoSync()})
	h.look(log)
	add(t, log, mixed(t, 1+h.random.IntN(12), h.random.IntN(1000))...)
	end := bounds(t, log).Next
	after, cut := h.random.IntN(2) == 0, (*vfs.MemFS)(nil)
	o := h.o
	o.Checkpoints = noting{log.Checkpoints(), &h.place}
	o.Handle = func(ctx context.Context, e core.Envelope) (cursor.Answer, error) {
		n--
		if n != 0 || after {
			h.handled[e.EventID] = true
		}
		elsewhere := cursor.Draft{EventID: cursor.NewID(), Coordinate: coordinate(t, "x", "bank")} // not synced
		if _, err := log.Append(ctx, []cursor.Draft{elsewhere}); err != nil {
			return cursor.Continue, err
		}
		if n == 0 {
			cfg := vfs.CrashCloneCfg{UnsyncedDataPercent: 50 * h.random.IntN(3), RNG: h.random}
			cut = h.disk.CrashClone(cfg)
			return cursor.StopWithRollback, nil
		}
		if e.Sequence == end-1 {
			return cursor.Stop, nil
		}
		return cursor.Continue, nil
	}
	w, err := cursor.StartWorker(ctx, log, o)
	if err == nil {
		err = w.Wait(ctx)
	}
	if err != nil {
		t.Errorf("the worker ended with %v", err)
	}
	if n < 0 {
		for _, e := range all(t, log, h.o.Region, 0, 100) {
			if !h.handled[e.EventID] {
				t.Errorf("event %d was never handled", e.Sequence)
			}
		}
	}
	closed(t, log)
	if cut != nil {
		h.disk = cut
	}
}

// look compares what is saved with what was handled, and with what the Worker before was told.
func (h *lives) look(log *disklog.Log) {
	t := h.t
	c, err := log.Checkpoints().Load(ctx, h.o.Name)
	if errors.Is(err, cursor.ErrNoCheckpoint) && h.place == 0 {
		return
	}
	if next := bounds(t, log).Next; err != nil || c.Place != h.place || c.Place > next || c.Damaged {
		t.Errorf("saved is %+v, %v; the worker was told of place %d, and the log ends at %d", c, err, h.place, next)
	}
	for _, e := range all(t, log, h.o.Region, 0, 100) {
		if e.Sequence < c.Place && !h.handled[e.EventID] {
			t.Errorf("the place is %d; event %d was not handled", c.Place, e.Sequence)
		}
	}
}
