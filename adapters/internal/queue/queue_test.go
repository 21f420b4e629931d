package queue_test

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/spillwayhq/spillway/adapters/internal/queue"
)

var kinds = map[string]func(limit int, first uint64) queue.Queue[int]{
	"single": func(limit int, first uint64) queue.Queue[int] {
		q := new(queue.Single[int])
		q.Init(limit, first)
		return q
	},
	"shared": func(limit int, first uint64) queue.Queue[int] {
		q := new(queue.Shared[int])
		q.Init(limit, first)
		return q
	},
}

// A queue does what a slice does, also where its numbers pass the integer limit.
func TestAgainstSlice(t *testing.T) {
	for name, open := range kinds {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				limit := rapid.IntRange(1, 9).Draw(t, "limit")
				first := rapid.SampledFrom([]uint64{0, 1, math.MaxUint64 - 3, math.MaxUint64}).Draw(t, "first")
				q := open(limit, first)
				var held []int
				next := 0
				t.Repeat(map[string]func(*rapid.T){
					"put": func(t *rapid.T) {
						next++
						ok := q.Put(next)
						if ok != (len(held) < limit) {
							t.Fatalf("Put with %d of %d held: got %v", len(held), limit, ok)
						}
						if ok {
							held = append(held, next)
						}
					},
					"take": func(t *rapid.T) {
						dst := make([]int, rapid.IntRange(0, 12).Draw(t, "room"))
						n := q.Take(dst)
						want := min(len(dst), len(held))
						if n != want || !slices.Equal(dst[:n], held[:want]) {
							t.Fatalf("Take: got %v, want %v", dst[:n], held[:want])
						}
						held = held[n:]
					},
					"take one": func(t *rapid.T) {
						v, ok := q.TakeOne()
						if ok != (len(held) > 0) || ok && v != held[0] {
							t.Fatalf("TakeOne: got %d, %v with %v held", v, ok, held)
						}
						held = held[min(1, len(held)):]
					},
					"": func(t *rapid.T) {
						if got := q.Len(); got != len(held) {
							t.Fatalf("Len: got %d, want %d", got, len(held))
						}
					},
				})
			})
		})
	}
}

// Just below the integer limit, across it and after it the limit is exact, for a reader that keeps up, for one that
// leaves some, and for one that comes when all is full.
func TestNumbersWrap(t *testing.T) {
	for name, open := range kinds {
		for _, limit := range []int{1, 2, 3, 4, 5, 8} {
			for before := range uint64(2*limit + 2) {
				for left := range limit {
					q := open(limit, -before)
					put, taken := 0, 0
					for range 4 * limit {
						for put < taken+limit {
							if !q.Put(put) {
								t.Fatalf("%s of %d, %d before the limit: refused event %d, held %d", name, limit, before, put, put-taken)
							}
							put++
						}
						if q.Put(put) || q.Len() != limit || !q.Ready() {
							t.Fatalf("%s of %d, %d before the limit: %d held of which event %d is one too many; Ready: %v",
								name, limit, before, q.Len(), put, q.Ready())
						}
						dst := make([]int, limit-left)
						n := q.Take(dst)
						for i, v := range dst[:n] {
							if v != taken+i {
								t.Fatalf("%s of %d, %d before the limit: took %v, want %d and on", name, limit, before, dst[:n], taken)
							}
						}
						if taken += n; n != limit-left || q.Len() != left || q.Ready() != (left > 0) {
							t.Fatalf("%s of %d, %d before the limit: took %d, %d held, Ready: %v", name, limit, before, n, q.Len(), q.Ready())
						}
					}
				}
			}
		}
	}
}

// Each writer's events come in its order, none twice, none lost, and never more than the limit are held.
func TestWriters(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		t.Run(fmt.Sprintf("procs=%d", procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			testWriters(t)
		})
	}
}

func testWriters(t *testing.T) {
	const each = 2000
	for _, limit := range []int{1, 2, 3, 64} {
		for name, writers := range map[string]int{"single": 1, "shared": 4} {
			t.Run(fmt.Sprintf("%s of %d", name, limit), func(t *testing.T) {
				q := kinds[name](limit, math.MaxUint64-each/2)
				var wg sync.WaitGroup
				for w := range writers {
					wg.Go(func() {
						for i := range each {
							for !q.Put(w*each + i) {
								runtime.Gosched()
							}
						}
					})
				}
				last := make([]int, writers)
				for w := range last {
					last[w] = -1
				}
				dst := make([]int, 5)
				for got := 0; got < writers*each; {
					if held := q.Len(); held < 0 || held > limit {
						t.Fatalf("holds %d of %d", held, limit)
					}
					n := 0
					if got%2 == 0 {
						n = q.Take(dst)
					} else if v, ok := q.TakeOne(); ok {
						dst[0], n = v, 1
					}
					for _, v := range dst[:n] {
						if w := v / each; v%each != last[w]+1 {
							t.Fatalf("writer %d: %d after %d", w, v%each, last[w])
						}
						last[v/each] = v % each
					}
					if got += n; n == 0 {
						runtime.Gosched()
					}
				}
				wg.Wait()
			})
		}
	}
}

// What was taken is not kept.
func TestTakenIsCollectable(t *testing.T) {
	for _, take := range []func(queue.Queue[*int]){
		func(q queue.Queue[*int]) { q.Take(make([]*int, 1)) },
		func(q queue.Queue[*int]) { q.TakeOne() },
	} {
		for _, q := range []queue.Queue[*int]{
			queue.NewSingle[*int](2),
			queue.NewShared[*int](2),
		} {
			gone := make(chan struct{})
			func() {
				v := new(int)
				runtime.AddCleanup(v, func(int) { close(gone) }, 0)
				q.Put(v)
				take(q)
			}()
			for collected := false; !collected; {
				runtime.GC()
				select {
				case <-gone:
					collected = true
				default:
					runtime.Gosched()
				}
			}
			runtime.KeepAlive(q)
		}
	}
}

// The limit is the number asked for, whatever the places are rounded up to.
func TestLimit(t *testing.T) {
	for limit := 1; limit < 70; limit++ {
		for _, single := range []bool{false, true} {
			q := queue.New[int](limit, single)
			put := 0
			for q.Put(put) {
				put++
			}
			l, ok := q.(interface{ Limit() int })
			if put != limit || q.Len() != limit || !ok || l.Limit() != limit {
				t.Errorf("single %v: %d fit, Len %d, want %d", single, put, q.Len(), limit)
			}
			if _, isSingle := q.(*queue.Single[int]); isSingle != single {
				t.Errorf("New(%d, %v) is a %T", limit, single, q)
			}
		}
	}
}

func TestPutAllocatesNothing(t *testing.T) {
	for name, open := range kinds {
		q := open(8, 0)
		dst := make([]int, 8)
		if n := testing.AllocsPerRun(100, func() {
			q.Put(1)
			q.Put(2)
			q.Take(dst)
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
