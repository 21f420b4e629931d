package ring_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/adapters/ring"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// An end is one way for a ring with three events in it to end.
type end struct {
	name string
	by   func(f *core.Fanout[int], s *ring.Subscription[int], cancel context.CancelCauseFunc)
	is   []error
}

var ends = []end{
	{
		"Cancel",
		func(_ *core.Fanout[int], s *ring.Subscription[int], _ context.CancelCauseFunc) { s.Cancel() },
		[]error{core.ErrCancelled},
	},
	{
		"context",
		func(_ *core.Fanout[int], _ *ring.Subscription[int], cancel context.CancelCauseFunc) { cancel(errMine) },
		[]error{core.ErrCancelled, errMine},
	},
	{
		"Close",
		func(f *core.Fanout[int], _ *ring.Subscription[int], _ context.CancelCauseFunc) { _ = f.Close() },
		[]error{core.ErrClosed},
	},
	{
		"prune",
		func(f *core.Fanout[int], _ *ring.Subscription[int], _ context.CancelCauseFunc) { broadcast(f, 3, 5) },
		[]error{core.ErrPruned},
	},
}

// What was accepted is read first, whatever ended the ring and however it is read; then the error, which stays.
func TestBufferedStaysReadable(t *testing.T) {
	each(t, func(t *testing.T, v variety) {
		for _, e := range ends {
			if v == overwriting && e.name == "prune" {
				continue // it refuses nothing
			}
			for _, batch := range []bool{false, true} {
				t.Run(e.name+map[bool]string{true: ", in batches"}[batch], func(t *testing.T) { readable(t, v, e, batch) })
			}
		}
	})
}

func readable(t *testing.T, v variety, e end, batch bool) {
	f := core.New(core.Config[int]{
		SingleWriter: v.single,
		Locate:       func(n int) region.Point { return region.Point{Sequence: uint64(n)} },
	})
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	s, err := ring.Subscribe(ctx, f, region.Region{}, v.of(3))
	if err != nil {
		t.Fatal(err)
	}
	broadcast(f, 0, 3)
	e.by(f, s, cancel)
	<-s.Done()
	if out := f.Broadcast(9); out.Matched != 0 {
		t.Errorf("a broadcast after the end: got %+v, want nobody", out)
	}
	dst := make([]int, 2)
	for want := 0; want < 3; {
		if !batch {
			if n, err := s.Next(t.Context()); n != want || err != nil {
				t.Fatalf("Next: got %d, %v, want %d", n, err, want)
			}
			want++
			continue
		}
		n, err := s.NextBatch(t.Context(), dst)
		if err != nil || !slices.Equal(dst[:n], numbers(want, min(want+2, 3))) {
			t.Fatalf("NextBatch: got %v, %v", dst[:n], err)
		}
		want += n
	}
	for range 2 {
		n, err := s.Next(t.Context())
		if n != 0 || err == nil || err != s.Err() {
			t.Errorf("Next at the end: got %d, %v, want Err, which is %v", n, err, s.Err())
		}
		if n, err := s.NextBatch(t.Context(), dst); n != 0 || err != s.Err() {
			t.Errorf("NextBatch at the end: got %d, %v, want Err, which is %v", n, err, s.Err())
		}
	}
	for _, want := range e.is {
		if !errors.Is(s.Err(), want) {
			t.Errorf("Err: got %v, want it to be %v", s.Err(), want)
		}
	}
	var pruned *core.PrunedError
	if errors.As(s.Err(), &pruned) && (pruned.Missed != 3 || !pruned.HasMissed || pruned.Held != 3 || pruned.ID != s.ID()) {
		t.Errorf("Err: got %+v, want one that missed 3 and held 3", pruned)
	}
	if s.Lost() != 0 {
		t.Errorf("Lost: got %d, want none", s.Lost())
	}
}

func TestNextWaits(t *testing.T) {
	each(t, func(t *testing.T, v variety) {
		synctest.Test(t, func(t *testing.T) {
			f, s := v.open(t, 2)
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errMine)
			defer cancel()
			start := time.Now()
			if n, err := s.Next(ctx); n != 0 || !errors.Is(err, errMine) || time.Since(start) != time.Minute {
				t.Errorf("Next: got %d, %v after %v, want the cause after a minute", n, err, time.Since(start))
			}
			dst := make([]int, 3)
			if n, err := s.NextBatch(ctx, dst); n != 0 || !errors.Is(err, errMine) {
				t.Errorf("NextBatch: got %d, %v, want the cause at once", n, err)
			}
			f.Broadcast(7)
			if n, err := s.Next(ctx); n != 7 || err != nil {
				t.Errorf("Next with what is there, though its context is over: got %d, %v, want 7", n, err)
			}
			f.Broadcast(8)
			if n, err := s.NextBatch(ctx, dst); n != 1 || dst[0] != 8 || err != nil {
				t.Errorf("NextBatch with what is there: got %d, %v and %v, want 8", n, err, dst)
			}
			if s.Err() != nil {
				t.Errorf("a reader's context ended the subscription: %v", s.Err())
			}
			s.Cancel()
			<-s.Done()
			if n, err := s.Next(ctx); n != 0 || err != core.ErrCancelled {
				t.Errorf("Next at the end, its context over: got %d, %v, want ErrCancelled", n, err)
			}
		})
	})
}

// A reader that waits is woken by the next event alone, and by each of the ends.
func TestWaitingReaderIsWoken(t *testing.T) {
	each(t, func(t *testing.T, v variety) {
		for _, e := range ends {
			if e.name == "prune" {
				continue // of a ring that is full, whose reader does not wait
			}
			t.Run(e.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := core.New(core.Config[int]{SingleWriter: v.single})
					ctx, cancel := context.WithCancelCause(t.Context())
					defer cancel(nil)
					s, err := ring.Subscribe(ctx, f, region.Region{}, v.of(2))
					if err != nil {
						t.Fatal(err)
					}
					type result struct {
						n   int
						err error
					}
					next, batch := make(chan result), make(chan result)
					read := func() {
						go func() { n, err := s.Next(t.Context()); next <- result{n, err} }()
						synctest.Wait() // it waits, first in line
						go func() { n, err := s.NextBatch(t.Context(), make([]int, 2)); batch <- result{n, err} }()
						synctest.Wait()
					}
					read()
					f.Broadcast(5)
					if got := <-next; got != (result{5, nil}) {
						t.Errorf("Next: got %+v, want 5", got)
					}
					f.Broadcast(6)
					if got := <-batch; got != (result{1, nil}) {
						t.Errorf("NextBatch: got %+v, want one event", got)
					}
					read()
					e.by(f, s, cancel)
					for name, c := range map[string]chan result{"Next": next, "NextBatch": batch} {
						if got := <-c; got.n != 0 || got.err == nil || got.err != s.Err() || !errors.Is(got.err, e.is[0]) {
							t.Errorf("%s while it ends: got %+v, want %v", name, got, e.is[0])
						}
					}
				})
			})
		}
	})
}

func TestWhatItSays(t *testing.T) {
	names := map[string]string{"single": "*ring.single", "shared": "*ring.shared", "overwriting": "*ring.overwriting"}
	each(t, func(t *testing.T, v variety) {
		f := core.New(core.Config[int]{SingleWriter: v.single})
		r := region.Region{Entity: "a"}
		for id := uint64(1); id <= 3; id++ {
			s, err := ring.Subscribe(t.Context(), f, r, v.of(5))
			if err != nil {
				t.Fatal(err)
			}
			if s.ID() != id || s.Region() != r || s.Err() != nil || s.Lost() != 0 {
				t.Errorf("ID %d, Region %v, Err %v, Lost %d; want %d, %v, nil, 0", s.ID(), s.Region(), s.Err(), s.Lost(), id, r)
			}
		}
		for i := range f.Subscriptions() {
			capacity := 5
			if v == overwriting {
				capacity = 0
			}
			if i.Sink != names[v.name] || i.Capacity != capacity || i.Held != 0 || !strings.Contains(i.Site, "ends_test.go:") {
				t.Errorf("Info: got %+v, want %s, 0 of %d, this file", i, names[v.name], capacity)
			}
		}
		_ = f.Close()
		_ = f.Wait(t.Context())
	})
}

// A ring that prunes is a Gauge, down to the event; one that overwrites is none, and says what was lost.
func TestGauge(t *testing.T) {
	info := func(f *core.Fanout[int]) (i core.Info) {
		for i = range f.Subscriptions() {
		}
		return i
	}
	each(t, func(t *testing.T, v variety) {
		f, s := v.open(t, 3)
		dst := make([]int, 2)
		for _, c := range []struct {
			what       string
			do         func()
			held, lost int
		}{
			{"a broadcast", func() { f.Broadcast(0) }, 1, 0},
			{"two more", func() { broadcast(f, 1, 3) }, 3, 0},
			{"Next", func() { _, _ = s.Next(t.Context()) }, 2, 0},
			{"another", func() { f.Broadcast(3) }, 3, 0},
			{"NextBatch", func() { _, _ = s.NextBatch(t.Context(), dst) }, 1, 0},
		} {
			c.do()
			want := core.Info{Held: c.held, Capacity: 3}
			if v == overwriting {
				want = core.Info{}
			}
			if i := info(f); i.Held != want.Held || i.Capacity != want.Capacity || i.Lost != uint64(c.lost) {
				t.Errorf("after %s: got %+v, want %d of %d held, %d lost", c.what, i, want.Held, want.Capacity, c.lost)
			}
		}
		if v == overwriting {
			broadcast(f, 4, 10)
			if i := info(f); i.Held != 0 || i.Capacity != 0 || i.Lost != 4 || f.Stats().Lost != 4 {
				t.Errorf("got %+v, and %d lost in all, want 4", i, f.Stats().Lost)
			}
		}
		s.Cancel()
		<-s.Done()
		if got, want := f.Stats().Lost, s.Lost(); got != want {
			t.Errorf("Stats after the end: %d lost, want %d", got, want)
		}
	})
}
