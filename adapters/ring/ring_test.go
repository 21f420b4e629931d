package ring_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/adapters/ring"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

var errMine = errors.New("mine")

// A variety is one of the three rings, by what leads to it.
type variety struct {
	name     string
	single   bool // Config.SingleWriter
	whenFull ring.Policy
}

var (
	single      = variety{"single", true, ring.Prune}
	shared      = variety{"shared", false, ring.Prune}
	overwriting = variety{"overwriting", false, ring.Overwrite}

	varieties = []variety{single, shared, overwriting}
)

// each runs a test for each of the varieties.
func each(t *testing.T, test func(t *testing.T, v variety)) {
	t.Helper()
	for _, v := range varieties {
		t.Run(v.name, func(t *testing.T) { test(t, v) })
	}
}

// open returns a Fanout of numbers, each at the sequence that it is, and a ring on it.
func (v variety) open(t testing.TB, capacity int) (*core.Fanout[int], *ring.Subscription[int]) {
	t.Helper()
	f := core.New(core.Config[int]{
		Name:         "numbers",
		Locate:       func(n int) region.Point { return region.Point{Sequence: uint64(n)} },
		SingleWriter: v.single,
	})
	return f, subscribe(t, f, v.of(capacity))
}

func (v variety) of(capacity int) ring.Options {
	return ring.Options{Capacity: capacity, WhenFull: v.whenFull}
}

func subscribe[T any](t testing.TB, f *core.Fanout[T], o ring.Options) *ring.Subscription[T] {
	t.Helper()
	s, err := ring.Subscribe(t.Context(), f, region.Region{}, o)
	if err != nil {
		t.Fatalf("Subscribe: %v", err)
	}
	return s
}

func broadcast(f *core.Fanout[int], from, to int) {
	for n := from; n < to; n++ {
		f.Broadcast(n)
	}
}

// numbers returns those from from to to, to excluded.
func numbers(from, to int) (ns []int) {
	for n := from; n < to; n++ {
		ns = append(ns, n)
	}
	return ns
}

// drain reads an ended ring to its end.
func drain[T any](t testing.TB, s *ring.Subscription[T]) (got []T) {
	t.Helper()
	for v, err := range s.All() {
		if err != nil {
			if err != s.Err() {
				t.Errorf("All ended with %v, want Err, which is %v", err, s.Err())
			}
			return got
		}
		got = append(got, v)
	}
	t.Fatal("All ended without an error")
	return nil
}

func TestMixed(t *testing.T) {
	each(t, func(t *testing.T, v variety) {
		f, s := v.open(t, 10)
		broadcast(f, 0, 10)
		n, err := s.Next(t.Context())
		if err != nil {
			t.Fatalf("Next: %v", err)
		}
		got := []int{n}
		dst := []int{-1, -1, -1, -1}
		if n, err := s.NextBatch(t.Context(), dst[:3]); n != 3 || err != nil || dst[3] != -1 {
			t.Fatalf("NextBatch: got %d, %v, and %v", n, err, dst)
		}
		got = append(got, dst[:3]...)
		for n, err := range s.All() {
			if err != nil {
				t.Fatalf("All: %v", err)
			}
			if got = append(got, n); n == 5 {
				break
			}
		}
		if n, err := s.NextBatch(t.Context(), dst[:1]); n != 1 || err != nil {
			t.Fatalf("NextBatch after All: got %d, %v", n, err)
		}
		if got = append(append(got, dst[0]), drain(t, s)...); !slices.Equal(got, numbers(0, 10)) {
			t.Errorf("got %v, want 0 to 9", got)
		}
		<-s.Done()
		if s.Err() != core.ErrCancelled {
			t.Errorf("Err: got %v, want ErrCancelled: All was left early", s.Err())
		}
	})
}

func TestAll(t *testing.T) {
	leave := map[string]func(s *ring.Subscription[int]){
		"break": func(s *ring.Subscription[int]) {
			for range s.All() { //nolint:errcheck // this is about leaving
				break
			}
		},
		"panic": func(s *ring.Subscription[int]) {
			defer func() { _ = recover() }()
			for range s.All() { //nolint:errcheck // this is about leaving
				panic("mine")
			}
		},
	}
	for name, by := range leave {
		t.Run("left by "+name, func(t *testing.T) {
			f, s := shared.open(t, 4)
			broadcast(f, 0, 3)
			by(s)
			<-s.Done()
			if f.Len() != 0 || s.Err() != core.ErrCancelled {
				t.Errorf("Len %d, Err %v; want 0, ErrCancelled", f.Len(), s.Err())
			}
			if n, err := s.Next(t.Context()); n != 1 || err != nil {
				t.Errorf("Next: got %d, %v, want the event after the one taken", n, err)
			}
		})
	}
	t.Run("to its end", func(t *testing.T) {
		f, s := single.open(t, 2)
		broadcast(f, 0, 5)
		for range 2 { // the second finds the end alone
			var last error
			for n, err := range s.All() {
				if last = err; err != nil && n != 0 {
					t.Errorf("the end came with event %d, want none", n)
				}
			}
			var pruned *core.PrunedError
			if !errors.As(last, &pruned) || pruned.Missed != 2 || last != s.Err() {
				t.Errorf("All ended with %v, want a *PrunedError that missed 2", last)
			}
		}
	})
	t.Run("left at its end", func(t *testing.T) {
		f, s := overwriting.open(t, 2)
		_ = f.Close()
		for _, err := range s.All() {
			if err != core.ErrClosed {
				t.Errorf("got %v, want ErrClosed", err)
			}
			break
		}
	})
	t.Run("never begun", func(t *testing.T) {
		_, s := shared.open(t, 2)
		s.All()
		if s.Err() != nil {
			t.Errorf("All alone ended it: %v", s.Err())
		}
		s.Cancel()
		<-s.Done()
	})
}

func TestNextBatchWithoutRoom(t *testing.T) {
	each(t, func(t *testing.T, v variety) {
		f, s := v.open(t, 2)
		over, cancel := context.WithCancel(t.Context())
		cancel()
		look := func(when string) {
			t.Helper()
			for _, dst := range [][]int{nil, {}, make([]int, 3)[:0]} {
				if n, err := s.NextBatch(over, dst); n != 0 || err != nil {
					t.Errorf("%s: got %d, %v, want 0 and no error", when, n, err)
				}
			}
		}
		look("empty")
		f.Broadcast(1)
		look("with an event")
		s.Cancel()
		<-s.Done()
		look("at its end")
		if got := drain(t, s); !slices.Equal(got, []int{1}) {
			t.Errorf("got %v, want the event that was there", got)
		}
	})
}

func TestOptions(t *testing.T) {
	each(t, func(t *testing.T, v variety) {
		f := core.New(core.Config[int]{SingleWriter: v.single})
		for _, capacity := range []int{0, -1, math.MinInt, math.MaxInt, math.MaxInt / 2} {
			s, err := ring.Subscribe(t.Context(), f, region.Region{}, v.of(capacity))
			if s != nil || !errors.Is(err, ring.ErrCapacity) || !strings.Contains(err.Error(), fmt.Sprint(capacity)) {
				t.Errorf("capacity %d: got %v, want ErrCapacity and the number", capacity, err)
			}
		}
		for _, p := range []ring.Policy{2, 3, 255} {
			s, err := ring.Subscribe(t.Context(), f, region.Region{}, ring.Options{Capacity: 1, WhenFull: p})
			if s != nil || !errors.Is(err, ring.ErrPolicy) || !strings.Contains(err.Error(), fmt.Sprint(uint8(p))) {
				t.Errorf("policy %d: got %v, want ErrPolicy and the number", p, err)
			}
		}
		if f.Len() != 0 || f.Stats().Subscribed != 0 {
			t.Errorf("Stats: got %+v, want nobody", f.Stats())
		}
	})
	for p, want := range map[ring.Policy]string{ring.Prune: "prune", ring.Overwrite: "overwrite", 2: "unknown policy"} {
		if p.String() != want {
			t.Errorf("Policy %d: got %q, want %q", p, p, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	over, cancel := context.WithCancelCause(t.Context())
	cancel(errMine)
	closed := core.New(core.Config[int]{})
	_ = closed.Close()
	open := core.New(core.Config[int]{})
	each(t, func(t *testing.T, v variety) {
		for _, c := range []struct {
			name   string
			ctx    context.Context
			f      *core.Fanout[int]
			region region.Region
			want   error
		}{
			{"a context that is over", over, open, region.Region{}, errMine},
			{"a context that is over", over, open, region.Region{}, core.ErrCancelled},
			{"a clock", t.Context(), open, region.Region{Clock: region.Clocks(1, 2)}, core.ErrLiveClock},
			{"a region that is none", t.Context(), open, region.Region{Scope: "a@b"}, region.ErrAt},
			{"a fan-out that is closed", t.Context(), closed, region.Region{}, core.ErrClosed},
		} {
			if s, err := ring.Subscribe(c.ctx, c.f, c.region, v.of(1)); s != nil || !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, %v, want %v", c.name, s, err, c.want)
			}
		}
	})
	if open.Len() != 0 {
		t.Errorf("Len: got %d, want nobody", open.Len())
	}
}

// The limit is the number that was asked for, whatever is rounded inside.
func TestCapacityIsExact(t *testing.T) {
	for _, v := range []variety{single, shared} {
		for _, capacity := range []int{1, 2, 3, 5, 8, 100} {
			f, s := v.open(t, capacity)
			broadcast(f, 0, capacity)
			if n, err := s.Next(t.Context()); n != 0 || err != nil {
				t.Errorf("%s of %d: got %d, %v, want the first", v.name, capacity, n, err)
			}
			if out := f.Broadcast(capacity); out.Accepted != 1 {
				t.Errorf("%s of %d: got %+v, want one more accepted after one was read", v.name, capacity, out)
			}
			if out := f.Broadcast(capacity + 1); out.Pruned != 1 {
				t.Errorf("%s of %d: got %+v, want the next refused", v.name, capacity, out)
			}
			if got := drain(t, s); !slices.Equal(got, numbers(1, capacity+1)) {
				t.Errorf("%s of %d: got %v, want all from the second on", v.name, capacity, got)
			}
			var pruned *core.PrunedError
			if !errors.As(s.Err(), &pruned) || pruned.Verdict != core.Full || pruned.Held != capacity || pruned.Missed != uint64(capacity+1) {
				t.Errorf("%s of %d: got %+v, want one that held %[2]d", v.name, capacity, pruned)
			}
			<-s.Done()
		}
	}
	for _, capacity := range []int{1, 2, 3, 5, 8, 100} {
		f, s := overwriting.open(t, capacity)
		broadcast(f, 0, 2*capacity+1)
		if s.Lost() != uint64(capacity+1) {
			t.Errorf("overwriting %d: Lost %d, want %d", capacity, s.Lost(), capacity+1)
		}
		_ = f.Close()
		<-s.Done()
		if got := drain(t, s); !slices.Equal(got, numbers(capacity+1, 2*capacity+1)) {
			t.Errorf("overwriting %d: got %v, want the newest %[1]d", capacity, got)
		}
	}
}
