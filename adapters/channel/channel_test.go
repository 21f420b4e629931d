package channel_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

var errMine = errors.New("mine")

func TestMixed(t *testing.T) {
	f, s := open(t, 10)
	broadcast(f, 0, 10)
	var got []int
	got = append(got, <-s.C())
	n, err := s.Next(t.Context())
	if err != nil {
		t.Fatalf("Next: %v", err)
	}
	got = append(got, n)
	for n, err := range s.All() {
		if err != nil {
			t.Fatalf("All: %v", err)
		}
		if got = append(got, n); n == 4 {
			break
		}
	}
	if n, err = s.Next(t.Context()); err != nil {
		t.Fatalf("Next after All: %v", err)
	}
	got = append(got, n)
	for n := range s.C() {
		got = append(got, n)
	}
	if want := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	<-s.Done()
	if s.Err() != core.ErrCancelled {
		t.Errorf("Err: got %v, want ErrCancelled: All was left early", s.Err())
	}
}

func TestAll(t *testing.T) {
	leave := map[string]func(s *channel.Subscription[int]){
		"break": func(s *channel.Subscription[int]) {
			for range s.All() { //nolint:errcheck // this is about leaving
				break
			}
		},
		"panic": func(s *channel.Subscription[int]) {
			defer func() { _ = recover() }()
			for range s.All() { //nolint:errcheck // this is about leaving
				panic("mine")
			}
		},
	}
	for name, by := range leave {
		t.Run("left by "+name, func(t *testing.T) {
			f, s := open(t, 4)
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
		f, s := open(t, 2)
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
		f, s := open(t, 2)
		_ = f.Close()
		for _, err := range s.All() {
			if err != core.ErrClosed {
				t.Errorf("got %v, want ErrClosed", err)
			}
			break
		}
	})
	t.Run("never begun", func(t *testing.T) {
		_, s := open(t, 2)
		s.All()
		if s.Err() != nil {
			t.Errorf("All alone ended it: %v", s.Err())
		}
		s.Cancel()
		<-s.Done()
	})
}

func TestBufferedStaysReadable(t *testing.T) {
	ends := []struct {
		name string
		by   func(f *core.Fanout[int], s *channel.Subscription[int], cancel context.CancelCauseFunc)
		is   []error
	}{
		{"Cancel", func(_ *core.Fanout[int], s *channel.Subscription[int], _ context.CancelCauseFunc) { s.Cancel() }, []error{core.ErrCancelled}},
		{"context", func(_ *core.Fanout[int], _ *channel.Subscription[int], cancel context.CancelCauseFunc) {
			cancel(errMine)
		}, []error{core.ErrCancelled, errMine}},
		{"Close", func(f *core.Fanout[int], _ *channel.Subscription[int], _ context.CancelCauseFunc) { _ = f.Close() }, []error{core.ErrClosed}},
		{"prune", func(f *core.Fanout[int], _ *channel.Subscription[int], _ context.CancelCauseFunc) { broadcast(f, 3, 5) }, []error{core.ErrPruned}},
	}
	for _, c := range ends {
		t.Run(c.name, func(t *testing.T) {
			f := core.New(core.Config[int]{})
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			s, err := channel.Subscribe(ctx, f, region.Region{}, 3)
			if err != nil {
				t.Fatal(err)
			}
			broadcast(f, 0, 3)
			c.by(f, s, cancel)
			<-s.Done()
			for want := range 3 {
				if n, err := s.Next(t.Context()); n != want || err != nil {
					t.Errorf("Next: got %d, %v, want %d", n, err, want)
				}
			}
			for range 2 {
				n, err := s.Next(t.Context())
				if n != 0 || err == nil || err != s.Err() {
					t.Errorf("Next at the end: got %d, %v, want Err, which is %v", n, err, s.Err())
				}
			}
			for _, want := range c.is {
				if !errors.Is(s.Err(), want) {
					t.Errorf("Err: got %v, want it to be %v", s.Err(), want)
				}
			}
		})
	}
}

func TestCapacity(t *testing.T) {
	f := core.New(core.Config[int]{})
	for _, capacity := range []int{0, -1, math.MinInt, math.MaxInt, math.MaxInt / 2} {
		_, err := channel.Subscribe(t.Context(), f, region.Region{}, capacity)
		if !errors.Is(err, channel.ErrCapacity) || !strings.Contains(err.Error(), fmt.Sprint(capacity)) {
			t.Errorf("capacity %d: got %v, want ErrCapacity and the number", capacity, err)
		}
	}
	if f.Len() != 0 || f.Stats().Subscribed != 0 {
		t.Errorf("Stats: got %+v, want nobody", f.Stats())
	}
	s := subscribe(t, f, 1)
	if out := f.Broadcast(1); out.Accepted != 1 {
		t.Errorf("capacity 1: got %+v, want the first accepted", out)
	}
	if out := f.Broadcast(2); out.Pruned != 1 {
		t.Errorf("capacity 1: got %+v, want the second refused", out)
	}
	if n := <-s.C(); n != 1 {
		t.Errorf("capacity 1: got %d, want 1", n)
	}
	<-s.Done()
}

func TestRefusals(t *testing.T) {
	f := core.New(core.Config[int]{})
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errMine)
	for _, c := range []struct {
		name   string
		ctx    context.Context
		region region.Region
		want   error
	}{
		{"a context that is over", ctx, region.Region{}, errMine},
		{"a clock", t.Context(), region.Region{Clock: region.Clocks(1, 2)}, core.ErrLiveClock},
	} {
		if s, err := channel.Subscribe(c.ctx, f, c.region, 1); s != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, %v, want %v", c.name, s, err, c.want)
		}
	}
}

func TestNextWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, s := open(t, 1)
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errMine)
		defer cancel()
		start := time.Now()
		if n, err := s.Next(ctx); n != 0 || !errors.Is(err, errMine) || time.Since(start) != time.Minute {
			t.Errorf("Next: got %d, %v after %v, want the cause after a minute", n, err, time.Since(start))
		}
		f.Broadcast(7)
		if n, err := s.Next(ctx); n != 7 || err != nil {
			t.Errorf("Next with what is there, though its context is over: got %d, %v, want 7", n, err)
		}
		got := make(chan error)
		go func() { _, err := s.Next(t.Context()); got <- err }()
		synctest.Wait() // it waits
		s.Cancel()
		if err := <-got; err != core.ErrCancelled {
			t.Errorf("Next while it ends: got %v, want ErrCancelled", err)
		}
	})
}

// A closed C always finds Err set: Err is written before the sink is closed.
func TestErrAfterC(t *testing.T) {
	rounds := 2000
	if testing.Short() {
		rounds = 200
	}
	for i := range rounds {
		f, s := open(t, 1)
		switch i % 3 {
		case 0:
			go s.Cancel()
		case 1:
			go func() { _ = f.Close() }()
		case 2:
			go broadcast(f, 0, 100)
		}
		for range s.C() {
			if i%3 == 2 { // too slow by design: the next finds it full
				broadcast(f, 0, 2)
			}
		}
		if s.Err() == nil {
			t.Fatal("C is closed and Err is nil")
		}
		<-s.Done()
	}
}

func TestSeveralReaders(t *testing.T) {
	const events = 1000
	f, s := open(t, events)
	var mu sync.Mutex
	got := make(map[int]int)
	take := func(n int) {
		mu.Lock()
		defer mu.Unlock()
		got[n]++
	}
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for n := range s.C() {
				take(n)
			}
		})
		readers.Go(func() {
			for n, err := range s.All() {
				if err == nil {
					take(n)
				}
			}
		})
		readers.Go(func() {
			for n, err := s.Next(t.Context()); err == nil; n, err = s.Next(t.Context()) {
				take(n)
			}
		})
	}
	broadcast(f, 0, events)
	_ = f.Close()
	readers.Wait()
	for n := range events {
		if got[n] != 1 {
			t.Fatalf("event %d was taken %d times, want once", n, got[n])
		}
	}
	<-s.Done()
}

func TestSizes(t *testing.T) {
	t.Run("nothing", func(t *testing.T) { size(t, struct{}{}) })
	t.Run("a byte", func(t *testing.T) { size(t, byte(7)) })
	t.Run("4 KiB", func(t *testing.T) { size(t, [4096]byte{4095: 1}) })
	t.Run("60 KiB", func(t *testing.T) { size(t, [60 << 10]byte{0: 9}) }) // a channel's element is below 64 KiB
	t.Run("an interface", func(t *testing.T) { size[any](t, "text") })
}

// size sends v through channels of one and of three.
func size[T comparable](t *testing.T, v T) {
	f := core.New(core.Config[T]{})
	subs := []*channel.Subscription[T]{subscribe(t, f, 1), subscribe(t, f, 3)}
	for range 4 {
		f.Broadcast(v)
	}
	for i, want := range []int{1, 3} {
		got := 0
		for w := range subs[i].C() {
			if w != v {
				t.Errorf("capacity %d: got another value than was broadcast", want)
			}
			got++
		}
		<-subs[i].Done()
		if got != want || !errors.Is(subs[i].Err(), core.ErrPruned) {
			t.Errorf("capacity %d: got %d events, Err %v", want, got, subs[i].Err())
		}
	}
}

func TestWhatItSays(t *testing.T) {
	f := core.New(core.Config[int]{})
	r := region.Region{Entity: "a"}
	for id := uint64(1); id <= 3; id++ {
		s, err := channel.Subscribe(t.Context(), f, r, 5)
		if err != nil {
			t.Fatal(err)
		}
		if s.ID() != id || s.Region() != r || s.Err() != nil {
			t.Errorf("ID %d, Region %v, Err %v; want %d, %v, nil", s.ID(), s.Region(), s.Err(), id, r)
		}
	}
	for i := range f.Subscriptions() {
		if i.Sink != "channel.sink" || i.Capacity != 5 || i.Held != 0 || !strings.Contains(i.Site, "channel_test.go:") {
			t.Errorf("Info: got %+v, want channel.sink, 0 of 5, this file", i)
		}
	}
	_ = f.Close()
	_ = f.Wait(t.Context())
}
