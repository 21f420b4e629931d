package cursor_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// TestFollowerLagBeforeItBegins: it is how far the end is from where it would begin, and Stats says that there is no place where there is none.
func TestFollowerLagBeforeItBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		log := newLog(t, memlog.Options{})
		w := &writer{log: log, fanout: openFanout(t)}
		w.add(t, "a", "b", "b", "a", "a")
		if err := log.Compact(ctx, 1); err != nil {
			t.Fatal(err)
		}
		r := region.Region{Entity: "a"}
		store := memlog.NewCheckpoints()
		saved, err := store.Claim(ctx, cursor.NewCheckpoint("saved", log.ID(), r, 2))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			from  cursor.Start
			place uint64
			known bool
			lag   uint64
			err   error
		}{
			{cursor.FromStart(), 0, false, 4, nil},
			{cursor.FromEnd(), 0, false, 0, nil},
			{cursor.From(3), 3, true, 2, nil},
			{cursor.After(3), 4, true, 1, nil},
			{cursor.FromCheckpoint(store, saved.Name, cursor.FromEnd()), 0, false, 3, nil},
			{cursor.FromCheckpoint(store, "none", cursor.FromEnd()), 0, false, 0, nil},
			{cursor.FromCheckpoint(brokenStore{}, "none", cursor.FromEnd()), 0, false, 0, errBroken},
			{cursor.From(6), 6, true, 0, cursor.ErrBeyond},
		} {
			f := w.follow(t, r, cursor.FollowOptions{Feed: byRing(4), From: c.from})
			if s := f.Stats(); s.Place != c.place || s.Unplaced == c.known || f.Place() != c.place {
				t.Errorf("%s: %+v; want it at %d, known: %v", c.from, s, c.place, c.known)
			}
			if lag, err := f.Lag(ctx); lag != c.lag || !errors.Is(err, c.err) {
				t.Errorf("%s: Lag() = %d, %v; want %d, %v", c.from, lag, err, c.lag, c.err)
			}
			if c.err != nil {
				continue
			}
			items(t, f, 10)
			if s := f.Stats(); s.Place != 5 || s.Unplaced {
				t.Errorf("%s, caught up: %+v", c.from, s)
			}
		}
	})
}

// TestFollowerLagPastALostEnd: it is an error, as a Cursor's, and not 0.
func TestFollowerLagPastALostEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		w := newWriter(t, memlog.Options{})
		cut := &wrapped{Log: w.log}
		w.add(t, "a", "a", "a")
		w.log = cut
		f := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: byRing(4)})
		expect(t, f, "0 1 2 [caught up at 3]")
		for next, want := range []error{cursor.ErrBeyond, cursor.ErrBeyond, cursor.ErrBeyond, nil} {
			cut.bounds = func(context.Context) (cursor.Bounds, error) { return cursor.Bounds{Next: uint64(next)}, nil }
			if lag, err := f.Lag(ctx); lag != 0 || !errors.Is(err, want) {
				t.Errorf("the log ends at %d: Lag() = %d, %v; want %v", next, lag, err, want)
			}
		}
	})
}

// TestCaughtUpUnderASteadyStream: a Follower that reads the log, and is as quick as who appends, catches up though it never finds the
// log's end: by pull where the fan-out is closed, and where it was pruned too often to subscribe. One that falls further behind doesn't.
func TestCaughtUpUnderASteadyStream(t *testing.T) {
	for _, c := range []struct {
		name     string
		each     int // events that come between two looks
		prunes   int
		closed   bool
		caughtUp bool
	}{
		{"closed", 3, 0, true, true},
		{"patient", 3, 12, false, true},
		{"closed, and outrun", 2000, 0, true, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWriter(t, memlog.Options{})
			steady := &wrapped{Log: w.log}
			log := w.log
			w.log = steady
			w.add(t, "a")
			f := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: byRing(1)})
			if c.prunes > 0 {
				expect(t, f, "0 [caught up at 1]")
			}
			for range c.prunes {
				for f.Stats().State != cursor.Live {
					time.Sleep(6 * time.Second) // a while without an event: there is no better time
					items(t, f, 1000)
				}
				w.add(t, "a", "a")
				for parked := f.Stats().Parked; f.Stats().Parked == parked; {
					if _, err := f.Next(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			}
			if c.closed {
				_ = w.fanout.Close()
			}
			before := f.Stats()
			steady.bounds = func(ctx context.Context) (cursor.Bounds, error) { // each time that it looks there is more
				for range c.each {
					add(t, log, "a")
				}
				return log.Bounds(ctx)
			}
			said, behind := false, uint64(0)
			for range 20_000 {
				i, err := f.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if said = i.Mark.Kind == cursor.CaughtUp; said {
					b, _ := log.Bounds(t.Context())
					behind = b.Next - i.Mark.Place
					break
				}
			}
			if s := f.Stats(); said != c.caughtUp || behind > 256 || s.Live != before.Live {
				t.Errorf("%s: caught up: %v, %d behind, %+v; want %v", c.name, said, behind, s, c.caughtUp)
			}
		})
	}
}

// TestStatsOfALoopThatWasLeft: what was read ahead, or taken from the feed, and nobody got, was not handed out.
func TestStatsOfALoopThatWasLeft(t *testing.T) {
	eachFeed(t, func(t *testing.T, feed func(int) feedFunc) {
		for _, live := range []bool{false, true} {
			w := newWriter(t, memlog.Options{})
			f := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: feed(8)})
			if live {
				expect(t, f, "[caught up at 0]")
			}
			w.add(t, "a", "a", "a", "a", "a")
			got := uint64(0)
			for e, err := range f.Events() {
				if err != nil {
					t.Fatal(err)
				}
				if got++; e.Sequence == 1 {
					break
				}
			}
			want := cursor.FollowStats{State: cursor.Ended, Place: 2, Pulled: 2}
			if live {
				want.Live, want.Pulled, want.Resumed = 2, 0, 1
			}
			if s := f.Stats(); s != want || got != 2 {
				t.Errorf("live %v: left after %d, %+v; want %+v", live, got, s, want)
			}
		}
	})
}
