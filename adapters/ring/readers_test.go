package ring_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/core"
)

// rounds is how often a test repeats what luck has a part in.
func rounds(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

// A tally is what several readers took together.
type tally struct {
	mu    sync.Mutex
	taken []int
}

func (c *tally) add(ns ...int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken = append(c.taken, ns...)
}

func (c *tally) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.taken)
}

// Each event goes to one reader, however each of them reads.
func TestSeveralReaders(t *testing.T) {
	const events = 1000
	each(t, func(t *testing.T, v variety) {
		f, s := v.open(t, events)
		var got tally
		var readers sync.WaitGroup
		for range 2 {
			readers.Go(func() {
				dst := make([]int, 5)
				for {
					n, err := s.NextBatch(t.Context(), dst)
					if err != nil {
						return
					}
					got.add(dst[:n]...)
				}
			})
			readers.Go(func() {
				for n, err := range s.All() {
					if err == nil {
						got.add(n)
					}
				}
			})
			readers.Go(func() {
				for n, err := s.Next(t.Context()); err == nil; n, err = s.Next(t.Context()) {
					got.add(n)
				}
			})
		}
		broadcast(f, 0, events)
		_ = f.Close()
		readers.Wait()
		slices.Sort(got.taken)
		if !slices.Equal(got.taken, numbers(0, events)) || s.Lost() != 0 {
			t.Errorf("got %d events and lost %d, want each of %d once", len(got.taken), s.Lost(), events)
		}
		<-s.Done()
	})
}

// Whenever everything has come to rest, no reader sleeps beside an event: what was broadcast has been taken, all of it,
// though readers' contexts end at the moments at which events come.
func TestNobodySleepsBesideAnEvent(t *testing.T) {
	each(t, func(t *testing.T, v variety) {
		synctest.Test(t, func(t *testing.T) {
			f, s := v.open(t, 64)
			var got tally
			var gaveUp atomic.Int64
			var readers sync.WaitGroup
			for i := range 6 {
				readers.Go(func() {
					dst := make([]int, i%3+1)
					for {
						ctx, cancel := context.WithTimeoutCause(t.Context(), time.Duration(rand.IntN(4))*time.Millisecond, errMine)
						n, err := s.NextBatch(ctx, dst)
						cancel()
						got.add(dst[:n]...)
						if errors.Is(err, errMine) {
							gaveUp.Add(1)
							time.Sleep(time.Duration(rand.IntN(2)) * time.Millisecond)
						} else if err != nil {
							return
						}
					}
				})
			}
			// Two read without end, so that somebody always waits.
			for range 2 {
				readers.Go(func() {
					for n, err := range s.All() {
						if err == nil {
							got.add(n)
						}
					}
				})
			}
			sent := 0
			for range rounds(2000) {
				time.Sleep(time.Millisecond)
				var writers sync.WaitGroup
				for range rand.IntN(3) + 1 {
					from, to := sent, sent+rand.IntN(4)+1
					sent = to
					if v.single {
						broadcast(f, from, to)
					} else {
						writers.Go(func() { broadcast(f, from, to) })
					}
				}
				writers.Wait()
				synctest.Wait()
				if n := got.len(); n != sent {
					t.Fatalf("%d of %d events are taken, and everybody sleeps", n, sent)
				}
			}
			s.Cancel()
			readers.Wait()
			slices.Sort(got.taken)
			if !slices.Equal(got.taken, numbers(0, sent)) || s.Lost() != 0 || gaveUp.Load() == 0 {
				t.Errorf("took %d events, lost %d, gave up %d times; want each of %d once", len(got.taken), s.Lost(), gaveUp.Load(), sent)
			}
			<-s.Done()
		})
	})
}

// Readers that give up at any moment take nothing with them: every event arrives, is held, or is counted as lost.
func TestContextsTakeNothingAlong(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		each(t, func(t *testing.T, v variety) {
			t.Run(fmt.Sprintf("procs=%d", procs), func(t *testing.T) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				givingUp(t, v)
			})
		})
	}
}

func givingUp(t *testing.T, v variety) {
	events, writers := rounds(3000), 3
	if v.single {
		writers = 1
	}
	capacity := writers * events // nobody is refused
	if v == overwriting {
		capacity = 7
	}
	f, s := v.open(t, capacity)
	var got tally
	var readers, others sync.WaitGroup
	written := make(chan struct{})
	for range 4 {
		ctxs := make(chan context.CancelFunc) // the reader's next is ended at a moment that it doesn't know
		others.Go(func() {
			for cancel := range ctxs {
				runtime.Gosched()
				cancel()
			}
		})
		readers.Go(func() {
			defer close(ctxs)
			for {
				ctx, cancel := context.WithCancel(t.Context())
				ctxs <- cancel
				n, err := s.Next(ctx)
				if err == nil {
					got.add(n)
					continue
				}
				select {
				case <-written:
					return
				default:
				}
			}
		})
	}
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for n := range events {
				f.Broadcast(w*events + n)
				if n%8 == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	writing.Wait()
	close(written)
	readers.Wait()
	others.Wait()
	_ = f.Close()
	<-s.Done()
	taken := got.len()
	got.add(drain(t, s)...) // held
	slices.Sort(got.taken)
	if n := len(slices.Compact(got.taken)); n != len(got.taken) {
		t.Errorf("took %d events, %d of them different", len(got.taken), n)
	}
	if all := uint64(len(got.taken)) + s.Lost(); all != uint64(writers*events) {
		t.Errorf("took %d, held %d, lost %d: together %d, want %d", taken, len(got.taken)-taken, s.Lost(), all, writers*events)
	}
}

// Reading allocates nothing, nor does broadcasting.
func TestReadingAllocatesNothing(t *testing.T) {
	each(t, func(t *testing.T, v variety) {
		f := core.New(core.Config[any]{SingleWriter: v.single})
		s := subscribe(t, f, v.of(8))
		ctx, dst := t.Context(), make([]any, 4)
		var boxed any = "an event"
		var failed error
		if n := testing.AllocsPerRun(1000, func() {
			f.Broadcast(boxed)
			if _, err := s.Next(ctx); err != nil {
				failed = err
			}
		}); n != 0 {
			t.Errorf("Next: %v allocations", n)
		}
		if n := testing.AllocsPerRun(1000, func() {
			f.Broadcast(boxed)
			f.Broadcast(boxed)
			if n, err := s.NextBatch(ctx, dst); n != 2 || err != nil {
				failed = fmt.Errorf("%d events: %w", n, err)
			}
		}); n != 0 {
			t.Errorf("NextBatch: %v allocations", n)
		}
		if failed != nil {
			t.Error(failed)
		}
		_ = f.Close()
		<-s.Done()
	})
}
