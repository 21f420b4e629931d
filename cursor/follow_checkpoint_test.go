package cursor_test

import (
	"context"
	"errors"
	"testing"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// TestFollowFromCheckpoint: a Follower begins at what is saved, or where it is told if nothing is, and ends where what is saved is
// bound to another region.
func TestFollowFromCheckpoint(t *testing.T) {
	eachFeed(t, func(t *testing.T, feed func(int) feedFunc) {
		w := newWriter(t, memlog.Options{})
		w.add(t, "a", "b", "a")
		store := memlog.NewCheckpoints()
		a := region.Region{Entity: "a"}
		o := cursor.FollowOptions{Feed: feed(2), From: cursor.FromCheckpoint(store, "reader", cursor.After(0))}
		expect(t, w.follow(t, a, o), "2 [caught up at 3]")
		if _, err := store.Claim(context.Background(), cursor.NewCheckpoint("reader", w.log.ID(), a, 0)); err != nil {
			t.Fatal(err)
		}
		f := w.follow(t, a, o)
		expect(t, f, "0 2 [caught up at 3]")
		w.add(t, "a")
		expect(t, f, "3")
		f = w.follow(t, region.Region{}, o)
		if _, err := f.Next(context.Background()); !errors.Is(err, cursor.ErrMismatch) || !errors.Is(f.Err(), cursor.ErrMismatch) {
			t.Errorf("another region: %v, and then %v", err, f.Err())
		}
	})
}
