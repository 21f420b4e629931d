package channel_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/core"
)

// Writers, readers, a cancel and a close at once: each channel has of each writer the first events, in order and without a
// gap; all of them, where it had room.
func TestStress(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		t.Run(fmt.Sprintf("procs=%d", procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			for round := range 20 {
				stress(t, round)
			}
		})
	}
}

func stress(t *testing.T, round int) {
	const writers, each, cancelled = 3, 100, 3
	f := core.New(core.Config[int]{})
	var writing, reading sync.WaitGroup
	var subs []*channel.Subscription[int]
	for _, capacity := range []int{1, 2, 3, 64, writers * each} {
		s := subscribe(t, f, capacity)
		subs = append(subs, s)
		reading.Go(func() {
			var got [writers]int
			for v := range s.C() {
				if w := v / each; v%each != got[w] {
					t.Errorf("capacity %d: of writer %d event %d where %d was next", capacity, w, v%each, got[w])
				}
				got[v/each]++
			}
			if s.Err() == core.ErrClosed && got != [writers]int{each, each, each} {
				t.Errorf("capacity %d: closed, and got %v events of %d", capacity, got, each)
			}
			if capacity == writers*each && s.Err() != core.ErrClosed {
				t.Errorf("ended with %v; it had room for all", s.Err())
			}
		})
	}
	for w := range writers {
		writing.Go(func() {
			for n := range each {
				f.Broadcast(w*each + n)
			}
		})
	}
	writing.Go(func() {
		for range round {
			runtime.Gosched()
		}
		subs[cancelled].Cancel()
	})
	writing.Wait()
	_ = f.Close()
	reading.Wait()
	if err := subs[cancelled].Err(); err != core.ErrCancelled && !errors.Is(err, core.ErrPruned) {
		t.Errorf("the one that was cancelled ended with %v", err)
	}
	if err := f.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
}
