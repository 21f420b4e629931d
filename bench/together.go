package bench

import (
	"context"
	"sync"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// together returns the Send in which so many goroutines each send their share of the events by send.
func together[T any](writers int, send func([]T) (accepted, refused int)) func([]T) (accepted, refused int) {
	if writers == 1 {
		return send
	}
	return func(events []T) (accepted, refused int) {
		var (
			sending sync.WaitGroup
			mu      sync.Mutex
		)
		for i := range writers {
			share := events[len(events)*i/writers : len(events)*(i+1)/writers]
			sending.Go(func() {
				a, r := send(share)
				mu.Lock()
				defer mu.Unlock()
				accepted += a
				refused += r
			})
		}
		sending.Wait()
		return accepted, refused
	}
}

// newShared returns a Fanout of numbers for several writers, without Locate.
func newShared(h Host) *core.Fanout[uint64] {
	return closing(h, core.New(core.Config[uint64]{Name: "bench"}))
}

// subscribeAs adds n channel subscriptions to everything, of events of any type.
func subscribeAs[T any](h Host, f *core.Fanout[T], n, capacity int) []<-chan T {
	outs := make([]<-chan T, n)
	for i := range outs {
		s, err := channel.Subscribe(context.Background(), f, region.Region{}, capacity)
		if err != nil {
			h.Fatalf("subscription %d: %v", i, err)
		}
		outs[i] = s.C()
	}
	return outs
}
