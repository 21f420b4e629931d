package multicast_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/spillwayhq/spillway/adapters/multicast"
	"github.com/spillwayhq/spillway/core"
)

var errMine = errors.New("mine")

// Leaving All, by whichever way, cancels the Reader, which then reads no more; the ring and the others go on.
func TestAll(t *testing.T) {
	for name, leave := range map[string]func(r *multicast.Reader[int]){
		"break": func(r *multicast.Reader[int]) {
			for range r.All() { //nolint:errcheck // this is about leaving
				break
			}
		},
		"panic": func(r *multicast.Reader[int]) {
			defer func() { _ = recover() }()
			for range r.All() { //nolint:errcheck // this is about leaving
				panic("mine")
			}
		},
		"Cancel": func(r *multicast.Reader[int]) { r.Cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			f, m := open(t, false, 4)
			r, other := reader(t, m, multicast.FromNext), reader(t, m, multicast.FromNext)
			broadcast(f, 0, 3)
			leave(r)
			<-r.Done()
			for range 2 {
				if n, err := r.Next(t.Context()); n != 0 || err != core.ErrCancelled || r.Err() != err {
					t.Errorf("Next: got %d, %v", n, err)
				}
			}
			for n, err := range r.All() {
				if n != 0 || err != core.ErrCancelled {
					t.Errorf("All: got %d, %v", n, err)
				}
			}
			if m.Err() != nil || f.Len() != 1 {
				t.Errorf("the ring ended too: %v", m.Err())
			}
			take(t, other, 0, 3)
			finish(t, f)
		})
	}
}

// A Reader ends with its own context, at once, for that context's cause; one whose context is over never begins.
func TestContextOfAReader(t *testing.T) {
	f, m := open(t, false, 4)
	ctx, cancel := context.WithCancelCause(t.Context())
	r, err := m.Reader(ctx, multicast.FromNext)
	if err != nil {
		t.Fatal(err)
	}
	other := reader(t, m, multicast.FromNext)
	f.Broadcast(0)
	cancel(errMine)
	<-r.Done()
	if n, err := r.Next(t.Context()); n != 0 || !errors.Is(err, core.ErrCancelled) || !errors.Is(err, errMine) || err != r.Err() {
		t.Errorf("got %d, %v", n, err)
	}
	if r, err := m.Reader(ctx, multicast.FromNext); r != nil || !errors.Is(err, core.ErrCancelled) || !errors.Is(err, errMine) {
		t.Errorf("by a context that is over: got %v, %v", r, err)
	}
	take(t, other, 0, 1)
	finish(t, f)
	if r, err := m.Reader(t.Context(), multicast.FromOldest); r != nil || err != core.ErrClosed {
		t.Errorf("of a ring that is over: got %v, %v", r, err)
	}
}

// A batch of none asks for nothing, waits for nothing and says nothing, not even of the end.
func TestNextBatchWithoutRoom(t *testing.T) {
	f, m := open(t, false, 4)
	r := reader(t, m, multicast.FromNext)
	for range 3 {
		for _, dst := range [][]int{nil, {}, make([]int, 3)[:0]} {
			if n, err := r.NextBatch(t.Context(), dst); n != 0 || err != nil {
				t.Errorf("got %d, %v, want 0 and no error", n, err)
			}
		}
		f.Broadcast(1)
		_ = f.Close()
	}
	take(t, r, 1, 1)
	finish(t, f)
}

// Of several goroutines that read by one Reader each event goes to one, however each of them reads.
func TestSeveralByOneReader(t *testing.T) {
	const events = 1000
	each(t, func(t *testing.T, single bool) {
		f, m := open(t, single, events)
		r := reader(t, m, multicast.FromNext)
		var mu sync.Mutex
		var got []int
		add := func(ns ...int) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, ns...)
		}
		var readers sync.WaitGroup
		for room := range 4 {
			readers.Go(func() {
				dst := make([]int, room)
				for {
					var n int
					var err error
					if room > 0 {
						n, err = r.NextBatch(t.Context(), dst)
						add(dst[:n]...)
					} else if n, err = r.Next(t.Context()); err == nil {
						add(n)
					}
					if err != nil {
						return
					}
				}
			})
		}
		broadcast(f, 0, events)
		_ = f.Close()
		readers.Wait()
		slices.Sort(got)
		if !slices.Equal(got, numbers(0, events)) {
			t.Errorf("got %d events, want each of %d once", len(got), events)
		}
		finish(t, f)
	})
}
