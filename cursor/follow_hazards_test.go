package cursor_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// TestH100NothingBetweenBoundaryAndFeed: an event that is appended just before the follower subscribes, just after, and just
// after it has looked for the boundary, is handed out once.
func TestH100NothingBetweenBoundaryAndFeed(t *testing.T) {
	for _, feed := range feeds {
		for _, when := range []string{"before", "subscribed", "bounded"} {
			for broadcasts := range 2 { // late, or at once
				t.Run(feed.name+" "+when, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						w := newWriter(t, memlog.Options{})
						b := &bounding{Log: w.log}
						inner := feed.of(4)
						var made []core.Envelope
						once := func(at string) {
							if at != when || made != nil {
								return
							}
							var err error
							made, err = b.Append(context.Background(), []cursor.Draft{{Coordinate: coordinate(t, "a"), Kind: kind}})
							if err != nil {
								t.Fatal(err)
							}
							if broadcasts == 1 {
								w.fanout.BroadcastAll(made)
							}
						}
						subscribed := false
						b.after = func() {
							if subscribed {
								once("bounded")
							}
						}
						w.log = b
						f := w.follow(t, region.Region{Entity: "a"}, cursor.FollowOptions{
							Feed: func(ctx context.Context, f *fanout, r region.Region) (cursor.Feed, error) {
								once("before")
								in, err := inner(ctx, f, r)
								subscribed = true
								once("subscribed")
								return in, err
							},
						})
						got := items(t, f, 100)
						if broadcasts == 0 {
							w.fanout.BroadcastAll(made)
							got += items(t, f, 100)
						}
						want := "0 [caught up at 1]"
						if when == "bounded" {
							want = "[caught up at 0]0"
							if broadcasts == 1 {
								want = "[caught up at 0] 0"
							}
						}
						if got != want {
							t.Errorf("got %s, want %s", got, want)
						}
					})
				})
			}
		}
	}
}

// A bounding is a Log whose Bounds are followed by something.
type bounding struct {
	cursor.Log
	after func()
	less  uint64 // by which the log seems to have lost its end
}

func (b *bounding) Bounds(ctx context.Context) (cursor.Bounds, error) {
	bounds, err := b.Log.Bounds(ctx)
	b.after()
	bounds.Next -= b.less
	return bounds, err
}

// TestH102ParkedWhileItCatchesUp: pruned while it still reads to the boundary, a follower hands out everything once, and
// CaughtUp isn't said of a feed that is known to be over. A Reader finds out that it was lapped when it reads.
func TestH102ParkedWhileItCatchesUp(t *testing.T) {
	eachFeed(t, func(t *testing.T, feed func(int) feedFunc) {
		w := newWriter(t, memlog.Options{})
		w.add(t, "a", "a", "a")
		inner, times := w.log, 0
		w.log = wrapped{Log: inner, read: func(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (int, uint64, error) {
			if times++; times <= 3 {
				(&writer{log: inner, fanout: w.fanout}).add(t, "a", "a", "a") // more than fits
				synctest.Wait()
			}
			return inner.Read(ctx, r, from, dst[:min(2, len(dst))])
		}}
		f := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: feed(2)})
		want := "0 1 2 3 4 5 6 7 8 9 10 11 [caught up at 12]"
		if strings.HasSuffix(t.Name(), "multicast") {
			want = "0 1 2 3 [caught up at 4] [fell behind at 4 by 5] 4 5 6 7 8 9 [caught up at 10] [fell behind at 10 by 2] 10 11 [caught up at 12]"
		}
		expect(t, f, want)
		if s := f.Stats(); s.Parked == 0 || s.Live != 0 && s.Pulled+s.Live != 12 {
			t.Errorf("%+v; want it parked before it was live", s)
		}
	})
}

// TestH101ConvergesOrSaysWhyNot: bursts that never fit are read from the log in the end, nearly without a prune, and
// Patience says so; when they are over it is live again.
func TestH101ConvergesOrSaysWhyNot(t *testing.T) {
	eachFeed(t, func(t *testing.T, feed func(int) feedFunc) {
		w := newWriter(t, memlog.Options{})
		f := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: feed(1), ProgressEvery: time.Minute})
		expect(t, f, "[caught up at 0]")
		burst := func() {
			w.add(t, "a", "a", "a", "a")
			items(t, f, 1000)
			time.Sleep(10 * time.Second) // which is not quiet
		}
		for range 100 {
			burst()
		}
		flaps := f.Stats().Flaps
		for range 1000 {
			burst()
		}
		if s := f.Stats(); s.Patience != 14 || s.Flaps-flaps > 1000/32 || s.Live+s.Pulled != 4400 {
			t.Errorf("%+v; %d flaps in the first hundred", s, flaps)
		}
		for range 2 {
			time.Sleep(time.Minute)
			expect(t, f, "") // there is no better time to join
		}
		for range 1100 {
			w.add(t, "a")
			items(t, f, 1000)
		}
		if s := f.Stats(); s.State != cursor.Live || s.Live < 1100 {
			t.Errorf("quiet again: %+v", s)
		}
		burst()
		if s := f.Stats(); s.Patience != 7 {
			t.Errorf("pruned after a steady time: Patience is %d, want 7", s.Patience)
		}
	})
}

// TestH121BoundedReads: a thousand followers that begin together read the log by turns; one that has waited enough leaves
// the queue, and holds up nobody.
func TestH121BoundedReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const followers, limit = 1000, 4
		w := newWriter(t, memlog.Options{})
		w.add(t, "a", "b", "c")
		var mu sync.Mutex
		now, most := 0, 0
		inner := w.log
		w.log = wrapped{Log: inner, read: func(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (int, uint64, error) {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(time.Millisecond)
			mu.Lock()
			now--
			mu.Unlock()
			return inner.Read(ctx, r, from, dst)
		}}
		reads := cursor.NewReadLimit(limit)
		begun := time.Now()
		var wg sync.WaitGroup
		for i := range followers {
			wg.Go(func() {
				from := cursor.From(uint64(i % 3))
				f := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: byRing(1), From: from, Reads: reads, ProgressEvery: time.Hour})
				if i%10 == 9 {
					ctx, cancel := context.WithTimeoutCause(context.Background(), time.Millisecond/2, errLeft)
					defer cancel()
					if _, err := f.Next(ctx); !errors.Is(err, errLeft) && err != nil {
						t.Errorf("one that leaves: %v", err)
					}
					return
				}
				for want := uint64(i % 3); want < 3; want++ {
					if it, err := f.Next(context.Background()); err != nil || it.Sequence != want {
						t.Errorf("got %d, %v; want %d", it.Sequence, err, want)
					}
				}
			})
		}
		wg.Wait()
		if took := time.Since(begun); most != limit || took > followers*time.Millisecond/limit {
			t.Errorf("%d read at once, in %v; want %d, in %v at most", most, took, limit, followers*time.Millisecond/limit)
		}
	})
	defer func() {
		if recover() == nil {
			t.Error("a limit of 0: no panic")
		}
	}()
	cursor.NewReadLimit(0)
}

// TestH126CancelledInEachPhase: one reason, no subscription and no goroutine left, wherever the follower was.
func TestH126CancelledInEachPhase(t *testing.T) {
	phases := map[string]func(t *testing.T, w *writer, f *cursor.Follower){
		"before":      func(*testing.T, *writer, *cursor.Follower) {},
		"catching up": func(t *testing.T, w *writer, f *cursor.Follower) { items(t, f, 1) },
		"live":        func(t *testing.T, w *writer, f *cursor.Follower) { items(t, f, 100) },
		"draining": func(t *testing.T, w *writer, f *cursor.Follower) {
			items(t, f, 100)
			w.add(t, "a", "a", "a", "a")
			items(t, f, 1)
		},
		"parked": func(t *testing.T, w *writer, f *cursor.Follower) {
			items(t, f, 100)
			w.add(t, "a", "a", "a", "a")
			items(t, f, 3)
		},
		"resting": func(t *testing.T, w *writer, f *cursor.Follower) {
			_ = w.fanout.Close()
			items(t, f, 100)
		},
	}
	ends := map[string]struct {
		by func(f *cursor.Follower, cancel context.CancelCauseFunc)
		is []error
	}{
		"Cancel":  {func(f *cursor.Follower, _ context.CancelCauseFunc) { f.Cancel() }, []error{core.ErrCancelled}},
		"context": {func(_ *cursor.Follower, cancel context.CancelCauseFunc) { cancel(errLeft) }, []error{core.ErrCancelled, errLeft}},
	}
	for phase, into := range phases {
		for name, end := range ends {
			for _, waiting := range []bool{false, true} {
				if waiting && phase != "live" && phase != "resting" {
					continue
				}
				eachFeed(t, func(t *testing.T, feed func(int) feedFunc) {
					w := newWriter(t, memlog.Options{})
					w.add(t, "a", "a", "a")
					ctx, cancel := context.WithCancelCause(context.Background())
					defer cancel(nil)
					f := cursor.Follow(ctx, w.log, w.fanout, region.Region{}, cursor.FollowOptions{
						Feed: feed(2), Reads: cursor.NewReadLimit(1), ProgressEvery: time.Hour,
					})
					into(t, w, f)
					err := make(chan error, 1)
					next := func() {
						for {
							if _, e := f.Next(context.Background()); e != nil {
								err <- e
								return
							}
						}
					}
					if waiting {
						go next()
						synctest.Wait()
					}
					end.by(f, cancel)
					if !waiting {
						next()
					}
					got := <-err
					for _, want := range end.is {
						if !errors.Is(got, want) || !errors.Is(f.Err(), want) {
							t.Errorf("%s while %s: %v, Err() = %v; want %v", name, phase, got, f.Err(), want)
						}
					}
					f.Cancel()
					if f.Err() != got {
						t.Errorf("%s while %s: another reason: %v, %v", name, phase, got, f.Err())
					}
					synctest.Wait()
					if n := w.fanout.Len(); n != 0 {
						t.Errorf("%s while %s: %d subscriptions", name, phase, n)
					}
				})
			}
		}
	}
}

// TestCancelledAndDropped: a follower that nobody asks again has left the fan-out all the same.
func TestCancelledAndDropped(t *testing.T) {
	eachFeed(t, func(t *testing.T, feed func(int) feedFunc) {
		w := newWriter(t, memlog.Options{})
		f := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: feed(2)})
		expect(t, f, "[caught up at 0]")
		f.Cancel()
		synctest.Wait()
		if n := w.fanout.Len(); n != 0 {
			t.Errorf("%d subscriptions", n)
		}
	})
}

// TestFailureMovesNothing: what may pass is returned, and the next call goes on.
func TestFailureMovesNothing(t *testing.T) {
	eachFeed(t, func(t *testing.T, feed func(int) feedFunc) {
		w := newWriter(t, memlog.Options{})
		w.add(t, "a", "a", "a")
		l := &faulty{Log: w.log}
		w.log = l
		f := w.follow(t, region.Region{}, cursor.FollowOptions{Feed: feed(2), ProgressEvery: time.Minute})
		l.every = 2 // of its calls one fails
		var got []string
		faults := 0
		for {
			said := items(t, f, 1)
			if said == "" {
				break
			}
			if strings.Contains(said, errFault.Error()) {
				faults++
				continue
			}
			got = append(got, said)
		}
		if got := strings.Join(got, " "); faults < 3 || got != "0 1 2 [caught up at 3]" {
			t.Errorf("%d faults, got %s", faults, got)
		}
		l.every = 0
		over, cancel := context.WithCancelCause(context.Background())
		cancel(errLeft)
		if _, err := f.Next(over); err != errLeft {
			t.Errorf("a context that is over: %v", err)
		}
		w.log = l.Log
		w.add(t, "a")
		expect(t, f, "3")
		if f.Err() != nil {
			t.Errorf("Err() = %v", f.Err())
		}
	})
}
