package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/adapters/ring"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

const (
	backlog = 200_000
	live    = 1_024 // events of a round of P14l
	atOnce  = 100   // events of an Append
	steady  = 2_000 // events that are read before it stalls
)

type envelope = core.Envelope

// followRows are P14 and P14l: does a Follower that was pruned come back while the writer goes on as fast as it can, and what does it
// cost to be one while live?
func followRows() []Row {
	rows := []Row{
		{
			ID: "P14", Work: "a pruned follower catching up with 200k events, by a channel of 1,024", Against: "writer", Unit: "ns",
			Target: 1.0 / 3, Stretch: 1.0 / 10, Version: 1,
			Open: func(h Host) Sides { return openCatchUp(h, feedChannel(live)) },
		},
	}
	for _, f := range []struct {
		name string
		open func(h Host, f *core.Fanout[envelope]) (feed feedFunc, bare func(dst []envelope) error)
	}{
		{"channel", bareChannel},
		{"ring", bareRing},
	} {
		rows = append(rows, Row{
			ID: "P14l", Case: "adapter=" + f.name, Work: "an event to a live follower, broadcast and read", Against: "bare", Unit: "ns",
			Target: 1.3, Stretch: 1.1, Version: 1, Quick: true,
			Open: func(h Host) Sides { return openLive(h, f.open) },
		})
	}
	return rows
}

type feedFunc = func(context.Context, *core.Fanout[envelope], region.Region) (cursor.Feed, error)

func feedChannel(capacity int) feedFunc {
	return func(ctx context.Context, f *core.Fanout[envelope], r region.Region) (cursor.Feed, error) {
		return channel.Subscribe(ctx, f, r, capacity)
	}
}

// A followed is a log, a journal before it and the fan-out behind that.
type followed struct {
	log     *memlog.Log
	journal *cursor.Journal
	fanout  *core.Fanout[envelope]
	ds      []cursor.Draft
}

func newFollowed(h Host) *followed {
	log, err := memlog.New(memlog.Options{MaxEvents: 4 * backlog})
	if err != nil {
		h.Fatalf("%v", err)
	}
	h.Cleanup(func() {
		if err := log.Close(); err != nil {
			h.Errorf("%v", err)
		}
	})
	w := &followed{
		log:    log,
		fanout: closing(h, core.New(core.Config[envelope]{Name: "bench", Locate: envelope.Point, SingleWriter: true})),
	}
	w.journal = newJournal(h, log, w.fanout)
	kind, err := region.NewKind(0x1, 0x002)
	if err != nil {
		h.Fatalf("%v", err)
	}
	for i := range atOnce {
		c, err := region.NewCoordinate(tenant(i), Scope)
		if err != nil {
			h.Fatalf("%v", err)
		}
		w.ds = append(w.ds, cursor.Draft{Coordinate: c, Kind: kind})
	}
	return w
}

// write has a batch appended and broadcast.
func (w *followed) write() error {
	_, err := w.journal.Append(context.Background(), w.ds)
	return err
}

// follow returns a Follower that is live, behind all there is.
func (w *followed) follow(h Host, feed feedFunc) *cursor.Follower {
	f := cursor.Follow(context.Background(), w.log, w.fanout, region.Region{}, cursor.FollowOptions{
		Feed: feed, From: cursor.FromEnd(), ProgressEvery: time.Hour,
	})
	h.Cleanup(f.Cancel)
	if i, err := f.Next(context.Background()); err != nil || i.Mark.Kind != cursor.CaughtUp {
		h.Fatalf("%s, %v; want it to be live", i.Mark, err)
	}
	return f
}

// openCatchUp returns what a Follower and the writer beside it do in one time: the sides of one run.
func openCatchUp(h Host, feed feedFunc) Sides {
	w := newFollowed(h)
	f := w.follow(h, feed)
	var (
		read, written float64 // ns an event
		parked        uint64
		ran           bool // and one of the two has still to be told
	)
	dst := make([]envelope, 256)
	race := func() error {
		if ran = !ran; !ran {
			return nil
		}
		for range steady / atOnce { // so that it doesn't look as if its feed were too small
			if err := w.write(); err != nil {
				return err
			}
			if err := readLive(f, dst[:atOnce]); err != nil {
				return err
			}
		}
		for range backlog / atOnce { // nobody reads: it is pruned
			if err := w.write(); err != nil {
				return err
			}
		}
		stop := make(chan struct{})
		var wrote int
		var writing sync.WaitGroup
		var failed error
		begun := time.Now()
		writing.Go(func() {
			for {
				select {
				case <-stop:
					written = float64(time.Since(begun)) / float64(wrote)
					return
				default:
				}
				if failed = w.write(); failed != nil {
					return
				}
				wrote += len(w.ds)
			}
		})
		t, err := catchUp(f, dst)
		read = float64(time.Since(begun)) / float64(t.Count)
		close(stop)
		writing.Wait()
		// What was written meanwhile and at the end is in the next round's backlog.
		switch parkedNow := f.Stats().Parked; {
		case err != nil || failed != nil:
			return errors.Join(err, failed)
		case parkedNow == parked || t.Count < backlog || t.Disorder != 0 || t.Sum != sumTo(t):
			return fmt.Errorf("pruned %d times, and then %d; it read %+v", parked, parkedNow, t)
		default:
			parked = parkedNow
		}
		return nil
	}
	return Sides{
		Subject:  Section{Name: "spillway", Own: func() (float64, error) { err := race(); return read, err }},
		Baseline: Section{Name: "writer", Own: func() (float64, error) { err := race(); return written, err }},
	}
}

// readLive fills dst with what is pushed.
func readLive(f *cursor.Follower, dst []envelope) error {
	for len(dst) > 0 {
		n, m, err := f.NextBatch(context.Background(), dst)
		if err != nil || m.Kind != cursor.NoMark {
			return fmt.Errorf("not live: %s, %w", m, err)
		}
		dst = dst[n:]
	}
	return nil
}

// sumTo returns the sum of the sequences that a Tally has if it is of all up to its last.
func sumTo(t Tally) uint64 {
	n := uint64(t.Count)
	return n*t.Last - n*(n-1)/2
}

// catchUp reads until the Follower says that it has caught up.
func catchUp(f *cursor.Follower, dst []envelope) (t Tally, err error) {
	for {
		n, m, err := f.NextBatch(context.Background(), dst)
		if err != nil || m.Kind == cursor.CaughtUp {
			return t, err
		}
		for i := range dst[:n] {
			t.Add(&dst[i])
		}
	}
}

// openLive returns the sides that broadcast events, and read them: one by a Follower, the other by its feed alone.
func openLive(h Host, open func(Host, *core.Fanout[envelope]) (feedFunc, func([]envelope) error)) Sides {
	w := newFollowed(h)
	events := make([]envelope, live)
	for i := range events {
		events[i].Coordinate, events[i].Kind = w.ds[i%len(w.ds)].Coordinate, w.ds[0].Kind
	}
	other := closing(h, core.New(core.Config[envelope]{Name: "bare", Locate: envelope.Point}))
	feed, bare := open(h, other)
	f := w.follow(h, feed)
	dst := make([]envelope, live)
	following := func(dst []envelope) error {
		for i := range dst {
			item, err := f.Next(context.Background())
			if err != nil || item.IsMark() {
				return fmt.Errorf("%s, %w", item.Mark, err)
			}
			dst[i] = item.Envelope
		}
		return nil
	}
	side := func(name string, to *core.Fanout[envelope], read func([]envelope) error) Section {
		var first uint64
		var failed error
		return Section{
			Name: name,
			Before: func(int) error {
				clear(dst)
				for i := range events {
					events[i].Sequence = first + uint64(i)
				}
				return nil
			},
			Timed: func() int {
				if o := to.BroadcastAll(events); o.Accepted != len(events) {
					failed = fmt.Errorf("%+v; want %d accepted", o, len(events))
					return len(events)
				}
				failed = read(dst)
				return len(events)
			},
			After: func() error {
				for i := range dst {
					if want := first + uint64(i); failed == nil && dst[i].Sequence != want {
						return fmt.Errorf("read %d, want %d", dst[i].Sequence, want)
					}
				}
				first += uint64(len(events))
				return failed
			},
		}
	}
	return Sides{Subject: side("spillway", w.fanout, following), Baseline: side("bare", other, bare)}
}

func bareChannel(h Host, f *core.Fanout[envelope]) (feedFunc, func([]envelope) error) {
	s, err := channel.Subscribe(context.Background(), f, region.Region{}, live)
	if err != nil {
		h.Fatalf("%v", err)
	}
	return feedChannel(live), func(dst []envelope) (err error) {
		for i := range dst {
			if dst[i], err = s.Next(context.Background()); err != nil {
				return err
			}
		}
		return nil
	}
}

func bareRing(h Host, f *core.Fanout[envelope]) (feedFunc, func([]envelope) error) {
	s, err := ring.Subscribe(context.Background(), f, region.Region{}, ring.Options{Capacity: live})
	if err != nil {
		h.Fatalf("%v", err)
	}
	feed := func(ctx context.Context, f *core.Fanout[envelope], r region.Region) (cursor.Feed, error) {
		return ring.Subscribe(ctx, f, r, ring.Options{Capacity: live})
	}
	return feed, func(dst []envelope) (err error) {
		for i := range dst {
			if dst[i], err = s.Next(context.Background()); err != nil {
				return err
			}
		}
		return nil
	}
}
