package multicast_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/adapters/multicast"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// each runs a test for a Fanout with one writer, and for one with several.
func each(t *testing.T, test func(t *testing.T, single bool)) {
	t.Helper()
	for _, single := range []bool{true, false} {
		t.Run(map[bool]string{true: "single", false: "shared"}[single], func(t *testing.T) { test(t, single) })
	}
}

// open returns a Fanout of numbers, each at the sequence that it is, and a ring on it.
func open(t testing.TB, single bool, capacity int) (*core.Fanout[int], *multicast.Ring[int]) {
	t.Helper()
	f := core.New(core.Config[int]{
		Name:         "numbers",
		Locate:       func(n int) region.Point { return region.Point{Sequence: uint64(n)} },
		SingleWriter: single,
	})
	return f, ringOn(t, f, capacity)
}

func ringOn[T any](t testing.TB, f *core.Fanout[T], capacity int) *multicast.Ring[T] {
	t.Helper()
	m, err := multicast.Open(context.Background(), f, region.Region{}, capacity)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return m
}

func reader[T any](t testing.TB, m *multicast.Ring[T], from multicast.Start) *multicast.Reader[T] {
	t.Helper()
	r, err := m.Reader(context.Background(), from)
	if err != nil {
		t.Fatalf("Reader: %v", err)
	}
	return r
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

// finish closes f and waits until everything is over.
func finish[T any](t testing.TB, f *core.Fanout[T]) {
	t.Helper()
	_ = f.Close()
	if err := f.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// take reads n events singly, and expects the numbers from from on.
func take(t testing.TB, r *multicast.Reader[int], from, n int) {
	t.Helper()
	for want := from; want < from+n; want++ {
		if got, err := r.Next(t.Context()); got != want || err != nil {
			t.Fatalf("Next: got %d, %v, want %d", got, err, want)
		}
	}
}

// rounds is how often a test repeats what luck has a part in.
func rounds(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

// Whatever is wider than a word comes as it went, though writers go round and round on the smallest of rings.
func TestH78NothingIsTorn(t *testing.T) {
	t.Run("string", func(t *testing.T) {
		torn(t, func(n int) string { return strings.Repeat(string(rune('a'+n%26)), n%26+1) },
			func(s string) bool { return s != "" && s == strings.Repeat(s[:1], int(s[0]-'a')+1) })
	})
	t.Run("interface", func(t *testing.T) {
		torn(t, func(n int) any { return []any{n, fmt.Sprint(n), []int{n, n}, [3]int{n, n, n}}[n%4] }, wholeAny)
	})
	t.Run("slice", func(t *testing.T) {
		torn(t, func(n int) []int { return slices.Repeat([]int{n}, n%7+1) },
			func(v []int) bool { return len(v) > 0 && len(v) == v[0]%7+1 && slices.Max(v) == v[0] })
	})
	t.Run("array", func(t *testing.T) {
		torn(t, func(n int) [9]int { return [9]int(slices.Repeat([]int{n}, 9)) },
			func(v [9]int) bool { return v == [9]int(slices.Repeat([]int{v[0]}, 9)) })
	})
}

// wholeAny tells whether type and value are from one event.
func wholeAny(v any) bool {
	switch v := v.(type) {
	case int:
		return v%4 == 0
	case string:
		var n int
		_, err := fmt.Sscan(v, &n)
		return err == nil && n%4 == 1
	case []int:
		return len(v) == 2 && v[0]%4 == 2 && v[0] == v[1]
	case [3]int:
		return v[0]%4 == 3 && v == [3]int{v[0], v[0], v[0]}
	}
	return false
}

func torn[T any](t *testing.T, event func(int) T, whole func(T) bool) {
	each(t, func(t *testing.T, single bool) {
		for capacity := 1; capacity <= 3; capacity++ {
			f := core.New(core.Config[T]{SingleWriter: single})
			m := ringOn(t, f, capacity)
			var reading, writing sync.WaitGroup
			for i := range 4 {
				reading.Go(func() {
					dst := make([]T, i+1)
					for {
						r, err := m.Reader(context.Background(), multicast.Start(i%2))
						if err != nil {
							return // the ring is over
						}
						for n := 0; err == nil; n, err = r.NextBatch(context.Background(), dst) {
							for _, v := range dst[:n] {
								if !whole(v) {
									t.Errorf("capacity %d: torn: %v", capacity, v)
								}
							}
						}
					}
				})
			}
			for w := range map[bool]int{true: 1, false: 3}[single] {
				writing.Go(func() {
					for n := range rounds(2000) {
						f.Broadcast(event(3*n + w))
						if n%8 == 0 {
							runtime.Gosched()
						}
					}
				})
			}
			writing.Wait()
			finish(t, f)
			reading.Wait()
		}
	})
}

// Readers on their way to sleep are all woken by that one event after which no other comes.
func TestH85OneEventAlone(t *testing.T) {
	each(t, func(t *testing.T, single bool) {
		for _, readers := range []int{1, 2, 50} {
			synctest.Test(t, func(t *testing.T) {
				f, m := open(t, single, 2)
				var rs []*multicast.Reader[int]
				for range readers {
					rs = append(rs, reader(t, m, multicast.FromNext))
				}
				got := make(chan int)
				for n := range rounds(3000 / readers) {
					for i, r := range rs {
						go func() {
							v := make([]int, 2)
							if i%2 == 0 {
								v[0], _ = r.Next(t.Context())
							} else {
								_, _ = r.NextBatch(t.Context(), v)
							}
							got <- v[0]
						}()
					}
					for range n % 20 {
						runtime.Gosched()
					}
					f.Broadcast(n)
					for range rs { // were one asleep, everybody would be: synctest says so
						if v := <-got; v != n {
							t.Fatalf("got %d, want %d", v, n)
						}
					}
				}
				finish(t, f)
			})
		}
	})
}

// Readers that wait leave the processor to the writer, and get all that it writes, however many they are.
func TestH88MoreReadersThanProcessors(t *testing.T) {
	each(t, func(t *testing.T, single bool) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		const readers = 200
		events := rounds(1000)
		f, m := open(t, single, events)
		var reading sync.WaitGroup
		var seen sync.WaitGroup
		for range readers {
			r := reader(t, m, multicast.FromNext)
			seen.Add(events)
			reading.Go(func() {
				next := 0
				for n, err := range r.All() {
					if err != nil {
						break
					}
					if n != next {
						t.Errorf("got %d, want %d", n, next)
					}
					next = n + 1
					seen.Done()
				}
			})
		}
		broadcast(f, 0, events)
		seen.Wait()
		finish(t, f)
		reading.Wait()
	})
}

// A Reader that never comes gates nobody: the writer and the others go on, and it is lapped.
func TestH92NobodyGates(t *testing.T) {
	each(t, func(t *testing.T, single bool) {
		f, m := open(t, single, 4)
		stuck, reads := reader(t, m, multicast.FromNext), reader(t, m, multicast.FromNext)
		for n := range 1000 {
			if o := f.Broadcast(n); o.Accepted != 1 || o.Pruned != 0 {
				t.Fatalf("event %d: %+v", n, o)
			}
			take(t, reads, n, 1)
		}
		wantLapped(t, stuck, 0, 0)
		if n, err := stuck.Next(t.Context()); n != 0 || err != stuck.Err() {
			t.Errorf("the stuck one once more: got %d, %v", n, err)
		}
		if lost := f.Stats().Lost; lost != 1 {
			t.Errorf("Lost: got %d Readers that were lapped, want 1", lost)
		}
		finish(t, f)
		if reads.Err() != core.ErrClosed {
			t.Errorf("the other: %v", reads.Err())
		}
	})
}

// A batch is the caller's own: later events leave it as it is, and what the caller writes there is in no ring.
func TestH94BatchIsACopy(t *testing.T) {
	each(t, func(t *testing.T, single bool) {
		f, m := open(t, single, 4)
		r, other := reader(t, m, multicast.FromNext), reader(t, m, multicast.FromNext)
		broadcast(f, 0, 4)
		first, second := make([]int, 4), make([]int, 4)
		if n, err := r.NextBatch(t.Context(), first); n != 4 || err != nil {
			t.Fatalf("got %d, %v", n, err)
		}
		for i := range first {
			first[i] = -1
		}
		take(t, other, 0, 4)
		broadcast(f, 4, 100)
		if slices.Max(first) != -1 {
			t.Errorf("many events later the batch says %v", first)
		}
		r = reader(t, m, multicast.FromOldest)
		if n, err := r.NextBatch(t.Context(), second); n != 4 || err != nil || !slices.Equal(second, numbers(96, 100)) {
			t.Errorf("got %v, %v, want 96 to 99", second, err)
		}
		finish(t, f)
	})
}
