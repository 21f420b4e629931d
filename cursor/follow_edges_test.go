package cursor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/adapters/multicast"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// sequencesTo returns the sequences below n, as items does.
func sequencesTo(n int) string {
	said := make([]string, n)
	for i := range said {
		said[i] = fmt.Sprint(i)
	}
	return strings.Join(said, " ")
}

// TestHoleWithMoreBehindIt: of a batch that begins behind a hole all is read from the log, at once, and none of it is taken for handed
// out when the feed is pruned and retention comes by.
func TestHoleWithMoreBehindIt(t *testing.T) {
	eachFeed(t, func(t *testing.T, feed func(int) feedFunc) {
		w := newWriter(t, memlog.Options{})
		f := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: feed(64)})
		expect(t, f, "[caught up at 0]")
		add(t, w.log, slices.Repeat([]string{"a"}, 20)...) // and nobody broadcasts them
		w.add(t, slices.Repeat([]string{"a"}, 32)...)
		expect(t, f, sequencesTo(52))
	})
}

// TestGapIsSaidAfterAHole: what came behind a hole, and retention took before it was read, is missing, and that is said.
func TestGapIsSaidAfterAHole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t, memlog.Options{})
		w := &writer{log: log, fanout: openFanout(t)}
		f := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: byRing(32)})
		expect(t, f, "[caught up at 0]")
		add(t, log, slices.Repeat([]string{"a"}, 4)...)
		w.add(t, slices.Repeat([]string{"a"}, 33)...) // the last is refused
		var last uint64
		for range 6 { // it has seen the hole, and read some
			i, err := f.Next(context.Background())
			if err != nil || i.IsMark() {
				t.Fatal(i, err)
			}
			last = i.Sequence
		}
		if err := log.Compact(context.Background(), 36); err != nil {
			t.Fatal(err)
		}
		for {
			i, err := f.Next(context.Background())
			if errors.Is(err, cursor.ErrCompacted) {
				return
			}
			if err != nil || !i.IsMark() && i.Sequence != last+1 {
				t.Fatalf("%v, %v after %d; want what was read, and then ErrCompacted", i, err, last)
			}
			if !i.IsMark() {
				last++
			}
		}
	})
}

// TestNarrowFeed: a feed that hasn't all of the Region is none for it; one that has more is.
func TestNarrowFeed(t *testing.T) {
	kind, err := region.NewKind(1, 2)
	if err != nil {
		t.Fatal(err)
	}
	wanted := region.Region{Entity: "a:b", Scope: "shop", Kind: region.OneKind(kind), Lane: region.OneLane(0)}
	for _, c := range []struct {
		of   region.Region
		does bool
	}{
		{region.Region{}, true},
		{wanted, true},
		{region.Region{Entity: "a"}, true},
		{region.Region{Kind: region.InCategory(1)}, true},
		{region.Region{Entity: "a:b:c"}, false},
		{region.Region{Entity: "a:bb"}, false},
		{region.Region{Scope: "other"}, false},
		{region.Region{Kind: region.InCategory(2)}, false},
		{region.Region{Lane: region.OneLane(1)}, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWriter(t, memlog.Options{})
			m, err := multicast.Open(context.Background(), w.fanout, c.of, 8)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Cancel()
			f := w.follow(t, wanted, cursor.FollowOptions{Feed: byShared(m)})
			_, err = f.Next(context.Background())
			if (err == nil) != c.does {
				t.Errorf("a feed of %s for %s: %v; want that it does: %v", c.of, wanted, err, c.does)
			}
		})
	}
}

// TestCancelledIsEnded: a Follower that was cancelled has ended for whoever looks at it, also where nobody asks it for events.
func TestCancelledIsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t, memlog.Options{})
		f := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: byRing(8)})
		expect(t, f, "[caught up at 0]")
		f.Cancel()
		if s := f.Stats().State; s != cursor.Ended {
			t.Errorf("its state is %s, want %s", s, cursor.Ended)
		}
	})
}

// TestSnapshotLacksNothing: where fold panicked, or an event came too late for the state, there is nothing to save.
func TestSnapshotLacksNothing(t *testing.T) {
	marshal := func(int) ([]byte, error) { return nil, nil }
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t, memlog.Options{})
		w.add(t, "a", "a", "a")
		s := cursor.NewSnapshot(w.follow(t, region.Region{}, cursor.FollowOptions{Feed: byRing(4)}), 0, func(n int, e core.Envelope) (int, error) {
			if e.Sequence == 1 {
				panic("one")
			}
			return n + 1, nil
		})
		func() {
			defer func() { _ = recover() }()
			_ = s.CatchUp(context.Background())
		}()
		if _, err := s.Next(context.Background()); err == nil || s.Place() != 1 || s.State() != 1 {
			t.Errorf("after a panic: %v, state %d at %d; want an error, 1 at 1", err, s.State(), s.Place())
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t, memlog.Options{})
		s := cursor.NewSnapshot(w.follow(t, region.Region{Entity: "a"}, cursor.FollowOptions{Feed: byRing(4)}), 0,
			func(n int, _ core.Envelope) (int, error) { return n + 1, nil })
		if err := s.CatchUp(context.Background()); err != nil {
			t.Fatal(err)
		}
		add(t, w.log, "a", "a")
		var es [2]core.Envelope
		if _, _, err := w.log.Read(context.Background(), region.Region{}, 0, es[:]); err != nil {
			t.Fatal(err)
		}
		w.fanout.Broadcast(es[1])
		w.fanout.Broadcast(es[0])
		if err := s.CatchUp(context.Background()); !errors.Is(err, cursor.ErrDisorder) {
			t.Fatal(err)
		}
		if _, err := s.Save(marshal); !errors.Is(err, cursor.ErrDisorder) {
			t.Errorf("Save of a state that lacks event 0: %v, want ErrDisorder", err)
		}
	})
}
