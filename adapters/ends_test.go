package adapters_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"weak"

	"go.uber.org/goleak"

	"github.com/spillwayhq/spillway/core"
)

// TestEveryAdapterIsListed: a package that is not in the table is no sink: it looks on, or hands on what others have delivered to it.
func TestEveryAdapterIsListed(t *testing.T) {
	dirs, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dirs {
		if !d.IsDir() || slices.Contains([]string{"debug", "prometheus", "internal", "sinktest", "sse"}, d.Name()) {
			continue
		}
		if !slices.ContainsFunc(adapters, func(a adapter) bool { return a.name == d.Name() }) {
			t.Errorf("adapters/%s is not in the table of adapters", d.Name())
		}
	}
}

// received returns what is left after the end, and the error that came then.
func received(t *testing.T, s feed) (got []int, err error) {
	t.Helper()
	if h, ok := s.(*handed); ok {
		close(h.release)
		if err := h.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range len(h.got) {
			got = append(got, (<-h.got).n)
		}
		return got, h.Err()
	}
	for {
		e, err := s.(pulled).Next(t.Context())
		if err != nil {
			return got, err
		}
		got = append(got, e.n)
	}
}

// eachEnding runs a test for each adapter that holds some events of its capacity, and each way in which it may end.
func eachEnding(t *testing.T, test func(t *testing.T, a adapter, e ending, held, capacity int)) {
	t.Helper()
	eachAdapter(t, func(t *testing.T, a adapter) {
		for _, e := range endings {
			for _, capacity := range []int{1, 2, 3} {
				for held := range capacity + 1 {
					if a.ends(e, held, capacity) {
						t.Run(fmt.Sprintf("%s/%d of %d", e.name, held, capacity), func(t *testing.T) { test(t, a, e, held, capacity) })
					}
				}
			}
		}
	})
}

// However a subscription ends, and with whatever in it, no goroutine is left.
func TestH22EveryEndStopsItsGoroutines(t *testing.T) {
	eachEnding(t, func(t *testing.T, a adapter, e ending, held, capacity int) {
		before := goleak.IgnoreCurrent()
		f := fanout(a.single)
		ctx, cancel := context.WithCancelCause(context.Background())
		defer cancel(nil)
		s := a.open(t, ctx, f, capacity)
		for n := range held {
			f.Broadcast(event{n: n})
		}
		reading := make(chan struct{})
		p, isPulled := s.(pulled)
		if isPulled && held == 0 { // one that waits; it can't be pruned meanwhile
			go func() { defer close(reading); _, _ = p.Next(context.Background()) }()
		} else {
			close(reading)
		}
		e.by(f, s, cancel)
		if !isPulled {
			_, _ = received(t, s)
		}
		<-s.Done()
		<-reading
		if err := f.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := goleak.Find(before); err != nil {
			t.Error(err)
		}
	})
}

// What was accepted is readable however the subscription ended, all of it and in order; then comes the reason, which
// stays. Only a function is called no more when its owner ends it, or when it has panicked.
func TestH70ReadableAfterEveryEnd(t *testing.T) {
	eachEnding(t, func(t *testing.T, a adapter, e ending, held, capacity int) {
		f := fanout(a.single)
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		s := a.open(t, ctx, f, capacity)
		var want []int
		for n := range held {
			if o := f.Broadcast(event{n: n}); o.Accepted != 1 {
				t.Fatalf("event %d of %d: %+v", n, capacity, o)
			}
			if !a.forgets || e.name != "Cancel" && e.name != "context" {
				want = append(want, n)
			}
		}
		e.by(f, s, cancel)
		if e.name != "panic" || !a.forgets { // that panics when it is released
			<-s.Done()
		}
		got, err := received(t, s)
		<-s.Done()
		if !slices.Equal(got, want) {
			t.Errorf("got %v after the end, want %v", got, want)
		}
		if s.Err() == nil || !a.forgets && err != s.Err() {
			t.Errorf("then %v, want Err, which is %v", err, s.Err())
		}
		for _, want := range e.is {
			if !errors.Is(s.Err(), want) {
				t.Errorf("Err: got %v, want it to be %v", s.Err(), want)
			}
		}
		var pruned *core.PrunedError
		if errors.As(s.Err(), &pruned) && e.name == "prune" && (pruned.Missed != 1000 || pruned.Held != held) {
			t.Errorf("Err: got %+v, want one that missed 1000 and held %d", pruned, held)
		}
		if err := f.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// Whoever reads on past the end is told so each time, and is given nothing in its place.
func TestH20ToldEachTime(t *testing.T) {
	eachEnding(t, func(t *testing.T, a adapter, e ending, held, capacity int) {
		f := fanout(a.single)
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		if a.name == "callback" {
			return // nobody reads it
		}
		s := a.open(t, ctx, f, capacity).(pulled)
		for n := range held {
			f.Broadcast(event{n: n})
		}
		e.by(f, s, cancel)
		<-s.Done()
		_, _ = received(t, s)
		for range 3 {
			if v, err := s.Next(t.Context()); v != (event{}) || err == nil || err != s.Err() {
				t.Errorf("got %v, %v, want nothing and %v", v, err, s.Err())
			}
		}
		if err := f.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// A reader that waits when the end comes is woken with the reason.
func TestH21WokenByTheEnd(t *testing.T) {
	eachAdapter(t, func(t *testing.T, a adapter) {
		for _, e := range endings {
			if !a.ends(e, 0, 1) || a.name == "callback" {
				continue
			}
			synctest.Test(t, func(t *testing.T) {
				f := fanout(a.single)
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				s := a.open(t, ctx, f, 1).(pulled)
				got := make(chan error)
				for range 3 {
					go func() { _, err := s.Next(t.Context()); got <- err }()
				}
				synctest.Wait() // all wait
				e.by(f, s, cancel)
				for range 3 {
					if err := <-got; err == nil || err != s.Err() || !errors.Is(err, e.is[0]) {
						t.Errorf("%s: woken with %v, want %v, which is Err", e.name, err, s.Err())
					}
				}
				if err := f.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
			})
		}
	})
}

// What a subscription that is over had not delivered goes when its owner lets go of it, however long the Fanout and
// others live.
func TestH71DroppedIsCollected(t *testing.T) {
	eachEnding(t, func(t *testing.T, a adapter, e ending, held, capacity int) {
		if e.name == "Close" {
			return // the Fanout is to live
		}
		f := fanout(a.single)
		var sent []weak.Pointer[[64]byte]
		func() {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			s := a.open(t, ctx, f, capacity)
			for n := range held {
				v := new([64]byte)
				sent = append(sent, weak.Make(v))
				f.Broadcast(event{n, v})
			}
			e.by(f, s, cancel)
			if h, ok := s.(*handed); ok {
				close(h.release)
				_ = h.Wait(t.Context())
			}
			<-s.Done()
		}()
		if err := f.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.GC()
		for n, v := range sent {
			if v.Value() != nil {
				t.Errorf("event %d of %d is reachable", n, held)
			}
		}
		runtime.KeepAlive(f)
	})
}
