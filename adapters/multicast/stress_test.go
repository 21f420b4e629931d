package multicast

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"testing"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

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

// Writers go round and round while Readers read, are lapped, and come back: nothing is torn, and each run that a Reader
// reads has, of each writer, all events from the first to the last, in order.
func TestStress(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		for _, capacity := range []int{1, 2, 3, 100} {
			for _, writers := range []int{1, 3} {
				t.Run(fmt.Sprintf("procs=%d/capacity=%d/writers=%d", procs, capacity, writers), func(t *testing.T) {
					defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
					stress(t, capacity, writers)
				})
			}
		}
	}
}

func stress(t *testing.T, capacity, writers int) {
	const each, readers = 1500, 6
	f := core.New(core.Config[wide]{SingleWriter: writers == 1})
	m, err := newRing(f, capacity, math.MaxUint64-each)
	if err != nil {
		t.Fatal(err)
	}
	if m.sub, err = f.Subscribe(context.Background(), region.Region{}, sink[wide]{m}); err != nil {
		t.Fatal(err)
	}
	var reading, writing sync.WaitGroup
	for i := range readers {
		reading.Go(func() {
			dst := make([]wide, 1+i*7)
			for {
				r, err := m.Reader(context.Background(), Start(i%2))
				if err != nil {
					return // the ring is over
				}
				last := make(map[int]int)
				for {
					n, err := r.NextBatch(context.Background(), dst)
					if err != nil {
						if !errors.Is(err, core.ErrPruned) && err != core.ErrClosed {
							t.Errorf("Reader ended with %v", err)
						}
						break
					}
					for _, v := range dst[:n] {
						if !v.whole() {
							t.Errorf("torn: %+v", v)
						}
						if before, ok := last[v.writer]; ok && v.n != before+1 {
							t.Errorf("writer %d: %d after %d", v.writer, v.n, before)
						}
						last[v.writer] = v.n
					}
				}
			}
		})
	}
	for w := range writers {
		writing.Go(func() {
			for n := range each {
				f.Broadcast(newWide(w, n))
				if n%16 == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	writing.Wait()
	_ = f.Close()
	reading.Wait()
	if err := f.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// Whoever waits is woken by the next event, however many they are.
func TestWokenByEachEvent(t *testing.T) {
	const readers, events = 200, 200
	f := numbers(true)
	m := openAt(t, f, 4, 0)
	var all sync.WaitGroup
	var seen [events]sync.WaitGroup
	for i := range seen {
		seen[i].Add(readers)
	}
	for range readers {
		r, err := m.Reader(context.Background(), FromNext)
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			for v, err := range r.All() {
				if err != nil {
					if err != core.ErrClosed {
						t.Errorf("ended with %v", err)
					}
					return
				}
				seen[v].Done()
			}
		})
	}
	for n := range events {
		f.Broadcast(n)
		seen[n].Wait() // hangs where a wake-up is lost
	}
	_ = f.Close()
	all.Wait()
	if err := f.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
}
