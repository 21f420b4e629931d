package cursor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// eachFeed runs a test in a bubble for each feed.
func eachFeed(t *testing.T, test func(t *testing.T, feed func(capacity int) feedFunc)) {
	t.Helper()
	for _, f := range feeds {
		t.Run(f.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, f.of) })
		})
	}
}

// items returns what a Follower has to say now, up to most items: sequences, and marks in brackets.
func items(t testing.TB, f *cursor.Follower, most int) string {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(context.Background(), time.Microsecond, errLeft)
	defer cancel()
	var said []string
	for range most {
		i, err := f.Next(ctx)
		switch {
		case errors.Is(err, errLeft):
			return strings.Join(said, " ")
		case err != nil:
			return strings.Join(append(said, fmt.Sprintf("[%v]", err)), " ")
		case i.IsMark():
			said = append(said, fmt.Sprintf("[%s]", i.Mark))
		default:
			said = append(said, fmt.Sprint(i.Sequence))
		}
	}
	return strings.Join(said, " ")
}

func expect(t testing.TB, f *cursor.Follower, want string) {
	t.Helper()
	if got := items(t, f, 1000); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestFollow: pulled, pushed, and pruned; the marks are between the events that they are between.
func TestFollow(t *testing.T) {
	eachFeed(t, func(t *testing.T, feed func(int) feedFunc) {
		w := newWriter(t, memlog.Options{})
		w.add(t, "a", "b", "a")
		f := w.follow(t, region.Region{Entity: "a"}, cursor.FollowOptions{Feed: feed(2)})
		expect(t, f, "0 2 [caught up at 3]")
		w.add(t, "a", "b")
		expect(t, f, "3")
		if s := f.Stats(); s.State != cursor.Live || s.Live != 1 || s.Pulled != 2 || s.Resumed != 1 || s.Parked != 0 || s.Place != 4 {
			t.Errorf("live: %+v", s)
		}
	})
}

// TestH98FirstRefusalLatches: pruned at the third, a follower hands out two, says that it fell behind, and reads on at the
// third, whatever room there was in between. A lapped Reader of a ring has nothing to hand out.
func TestH98FirstRefusalLatches(t *testing.T) {
	for _, c := range []struct {
		feed feedFunc
		want string
	}{
		{byChannel(2), "0 1 [fell behind at 2 by 4] 2 3 4 5 [caught up at 6]"},
		{byRing(2), "0 1 [fell behind at 2 by 4] 2 3 4 5 [caught up at 6]"},
		{byMulticast(2), "[fell behind at 0 by 6] 0 1 2 3 4 5 [caught up at 6]"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWriter(t, memlog.Options{})
			f := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: c.feed})
			expect(t, f, "[caught up at 0]")
			w.add(t, "a", "b", "c", "d")
			synctest.Wait()
			want := c.want
			w.add(t, "e", "f")
			expect(t, f, want)
			if s := f.Stats(); s.Parked != 1 || s.Resumed != 2 || s.Flaps != 1 || s.Patience != 1 {
				t.Errorf("%+v; want one park, two joins, one flap", s)
			}
		})
	}
}

// TestH127ParkedIsSeen: that a follower was pruned shows though it never reads again.
func TestH127ParkedIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t, memlog.Options{})
		f := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: byChannel(1)})
		if s := f.Stats(); s.State != cursor.CatchingUp {
			t.Errorf("at first: %s", s.State)
		}
		expect(t, f, "[caught up at 0]")
		w.add(t, "a", "b", "c")
		synctest.Wait()
		if s := f.Stats(); s.State != cursor.Parked || s.Place != 0 {
			t.Errorf("pruned: %+v", s)
		}
		if lag, err := f.Lag(context.Background()); lag != 3 || err != nil {
			t.Errorf("Lag() = %d, %v; want 3", lag, err)
		}
		if err := w.log.(*memlog.Log).Compact(context.Background(), 3); err != nil { // it holds up no retention
			t.Fatal(err)
		}
		expect(t, f, "0 [fell behind at 1 by 2] [spillway/cursor: sequence 1 is compacted; the first that is kept is 3]")
	})
}

// TestH104FollowerCompacted: what was given comes first; then the end, with the first that is left, as often as asked.
func TestH104FollowerCompacted(t *testing.T) {
	eachFeed(t, func(t *testing.T, feed func(int) feedFunc) {
		w := newWriter(t, memlog.Options{MaxEvents: 4})
		f := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: feed(1)})
		expect(t, f, "[caught up at 0]")
		for range 10 {
			w.add(t, "a")
		}
		if got := items(t, f, 1000); !strings.HasSuffix(got, "compacted; the first that is kept is 6]") {
			t.Fatalf("got %s", got)
		}
		for range 2 {
			_, err := f.Next(context.Background())
			compacted, ok := errors.AsType[*cursor.CompactedError](err)
			if !ok || compacted.First != 6 || compacted.From != f.Place() || !errors.Is(f.Err(), cursor.ErrCompacted) {
				t.Errorf("%v, Place() = %d, Err() = %v", err, f.Place(), f.Err())
			}
		}
		if s := f.Stats(); s.State != cursor.Ended {
			t.Errorf("%+v", s)
		}
	})
}

// TestH106QuietRegion: the place goes on over others' events, and says so once a while; so retention that follows it is no
// end, nor is one that passes it while the feed has everything.
func TestH106QuietRegion(t *testing.T) {
	eachFeed(t, func(t *testing.T, feed func(int) feedFunc) {
		w := newWriter(t, memlog.Options{MaxEvents: 4})
		f := w.follow(t, region.Region{Entity: "a"}, cursor.FollowOptions{Feed: feed(2), ProgressEvery: time.Minute})
		expect(t, f, "[caught up at 0]")
		for range 3 {
			w.add(t, "b")
		}
		expect(t, f, "")
		time.Sleep(time.Minute)
		expect(t, f, "[progress at 3]")
		time.Sleep(time.Minute)
		expect(t, f, "")
		w.add(t, "a")
		expect(t, f, "3")
		time.Sleep(time.Minute)
		expect(t, f, "") // an event has said it
		for range 20 {
			w.add(t, "b")
		}
		time.Sleep(time.Minute)
		expect(t, f, "") // retention has passed its place, and it has missed nothing
		w.add(t, "a")
		expect(t, f, "24")
		for range 20 {
			w.add(t, "b")
		}
		time.Sleep(time.Minute)
		expect(t, f, "")
		if got := f.Place(); got != 25 {
			t.Errorf("Place() = %d, want 25", got)
		}
	})
}

// TestPrunedAheadOfRetention: what lies below the first that was missed is others', so retention may have passed it.
func TestPrunedAheadOfRetention(t *testing.T) {
	for _, feed := range []feedFunc{byChannel(2), byRing(2)} {
		synctest.Test(t, func(t *testing.T) {
			w := newWriter(t, memlog.Options{MaxEvents: 4})
			f := w.follow(t, region.Region{Entity: "a"}, cursor.FollowOptions{Feed: feed})
			expect(t, f, "[caught up at 0]")
			w.add(t, "a", "a")
			for range 10 {
				w.add(t, "b")
			}
			w.add(t, "a", "a")
			expect(t, f, "0 1 [fell behind at 2 by 12] 12 13 [caught up at 14]")
		})
	}
}

// TestH150LostBroadcastHeals: an event that nobody broadcasts is found when it has been quiet for a while, or, without a region,
// by the gap that it leaves; and if it is broadcast later all the same it is not handed out twice.
func TestH150LostBroadcastHeals(t *testing.T) {
	eachFeed(t, func(t *testing.T, feed func(int) feedFunc) {
		w := newWriter(t, memlog.Options{})
		some := w.follow(t, region.Region{Entity: "a"}, cursor.FollowOptions{Feed: feed(4), ProgressEvery: time.Minute})
		all := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: feed(4), ProgressEvery: time.Hour})
		expect(t, some, "[caught up at 0]")
		expect(t, all, "[caught up at 0]")
		add(t, w.log, "a", "b")
		expect(t, some, "")
		time.Sleep(time.Minute)
		expect(t, some, "0")
		w.add(t, "b", "a")
		expect(t, some, "3")
		expect(t, all, "0 1 2 3")
		var late [2]core.Envelope
		if _, _, err := w.log.Read(context.Background(), region.Region{}, 0, late[:]); err != nil {
			t.Fatal(err)
		}
		w.fanout.BroadcastAll(late[:])
		w.add(t, "a")
		expect(t, all, "4")
	})
}

// TestH103LeftIsOver: a loop that is left ends the Follower and its subscription, and nothing comes by it any more; Place is
// where to go on.
func TestH103LeftIsOver(t *testing.T) {
	eachFeed(t, func(t *testing.T, feed func(int) feedFunc) {
		w := newWriter(t, memlog.Options{})
		w.add(t, "a", "b", "a")
		f := w.follow(t, region.Region{Entity: "a"}, cursor.FollowOptions{Feed: feed(2)})
		var got []string
		for i, err := range f.All() {
			if err != nil {
				t.Fatal(err)
			}
			if i.IsMark() {
				got = append(got, i.Mark.Kind.String())
				break
			}
			got = append(got, fmt.Sprint(i.Sequence))
		}
		if want := []string{"0", "2", "caught up"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		synctest.Wait()
		if f.Err() != core.ErrCancelled || w.fanout.Len() != 0 || f.Place() != 3 {
			t.Errorf("left: Err() = %v, %d subscriptions, Place() = %d", f.Err(), w.fanout.Len(), f.Place())
		}
		ahead := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: feed(2)})
		for _, err := range ahead.All() {
			if err != nil {
				t.Error(err)
			}
			break
		}
		if i, err := ahead.Next(context.Background()); err != core.ErrCancelled || ahead.Place() != 1 {
			t.Errorf("left with more read ahead: %d, %v, Place() = %d; want ErrCancelled at 1", i.Sequence, err, ahead.Place())
		}
		g := w.follow(t, region.Region{Entity: "a"}, cursor.FollowOptions{Feed: feed(2), From: cursor.From(f.Place())})
		w.add(t, "a", "a")
		for e, err := range g.Events() {
			if err != nil || e.Sequence != 3 {
				t.Errorf("got %d, %v; want 3", e.Sequence, err)
			}
			break
		}
		if g.Place() != 4 {
			t.Errorf("Place() = %d, want 4", g.Place())
		}
		if err := w.log.Close(); err != nil {
			t.Fatal(err)
		}
		h := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: feed(2)})
		for e, err := range h.Events() {
			if !errors.Is(err, cursor.ErrClosed) || e.Sequence != 0 {
				t.Errorf("got %d, %v; want ErrClosed", e.Sequence, err)
			}
		}
	})
}

// TestFollowNextBatch: the same stream, in batches; a mark comes alone.
func TestFollowNextBatch(t *testing.T) {
	eachFeed(t, func(t *testing.T, feed func(int) feedFunc) {
		w := newWriter(t, memlog.Options{})
		w.add(t, "a", "b", "c")
		f := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: feed(2)})
		ctx := context.Background()
		dst := make([]core.Envelope, 2)
		if n, m, err := f.NextBatch(ctx, nil); n != 0 || m.Kind != cursor.NoMark || err != nil {
			t.Errorf("no room: %d, %v, %v", n, m, err)
		}
		for _, want := range []struct {
			seqs string
			mark cursor.MarkKind
		}{{"[0 1]", 0}, {"[2]", 0}, {"[]", cursor.CaughtUp}} {
			n, m, err := f.NextBatch(ctx, dst)
			if err != nil || sequences(dst[:n]) != want.seqs || m.Kind != want.mark {
				t.Errorf("got %s, %v, %v; want %v", sequences(dst[:n]), m, err, want)
			}
		}
		w.add(t, "d")
		if n, m, err := f.NextBatch(ctx, dst); n != 1 || dst[0].Sequence != 3 || m.Kind != cursor.NoMark || err != nil {
			t.Errorf("live: %d, %v, %v", n, m, err)
		}
	})
}

// TestFollowAllocatesNothing: an event that is pushed costs no memory.
func TestFollowAllocatesNothing(t *testing.T) {
	for _, c := range feeds {
		w := newWriter(t, memlog.Options{})
		f := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: c.of(8), ProgressEvery: time.Hour})
		ctx := context.Background()
		if i, err := f.Next(ctx); err != nil || i.Mark.Kind != cursor.CaughtUp {
			t.Fatal(i.Mark, err)
		}
		es := make([]core.Envelope, 3000)
		for i := range es {
			es[i] = core.Envelope{Notification: core.Notification{Coordinate: coordinate(t, "a"), Kind: kind, Sequence: uint64(i)}}
		}
		at := 0
		if n := testing.AllocsPerRun(1000, func() {
			w.fanout.Broadcast(es[at])
			at++
			if i, err := f.Next(ctx); err != nil || i.Sequence != uint64(at-1) {
				t.Fatal(i.Sequence, err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations an event", c.name, n)
		}
	}
}
