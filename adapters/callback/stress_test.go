package callback_test

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/spillwayhq/spillway/adapters/callback"
	"github.com/spillwayhq/spillway/core"
)

// Writers, slow functions, cancels and closes at once: each event that was accepted is handled once, in its writer's
// order, by one call at a time, unless the subscription was cancelled; and Wait returns.
func TestStress(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		t.Run(fmt.Sprintf("procs=%d", procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			for round := range 30 {
				stress(t, round)
			}
		})
	}
}

func stress(t *testing.T, round int) {
	const writers, each, subs = 3, 100, 8
	f := core.New(core.Config[int]{})
	type handler struct {
		s       *callback.Subscription
		inside  atomic.Int32
		handled int
		last    [writers]int
	}
	handlers := make([]*handler, subs)
	for i := range handlers {
		h := &handler{}
		handlers[i] = h
		h.s = subscribe(t, f, 1+i*i*8, func(v int) {
			if h.inside.Add(1) != 1 {
				t.Error("two calls at once")
			}
			w, n := v/each, v%each+1
			if n <= h.last[w] {
				t.Errorf("writer %d: %d after %d", w, n, h.last[w])
			}
			h.last[w] = n
			h.handled++
			if n%7 == i {
				runtime.Gosched()
			}
			h.inside.Add(-1)
		})
	}
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := range each {
				f.Broadcast(w*each + n)
			}
		})
	}
	wg.Go(func() {
		for range round {
			runtime.Gosched()
		}
		handlers[3].s.Cancel()
	})
	wg.Wait()
	_ = f.Close()
	for i, h := range handlers {
		wait(t, f, h.s)
		if h.s.Err() == core.ErrClosed && h.handled != writers*each {
			t.Errorf("callback %d: handled %d of %d", i, h.handled, writers*each)
		}
		if i != 3 && h.s.Len() != 0 { // the one that is cancelled may have been pruned before
			t.Errorf("callback %d: %d left", i, h.s.Len())
		}
	}
}
