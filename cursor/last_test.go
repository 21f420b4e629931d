package cursor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// A restored is a Log under the identity of another, as one is that was put back from a backup, and went on.
type restored struct {
	cursor.Log
	id cursor.LogID
}

func (r restored) ID() cursor.LogID { return r.id }

// regrown returns a log of alice, bob, bob, alice, and what it is after it lost its end from the sequence kept on and other events came.
func regrown(t testing.TB, kept int, others ...string) (log *memlog.Log, again restored) {
	t.Helper()
	log = newLog(t, memlog.Options{})
	ds := make([]cursor.Draft, 4)
	for i, e := range []string{"alice", "bob", "bob", "alice"} {
		ds[i] = cursor.Draft{EventID: core.ID{byte(i + 1)}, Coordinate: coordinate(t, e), Kind: kind}
	}
	grown := newLog(t, memlog.Options{})
	if _, err := log.Append(context.Background(), ds); err != nil {
		t.Fatal(err)
	}
	if _, err := grown.Append(context.Background(), ds[:kept]); err != nil {
		t.Fatal(err)
	}
	add(t, grown, others...)
	return log, restored{grown, log.ID()}
}

// mismatch tells whether err says that the event at a sequence is another, and has both sides.
func mismatch(err error, sequence int) bool {
	m, ok := errors.AsType[*cursor.MismatchError](err)
	id := fmt.Sprintf("%d (%s)", sequence, core.ID{byte(sequence + 1)})
	return ok && m.Name == "worker" && m.What == "event" && m.Got == id && m.Want != id && m.Want != "" && errors.Is(err, cursor.ErrMismatch)
}

// TestH110LogThatGrewAgain: a place in a log that lost its end is no place, also when the log has come so far again: who begins there, by
// whatever way, is told both events. That retention has passed the event, or that none is noted, is no reason to refuse.
func TestH110LogThatGrewAgain(t *testing.T) {
	ctx := context.Background()
	alice := region.Region{Entity: "alice"}
	for _, c := range []struct {
		name   string
		kept   int
		others []string
		first  uint64 // what retention leaves
		want   func(error) bool
	}{
		{"as it was", 4, nil, 0, nil},
		{"as it was, and on", 4, []string{"alice"}, 0, nil},
		{"shorter", 3, nil, 0, func(err error) bool { return errors.Is(err, cursor.ErrBeyond) }},
		{"another end", 3, []string{"alice", "alice"}, 0, func(err error) bool { return mismatch(err, 3) }},
		{"another end, of others' events", 3, []string{"bob"}, 0, func(err error) bool { return mismatch(err, 3) }},
		{"all others", 0, []string{"alice", "alice", "alice", "alice"}, 0, func(err error) bool { return mismatch(err, 3) }},
		{"another end, which retention has passed", 3, []string{"alice", "alice"}, 4, nil},
	} {
		store := memlog.NewCheckpoints()
		log, again := regrown(t, c.kept, c.others...)
		o := cursor.WorkerOptions{Name: "worker", Region: alice, Checkpoints: store}
		o.Handle = func(_ context.Context, e core.Envelope) (cursor.Answer, error) {
			if e.Sequence == 3 {
				return cursor.Stop, nil
			}
			return cursor.Continue, nil
		}
		w := startWorker(t, log, o)
		_ = endsWith(t, w, nil)
		saved, err := store.Load(ctx, "worker")
		if err != nil || saved.LastSequence != 3 || saved.LastID != (core.ID{4}) {
			t.Fatalf("saved %+v, %v; want it to have event 3", saved, err)
		}
		if err := again.Log.(*memlog.Log).Compact(ctx, c.first); err != nil {
			t.Fatal(err)
		}
		judge := func(how string, err error) {
			t.Helper()
			if c.want == nil && err != nil || c.want != nil && !c.want(err) {
				t.Errorf("%s, by %s: %v", c.name, how, err)
			}
		}
		from := cursor.FromCheckpoint(store, "worker", cursor.FromStart())
		_, err = cursor.Open(ctx, again, alice, from)
		judge("a cursor", err)
		_, err = cursor.Open(ctx, again, alice, saved.Start())
		judge("its Start", err)

		w, err = cursor.StartWorker(ctx, again, o)
		judge("a worker", err)
		now, loaded := store.Load(ctx, "worker")
		if loaded != nil || (err != nil) != (now.Epoch == saved.Epoch) {
			t.Errorf("%s: the worker got %v, %v, and the epoch is %d; want the owner fenced only where it starts", c.name, err, loaded, now.Epoch)
		}
		if err == nil {
			stopped(t, w)
		}

		saved.LastSequence, saved.LastID = 0, core.ID{} // as one of the first version
		if _, err := cursor.Open(ctx, again, alice, saved.Start()); err != nil && !errors.Is(err, cursor.ErrBeyond) {
			t.Errorf("%s, with no event noted: %v", c.name, err)
		}
	}
}

// TestH110QuietRegionThatGrewAgain: a place moves over others' events, and what is lost may be those alone.
func TestH110QuietRegionThatGrewAgain(t *testing.T) {
	ctx := context.Background()
	log, again := regrown(t, 2, "alice", "bob")
	c := cursor.NewCheckpoint("worker", log.ID(), region.Region{Entity: "carol"}, 0)
	c.Move(ctx, log, 3)
	if c.Place != 3 || c.LastSequence != 2 || c.LastID != (core.ID{3}) {
		t.Fatalf("moved to 3, it is %+v", c)
	}
	if _, err := cursor.Open(ctx, again, region.Region{Entity: "carol"}, c.Start()); !mismatch(err, 2) {
		t.Errorf("others' events were lost: %v", err)
	}
}

// TestH110FirstPlaceThatGrewAgain: a Worker that began at the log's end, and had no event yet, knows what was before.
func TestH110FirstPlaceThatGrewAgain(t *testing.T) {
	store := memlog.NewCheckpoints()
	log, again := regrown(t, 2, "alice", "alice", "alice")
	o := cursor.WorkerOptions{Name: "worker", Checkpoints: store, From: cursor.FromEnd(), Handle: goesOn}
	w := startWorker(t, log, o)
	w.Stop()
	_ = endsWith(t, w, nil)
	if saved, err := store.Load(context.Background(), "worker"); err != nil || saved.Place != 4 || saved.LastSequence != 3 {
		t.Fatalf("saved %+v, %v; want it to have event 3, before its place", saved, err)
	}
	w, err := cursor.StartWorker(context.Background(), again, o)
	if err == nil {
		err = w.Wait(t.Context())
	}
	if !mismatch(err, 3) {
		t.Errorf("events were lost before its place: %v", err)
	}
}

func goesOn(context.Context, core.Envelope) (cursor.Answer, error) { return cursor.Continue, nil }

// TestMoveWhereTheLogCantTell: what was noted stays while it is below the place, and no longer.
func TestMoveWhereTheLogCantTell(t *testing.T) {
	ctx := context.Background()
	log, _ := regrown(t, 4)
	deaf := wrapped{Log: log, read: func(_ context.Context, _ region.Region, from uint64, _ []core.Envelope) (int, uint64, error) {
		return 0, from, errBroken
	}}
	c := cursor.NewCheckpoint("worker", log.ID(), region.Region{}, 0)
	c.Move(ctx, log, 2)
	for _, m := range []struct {
		place, sequence uint64
		id              core.ID
	}{{4, 1, core.ID{2}}, {2, 1, core.ID{2}}, {1, 0, core.ID{}}, {3, 0, core.ID{}}} {
		c.Move(ctx, deaf, m.place)
		if c.Place != m.place || c.LastSequence != m.sequence || c.LastID != m.id {
			t.Errorf("moved to %d: at %d, after %d (%s); want it after %d (%s)", m.place, c.Place, c.LastSequence, c.LastID, m.sequence, m.id)
		}
	}
	c.Move(ctx, log, 0)
	if c.Place != 0 || c.LastID != (core.ID{}) {
		t.Errorf("moved to 0: %+v", c)
	}
	c.Move(ctx, log, 4)
	if _, err := cursor.Open(ctx, deaf, region.Region{}, c.Start()); !errors.Is(err, errBroken) {
		t.Errorf("a log that can't be read: %v", err)
	}
}

// TestSnapshotOfALogThatGrewAgain: it is not gone on from, by its Follower's end, whether it is saved where an event was folded in, or again at once.
// Snapshots of the first version, which have no event, are read.
func TestSnapshotOfALogThatGrewAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		r := region.Region{Entity: "alice"}
		log, again := regrown(t, 3, "alice", "alice")
		reads := cursor.NewReadLimit(1)
		follow := func(log cursor.Log, from cursor.Start) *cursor.Follower {
			f := cursor.Follow(ctx, log, openFanout(t), r, cursor.FollowOptions{Feed: byRing(1), From: from, Reads: reads})
			t.Cleanup(f.Cancel)
			return f
		}
		s := cursor.NewSnapshot(follow(log, cursor.FromStart()), tally{}, count)
		for range 2 {
			if _, err := s.Next(ctx); err != nil {
				t.Fatal(err)
			}
		}
		saved, err := s.Save(marshal)
		if err != nil {
			t.Fatal(err)
		}
		_, from, err := cursor.OpenSnapshot(saved, log.ID(), r)
		if err != nil {
			t.Fatal(err)
		}
		on := cursor.NewSnapshot(follow(log, from), tally{}, count)
		resaved, err := on.Save(marshal)
		if err != nil {
			t.Fatal(err)
		}
		for _, saved := range [][]byte{saved, resaved} {
			_, from, err := cursor.OpenSnapshot(saved, log.ID(), r)
			if err != nil {
				t.Fatal(err)
			}
			f := follow(again, from)
			for range 2 {
				_, err = f.Next(ctx)
				e, ok := errors.AsType[*cursor.SnapshotError](err)
				if !ok || e.What != "event" || e.Got != fmt.Sprintf("3 (%s)", core.ID{4}) || e.Want == e.Got || !errors.Is(f.Err(), cursor.ErrSnapshot) {
					t.Errorf("%v, and ended with %v; want both events", err, f.Err())
				}
			}
		}
		// Nothing of the Region has come: the place has moved over others' events, and some of those are lost.
		r = region.Region{Entity: "carol"}
		quiet := cursor.NewSnapshot(follow(log, cursor.FromStart()), tally{}, count)
		if err := quiet.CatchUp(ctx); err != nil {
			t.Fatal(err)
		}
		others, err := quiet.Save(marshal)
		if err != nil || quiet.Place() != 4 {
			t.Fatalf("saved at %d: %v; want 4", quiet.Place(), err)
		}
		_, from, err = cursor.OpenSnapshot(others, log.ID(), r)
		if err != nil {
			t.Fatal(err)
		}
		if i, err := follow(again, from).Next(ctx); !errors.Is(err, cursor.ErrSnapshot) {
			t.Errorf("others' events were lost: %v, %v", i, err)
		}
		first := slices.Clone(saved) // as the first version wrote it
		first[7] = 1
		first = resum(slices.Delete(first, 8+16+8, 8+16+8+24))
		if state, from, err := cursor.OpenSnapshot(first, log.ID(), region.Region{Entity: "alice"}); err != nil || len(state) == 0 || from.String() != "from 4" {
			t.Errorf("of the first version: %q, %v, %v", state, from, err)
		}
	})
}
