package cursor_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// TestReplacedLogAtEachWayBack: wherever the Follower asks the Log, another one is an end, and none of its events are handed out.
func TestReplacedLogAtEachWayBack(t *testing.T) {
	setups := map[string]struct {
		full   int // events at the beginning
		feed   feedFunc
		before func(t *testing.T, w *writer, f *cursor.Follower)
	}{
		"between two reads": {100, byRing(2), func(t *testing.T, _ *writer, f *cursor.Follower) { items(t, f, 16) }},
		"on the way back to live": {1, byRing(2), func(t *testing.T, w *writer, f *cursor.Follower) {
			items(t, f, 10)
			w.add(t, "a", "a", "a")
		}},
		"at the end, by pull": {1, byRing(2), func(t *testing.T, w *writer, f *cursor.Follower) {
			items(t, f, 10)
			_ = w.fanout.Close()
			items(t, f, 10)
		}},
	}
	for name, c := range setups {
		synctest.Test(t, func(t *testing.T) {
			w := newWriter(t, memlog.Options{})
			for range c.full {
				w.add(t, "a")
			}
			swapped := &swapping{Log: w.log}
			w.log = swapped
			f := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: c.feed})
			c.before(t, w, f)
			place := f.Place()
			was := swapped.ID()
			other := newLog(t, memlog.Options{})
			swapped.Log = other
			for range 200 {
				add(t, other, "b")
			}
			for range 100 {
				i, err := f.Next(t.Context())
				if err == nil && !i.IsMark() {
					if i.Coordinate.Entity() == "b" {
						t.Errorf("%s: event %d is the other log's", name, i.Sequence)
					}
					place = i.Sequence + 1
					continue
				}
				if err != nil {
					if r, ok := errors.AsType[*cursor.ReplacedError](err); !ok || r.Was != was || r.Is != other.ID() || f.Place() != place {
						t.Errorf("%s: %v at %d; want a ReplacedError at %d", name, err, f.Place(), place)
					}
					return
				}
			}
			t.Errorf("%s: it goes on", name)
		})
	}
	// It sleeps at the end, by pull, and the log is closed when another is in its place.
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t, memlog.Options{})
		w.add(t, "a")
		old := w.log
		swapped := &swapping{Log: old}
		w.log = swapped
		f := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: byRing(2)})
		items(t, f, 10)
		_ = w.fanout.Close()
		items(t, f, 10)
		told := make(chan error, 1)
		go func() {
			_, err := f.Next(t.Context())
			told <- err
		}()
		synctest.Wait()
		swapped.Log = newLog(t, memlog.Options{})
		if err := old.(*memlog.Log).Close(); err != nil {
			t.Error(err)
		}
		if err := <-told; !errors.Is(err, cursor.ErrReplaced) {
			t.Errorf("replaced, and closed, while it sleeps: %v", err)
		}
	})
	// And while it begins, or reads.
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t, memlog.Options{})
		w.add(t, "a")
		swapped := &swapping{Log: w.log}
		other := newLog(t, memlog.Options{})
		mid := wrapped{Log: swapped}
		mid.read = func(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (int, uint64, error) {
			swapped.Log = other
			return swapped.Read(ctx, r, from, dst)
		}
		add(t, other, "b")
		w.log = mid
		f := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: byRing(2)})
		if i, err := f.Next(t.Context()); !errors.Is(err, cursor.ErrReplaced) || f.Place() != 0 {
			t.Errorf("replaced while it reads: %v, %v, at %d", i, err, f.Place())
		}
	})
}
