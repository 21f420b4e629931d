package cursor_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// A plain is a Feed with what a Feed must have, and no more.
type plain struct{ cursor.Feed }

// TestPlainFeed: a Feed needs nothing but its three methods, and may heed a context that is over before an event that is there.
func TestPlainFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t, memlog.Options{})
		f := w.follow(t, region.Region{}, cursor.FollowOptions{
			ProgressEvery: time.Minute,
			Feed: func(ctx context.Context, f *fanout, r region.Region) (cursor.Feed, error) {
				feed, err := byChannel(3)(ctx, f, r)
				return strict{plain{feed}}, err
			},
		})
		expect(t, f, "[caught up at 0]")
		w.add(t, "a", "b")
		time.Sleep(time.Minute)
		expect(t, f, "0 1") // by a look into the log, as the while is over
		w.add(t, "a")
		expect(t, f, "2")
		w.add(t, "a", "b", "c", "d")
		synctest.Wait()
		expect(t, f, "3 4 5 [fell behind at 6 by 1] 6 [caught up at 7]")
	})
}

type strict struct{ cursor.Feed }

func (s strict) Next(ctx context.Context) (core.Envelope, error) {
	if ctx.Err() != nil {
		return core.Envelope{}, ctx.Err()
	}
	return s.Feed.Next(ctx)
}

// TestFeedCancelledByAnother: whoever ends a follower's subscription has ended the follower.
func TestFeedCancelledByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t, memlog.Options{})
		var feed cursor.Feed
		f := w.follow(t, region.Region{}, cursor.FollowOptions{
			Feed: func(ctx context.Context, f *fanout, r region.Region) (_ cursor.Feed, err error) {
				feed, err = byRing(3)(ctx, f, r)
				return feed, err
			},
		})
		expect(t, f, "[caught up at 0]")
		w.add(t, "a")
		feed.Cancel()
		if i, err := f.Next(context.Background()); err != nil || i.Sequence != 0 {
			t.Errorf("what it was given: %d, %v", i.Sequence, err)
		}
		if _, err := f.Next(context.Background()); !errors.Is(err, core.ErrCancelled) || !errors.Is(f.Err(), core.ErrCancelled) {
			t.Errorf("%v, Err() = %v; want ErrCancelled", err, f.Err())
		}
	})
}

// TestCancelledWhileItSubscribes: a Cancel that finds no feed yet is found by who makes one.
func TestCancelledWhileItSubscribes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t, memlog.Options{})
		var f *cursor.Follower
		f = w.follow(t, region.Region{}, cursor.FollowOptions{
			Feed: func(_ context.Context, fan *fanout, r region.Region) (cursor.Feed, error) {
				s, err := channel.Subscribe(context.Background(), fan, r, 1) // which no context ends
				f.Cancel()
				return s, err
			},
		})
		expect(t, f, "["+core.ErrCancelled.Error()+"]")
		synctest.Wait()
		if n := w.fanout.Len(); n != 0 {
			t.Errorf("%d subscriptions", n)
		}
	})
}

// TestLogEndsWhileLive: a log that was closed, or has lost its end, is found out when it is quiet.
func TestLogEndsWhileLive(t *testing.T) {
	eachFeed(t, func(t *testing.T, feed func(int) feedFunc) {
		w := newWriter(t, memlog.Options{})
		w.add(t, "a", "b")
		b := &bounding{Log: w.log, after: func() {}}
		w.log = b
		closed := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: feed(2), ProgressEvery: time.Minute})
		shorter := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: feed(2), ProgressEvery: time.Minute})
		expect(t, closed, "0 1 [caught up at 2]")
		expect(t, shorter, "0 1 [caught up at 2]")
		b.less = 1
		time.Sleep(time.Minute)
		expect(t, shorter, "["+(&cursor.BeyondError{From: 2, Next: 1}).Error()+"]")
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		expect(t, closed, "["+cursor.ErrClosed.Error()+"]")
		if _, err := closed.Lag(context.Background()); err != cursor.ErrClosed {
			t.Errorf("Lag: %v", err)
		}
	})
}

// TestFollowSays: what there is to print.
func TestFollowSays(t *testing.T) {
	w := newWriter(t, memlog.Options{})
	r := region.Region{Entity: "a"}
	f := w.follow(t, r, cursor.FollowOptions{Feed: byRing(1)})
	if f.Region() != r || f.Name() != "test" {
		t.Errorf("Region() = %s, Name() = %q", f.Region(), f.Name())
	}
	for want, got := range map[string]interface{ String() string }{
		"catching up": cursor.CatchingUp, "joining": cursor.Joining, "live": cursor.Live, "parked": cursor.Parked,
		"ended": cursor.Ended, "unknown": cursor.FollowState(9),
		"none": cursor.NoMark, "caught up at 7": cursor.Mark{Kind: cursor.CaughtUp, Place: 7},
		"fell behind at 7 by 2": cursor.Mark{Kind: cursor.FellBehind, Place: 7, Behind: 2},
		"progress at 7":         cursor.Mark{Kind: cursor.Progress, Place: 7},
	} {
		if got.String() != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for want, err := range map[string]error{
		"spillway/cursor: the snapshot can't be used: its log is b; a was asked for":               &cursor.SnapshotError{What: "log", Want: "a", Got: "b"},
		"spillway/cursor: the snapshot can't be used: its bytes are damaged, or of something else": &cursor.SnapshotError{What: "bytes"},
	} {
		if err.Error() != want {
			t.Errorf("got %s, want %s", err, want)
		}
	}
}
