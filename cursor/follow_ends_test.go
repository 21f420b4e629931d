package cursor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// TestH148DisorderIsFound: an event that comes when a later one has been handed out can't be handed out any more; nor is it
// passed over in silence.
func TestH148DisorderIsFound(t *testing.T) {
	eachFeed(t, func(t *testing.T, feed func(int) feedFunc) {
		w := newWriter(t, memlog.Options{})
		f := w.follow(t, region.Region{Entity: "a"}, cursor.FollowOptions{Feed: feed(4)})
		expect(t, f, "[caught up at 0]")
		add(t, w.log, "a", "a")
		var es [2]core.Envelope
		if _, _, err := w.log.Read(context.Background(), region.Region{}, 0, es[:]); err != nil {
			t.Fatal(err)
		}
		w.fanout.Broadcast(es[1])
		w.fanout.Broadcast(es[0])
		expect(t, f, "1 ["+(&cursor.DisorderError{Sequence: 0, Next: 2}).Error()+"]")
		if !errors.Is(f.Err(), cursor.ErrDisorder) {
			t.Errorf("Err() = %v", f.Err())
		}
	})
	synctest.Test(t, func(t *testing.T) { // and where it is the one that was refused
		w := newWriter(t, memlog.Options{})
		f := w.follow(t, region.Region{Entity: "a"}, cursor.FollowOptions{Feed: byChannel(1)})
		expect(t, f, "[caught up at 0]")
		add(t, w.log, "a", "a")
		var es [2]core.Envelope
		if _, _, err := w.log.Read(context.Background(), region.Region{}, 0, es[:]); err != nil {
			t.Fatal(err)
		}
		w.fanout.Broadcast(es[1])
		w.fanout.Broadcast(es[0])
		expect(t, f, "1 ["+(&cursor.DisorderError{Sequence: 0, Next: 2}).Error()+"]")
	})
}

// TestH147BroadcastBeforeDurable: an event that is broadcast and not in the log is no event.
func TestH147BroadcastBeforeDurable(t *testing.T) {
	eachFeed(t, func(t *testing.T, feed func(int) feedFunc) {
		w := newWriter(t, memlog.Options{})
		f := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: feed(4)})
		expect(t, f, "[caught up at 0]")
		w.fanout.Broadcast(core.Envelope{Notification: core.Notification{Coordinate: coordinate(t, "a"), Kind: kind, Sequence: 1}})
		expect(t, f, "["+(&cursor.BeyondError{From: 2, Next: 0}).Error()+"]")
	})
}

// TestDamagedLog: what can't be read now can't be read later: the follower ends, with all before it handed out.
func TestDamagedLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t, memlog.Options{})
		add(t, log, "a", "a", "a")
		damaged := wrapped{Log: log, read: func(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (int, uint64, error) {
			if from >= 2 {
				return 0, from, fmt.Errorf("%w: the block at sequence 2", cursor.ErrCorrupt)
			}
			return log.Read(ctx, r, from, dst[:2-from])
		}}
		f := cursor.Follow(t.Context(), damaged, newFanout(t), region.Region{}, cursor.FollowOptions{Feed: byChannel(1)})
		for range 2 {
			if _, err := f.Next(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if _, err := f.Next(t.Context()); !errors.Is(err, cursor.ErrCorrupt) || f.Err() != err || f.Place() != 2 {
				t.Errorf("%v, Err() = %v, at %d; want ErrCorrupt, at 2", err, f.Err(), f.Place())
			}
		}
		f.Cancel()
	})
}

// TestFanoutClosed: no more is pushed; the follower waits at the log's end, and ends with the log.
func TestFanoutClosed(t *testing.T) {
	eachFeed(t, func(t *testing.T, feed func(int) feedFunc) {
		w := newWriter(t, memlog.Options{})
		f := w.follow(t, region.Region{Entity: "a"}, cursor.FollowOptions{Feed: feed(2), ProgressEvery: time.Minute})
		late := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: feed(2)})
		expect(t, f, "[caught up at 0]")
		w.add(t, "a", "b")
		_ = w.fanout.Close()
		expect(t, f, "0")
		add(t, w.log, "a", "b", "b")
		expect(t, f, "2")
		expect(t, late, "0 1 2 3 4 [caught up at 5]")
		time.Sleep(time.Minute)
		expect(t, f, "")
		add(t, w.log, "b")
		expect(t, f, "")
		time.Sleep(time.Minute)
		expect(t, f, "[progress at 6]")
		woken := make(chan error)
		go func() { _, err := f.Next(context.Background()); woken <- err }()
		synctest.Wait()
		if err := w.log.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-woken; err != cursor.ErrClosed {
			t.Errorf("the log was closed: %v", err)
		}
		expect(t, late, "["+cursor.ErrClosed.Error()+"]")
	})
}

// TestFollowRefuses: what can't be followed ends at once, and says why.
func TestFollowRefuses(t *testing.T) {
	w := newWriter(t, memlog.Options{})
	nowhere := core.New(core.Config[core.Envelope]{})
	errMine := errors.New("mine")
	failing := func(context.Context, *fanout, region.Region) (cursor.Feed, error) { return nil, errMine }
	none := func(context.Context, *fanout, region.Region) (cursor.Feed, error) { return nil, nil }
	for _, c := range []struct {
		name   string
		fanout *fanout
		region region.Region
		o      cursor.FollowOptions
		want   error
	}{
		{"no feed", w.fanout, region.Region{}, cursor.FollowOptions{}, cursor.ErrNoFeed},
		{"a feed that is nil", w.fanout, region.Region{}, cursor.FollowOptions{Feed: none}, cursor.ErrNoFeed},
		{"a feed that fails", w.fanout, region.Region{}, cursor.FollowOptions{Feed: failing}, errMine},
		{"no Locate", nowhere, region.Region{}, cursor.FollowOptions{Feed: byRing(1)}, cursor.ErrNoLocate},
		{"a clock", w.fanout, region.Region{Clock: region.Clocks(1, 2)}, cursor.FollowOptions{Feed: byRing(1)}, core.ErrLiveClock},
		{"a bad region", w.fanout, region.Region{Entity: "a::b"}, cursor.FollowOptions{Feed: byRing(1)}, region.ErrSegment},
		{"beyond the end", w.fanout, region.Region{}, cursor.FollowOptions{Feed: byRing(1), From: cursor.From(1)}, cursor.ErrBeyond},
	} {
		f := cursor.Follow(context.Background(), w.log, c.fanout, c.region, c.o)
		for range 2 {
			if _, err := f.Next(context.Background()); !errors.Is(err, c.want) || !errors.Is(f.Err(), c.want) {
				t.Errorf("%s: %v, and Err() = %v; want %v", c.name, err, f.Err(), c.want)
			}
		}
	}
	f := cursor.Follow(context.Background(), w.log, w.fanout, region.Region{}, cursor.FollowOptions{Feed: byRing(1), ProgressEvery: -1})
	if _, err := f.Next(context.Background()); err == nil || !strings.Contains(err.Error(), "ProgressEvery is -1ns") {
		t.Errorf("a negative while: %v", err)
	}
}

// TestReplacedLog: another log behind the same name is no place to go on in.
func TestReplacedLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t, memlog.Options{})
		w.add(t, "a")
		swapped := &swapping{Log: w.log}
		w.log = swapped
		f := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: byRing(2), ProgressEvery: time.Minute})
		expect(t, f, "0 [caught up at 1]")
		was := swapped.ID()
		swapped.Log = newLog(t, memlog.Options{})
		add(t, swapped.Log, "a", "b", "c")
		time.Sleep(time.Minute)
		expect(t, f, "["+(&cursor.ReplacedError{Was: was, Is: swapped.ID()}).Error()+"]")
		if !errors.Is(f.Err(), cursor.ErrReplaced) {
			t.Errorf("Err() = %v", f.Err())
		}
	})
}

type swapping struct{ cursor.Log }
