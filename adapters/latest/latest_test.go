package latest_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/adapters/latest"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

func subscribe[T any, K comparable](t testing.TB, f *core.Fanout[T], maxKeys int, key func(T) K) *latest.Subscription[T, K] {
	t.Helper()
	s, err := latest.Subscribe(context.Background(), f, region.Region{}, latest.Options{MaxKeys: maxKeys}, key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func wait[T any](t testing.TB, f *core.Fanout[T]) {
	t.Helper()
	if err := f.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func TestSubscribeRefuses(t *testing.T) {
	f := core.New(core.Config[event]{})
	for _, n := range []int{0, -1, math.MinInt, math.MaxInt, math.MaxInt/2 + 1} {
		if _, err := latest.Subscribe(t.Context(), f, region.Region{}, latest.Options{MaxKeys: n}, keyOf); !errors.Is(err, latest.ErrMaxKeys) {
			t.Errorf("MaxKeys %d: got %v", n, err)
		}
	}
	if _, err := latest.Subscribe[event, int](t.Context(), f, region.Region{}, latest.Options{MaxKeys: 1}, nil); err != latest.ErrNilKey {
		t.Errorf("no key function: got %v", err)
	}
	_ = f.Close()
	if _, err := latest.Subscribe(t.Context(), f, region.Region{}, latest.Options{MaxKeys: 1}, keyOf); err != core.ErrClosed {
		t.Errorf("closed: got %v", err)
	}
	wait(t, f)
}

// H67: a key that is not equal to itself is refused, and one that can't be hashed is the key function's panic.
func TestH67Keys(t *testing.T) {
	t.Run("NaN", func(t *testing.T) {
		f := core.New(core.Config[float64]{})
		s := subscribe(t, f, 10, func(v float64) float64 { return v })
		f.Broadcast(1)
		if o := f.Broadcast(math.NaN()); o.Pruned != 1 {
			t.Errorf("NaN: %+v", o)
		}
		<-s.Done()
		var pruned *core.PrunedError
		if !errors.As(s.Err(), &pruned) || pruned.Verdict != core.Full || pruned.Held != 1 {
			t.Errorf("got %v", s.Err())
		}
		if v, err := s.Next(t.Context()); v != 1 || err != nil {
			t.Errorf("what was accepted before: got %v, %v", v, err)
		}
		wait(t, f)
	})
	for name, key := range map[string]func(any) any{
		"unhashable": func(v any) any { return v },
		"panics":     func(any) any { panic("mine") },
	} {
		t.Run(name, func(t *testing.T) {
			f := core.New(core.Config[any]{})
			s := subscribe(t, f, 10, key)
			if o := f.Broadcast([]int{1}); o.Pruned != 1 {
				t.Errorf("%+v", o)
			}
			<-s.Done()
			if _, ok := errors.AsType[*core.PanicError](s.Err()); !ok {
				t.Errorf("got %v, want a *PanicError", s.Err())
			}
			wait(t, f)
		})
	}
}

// H66: who reads never sees a value older than one it has seen, and the last of each key is there after the end.
func TestH66NewestIsReadable(t *testing.T) {
	const keys, writers, each = 4, 3, 3000
	for _, procs := range []int{1, 2, 8} {
		t.Run(fmt.Sprintf("procs=%d", procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			f := core.New(core.Config[wide]{})
			s := subscribe(t, f, keys*writers, func(w wide) [2]int { return [2]int{w.writer, w.n % keys} })
			var writing, reading sync.WaitGroup
			var mu sync.Mutex
			last := make(map[[2]int]int)
			received := uint64(0)
			take := func(w wide) {
				if !w.whole() {
					t.Errorf("torn: %+v", w)
				}
				mu.Lock()
				defer mu.Unlock()
				received++
				k := [2]int{w.writer, w.n % keys}
				if before, ok := last[k]; ok && w.n <= before {
					t.Errorf("key %v: %d after %d", k, w.n, before)
				}
				last[k] = w.n
			}
			reading.Go(func() {
				for w, err := range s.All() {
					if err != nil {
						return
					}
					take(w)
				}
			})
			for w := range writers {
				writing.Go(func() {
					for n := range each {
						f.Broadcast(newWide(w, n))
					}
				})
			}
			writing.Wait()
			_ = f.Close()
			wait(t, f)
			reading.Wait()
			for k, n := range last {
				if want := each - keys + k[1]; n != want {
					t.Errorf("key %v: the last was %d, want %d", k, n, want)
				}
			}
			if len(last) != keys*writers || received+s.Lost() != writers*each {
				t.Errorf("%d keys, %d received, %d lost; want %d keys, %d in all", len(last), received, s.Lost(), keys*writers, writers*each)
			}
		})
	}
}

// Writers that share keys: one of those that overlap wins, none is torn or comes twice, and the sums are exact; MaxKeys is
// exact too, however many come with a new key at once.
func TestWritersOfTheSameKeys(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		t.Run(fmt.Sprintf("procs=%d", procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			writersOfTheSameKeys(t)
		})
	}
}

func writersOfTheSameKeys(t *testing.T) {
	const writers, each, keys = 4, 2000, 3
	for range 2 {
		f := core.New(core.Config[wide]{})
		s := subscribe(t, f, keys, func(w wide) int { return w.n % keys })
		var writing, reading sync.WaitGroup
		var mu sync.Mutex
		got := make(map[[2]int]bool)
		for range 2 {
			reading.Go(func() {
				for {
					w, err := s.Next(context.Background())
					if err != nil {
						return
					}
					mu.Lock()
					if k := [2]int{w.writer, w.n}; !w.whole() || got[k] {
						t.Errorf("torn or twice: %+v", w)
					} else {
						got[k] = true
					}
					mu.Unlock()
				}
			})
		}
		for w := range writers {
			writing.Go(func() {
				for n := range each {
					f.Broadcast(newWide(w, n))
				}
			})
		}
		writing.Wait()
		_ = f.Close()
		wait(t, f)
		reading.Wait()
		if s.Err() != core.ErrClosed {
			t.Fatalf("ended with %v, want no key refused", s.Err())
		}
		if sum := uint64(len(got)) + s.Lost(); sum != writers*each {
			t.Errorf("%d received, %d lost: want %d together", len(got), s.Lost(), writers*each)
		}
	}
}

// One key too many is refused exactly, though many come at once.
func TestMaxKeysIsExact(t *testing.T) {
	for range 200 {
		const maxKeys, writers = 3, 4
		f := core.New(core.Config[event]{})
		s := subscribe(t, f, maxKeys, keyOf)
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range maxKeys {
					f.Broadcast(event{key: (w + i) % maxKeys, value: w})
				}
			})
		}
		wg.Wait()
		if s.Len() != maxKeys || f.Len() != 1 {
			t.Fatalf("%d keys wait, %d live", s.Len(), f.Len())
		}
		for w := range writers {
			wg.Go(func() { f.Broadcast(event{key: maxKeys + w}) })
		}
		wg.Wait()
		wait(t, f)
		if s.Len() != maxKeys || !errors.Is(s.Err(), core.ErrPruned) {
			t.Fatalf("%d keys wait, %v", s.Len(), s.Err())
		}
	}
}

func TestNextWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := core.New(core.Config[event]{})
		s := subscribe(t, f, 2, keyOf)
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errors.New("late"))
		defer cancel()
		if _, err := s.Next(ctx); err == nil || err.Error() != "late" {
			t.Errorf("got %v, want the context's cause", err)
		}
		got := make(chan event)
		go func() {
			e, _ := s.Next(context.Background())
			got <- e
		}()
		synctest.Wait()
		f.Broadcast(event{1, 1})
		if e := <-got; e != (event{1, 1}) {
			t.Errorf("got %v", e)
		}
		ended := make(chan error)
		go func() {
			_, err := s.Next(context.Background())
			ended <- err
		}()
		synctest.Wait()
		s.Cancel()
		if err := <-ended; err != core.ErrCancelled {
			t.Errorf("got %v", err)
		}
		wait(t, f)
	})
}

// Keys come in the order of their first change that is not read yet, and leaving All early cancels.
func TestAll(t *testing.T) {
	f := core.New(core.Config[event]{})
	s := subscribe(t, f, 5, keyOf)
	for i, k := range []int{3, 1, 3, 2, 1} {
		f.Broadcast(event{k, i})
	}
	var got []event
	for e, err := range s.All() {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, e); len(got) == 2 {
			break
		}
	}
	<-s.Done()
	if want := []event{{3, 2}, {1, 4}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if e, err := s.Next(t.Context()); e != (event{2, 3}) || err != nil {
		t.Errorf("after All: got %v, %v", e, err)
	}
	for _, err := range s.All() {
		if err != core.ErrCancelled {
			t.Errorf("got %v", err)
		}
	}
	wait(t, f)
}

func TestAllocatesNothing(t *testing.T) {
	f := core.New(core.Config[event]{})
	s := subscribe(t, f, 5, keyOf)
	if n := testing.AllocsPerRun(1000, func() {
		for k := range 5 {
			f.Broadcast(event{k, 1})
			f.Broadcast(event{k, 2})
		}
		for range 5 {
			if _, err := s.Next(context.Background()); err != nil {
				t.Error(err)
			}
		}
	}); n != 0 && !raceEnabled {
		t.Errorf("%v allocations", n)
	}
	s.Cancel()
	wait(t, f)
}

// What was read is not kept.
func TestReadIsCollectable(t *testing.T) {
	f := core.New(core.Config[*int]{})
	s := subscribe(t, f, 1, func(*int) int { return 0 })
	gone := make(chan struct{}, 2)
	for range 2 { // the first is replaced, the second read
		v := new(int)
		runtime.AddCleanup(v, func(int) { gone <- struct{}{} }, 0)
		f.Broadcast(v)
	}
	if _, err := s.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n := 0; n < 2; {
		runtime.GC()
		select {
		case <-gone:
			n++
		default:
			runtime.Gosched()
		}
	}
	s.Cancel()
	wait(t, f)
}

// A wide event is wider than any word: were it read while it is written, its parts would not agree.
type wide struct {
	text      string
	any       any
	list      []int
	writer, n int
}

func newWide(writer, n int) wide {
	return wide{text: fmt.Sprint(writer, n), any: n, list: []int{writer, n}, writer: writer, n: n}
}

func (w wide) whole() bool {
	return w.text == fmt.Sprint(w.writer, w.n) && w.any == w.n && len(w.list) == 2 && w.list[0] == w.writer && w.list[1] == w.n
}
