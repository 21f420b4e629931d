package bench_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// seed makes every run visit the same entities in the same order.
const seed = 1

type (
	notification = core.Notification
	fanout       = core.Fanout[core.Notification]
	broadcasts   = bench.Broadcasts[core.Notification]
)

// sequence tells notifications apart.
func sequence(n notification) uint64 { return n.Sequence }

// newFanout returns a Fanout as all rows use it, which is closed when b is over.
func newFanout(tb testing.TB) *fanout {
	f := core.New(core.Config[notification]{Name: "bench", Locate: notification.Point})
	tb.Cleanup(func() { closeFanout(tb, f) })
	return f
}

// closeFanout ends f and waits for all its subscriptions.
func closeFanout(tb testing.TB, f *fanout) {
	if err := f.Close(); err != nil {
		tb.Errorf("Close: %v", err)
	}
	settle(tb, f)
}

// settle waits until whatever has ended in f is done.
func settle(tb testing.TB, f *fanout) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := f.Wait(ctx); err != nil {
		tb.Errorf("Wait: %v", err)
	}
}

// newWorkload returns the n entities from first on, and their events.
func newWorkload(tb testing.TB, first, n int) *bench.Workload {
	w, err := bench.NewWorkload(seed, first, n)
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

// subscribe adds a channel subscription to each of n regions, and returns what to read from.
func subscribe(tb testing.TB, f *fanout, n, capacity int, at func(i int) region.Region) []<-chan notification {
	outs := make([]<-chan notification, n)
	for i := range outs {
		s, err := channel.Subscribe(context.Background(), f, at(i), capacity)
		if err != nil {
			tb.Fatalf("subscription %d: %v", i, err)
		}
		outs[i] = s.C()
	}
	return outs
}

// everything is the region of whoever wants all events.
func everything(int) region.Region { return region.Region{} }

// spillway returns the Send of a Fanout.
func spillway(f *fanout) func([]notification) (accepted, refused int) {
	return func(events []notification) (accepted, refused int) {
		for i := range events {
			o := f.Broadcast(events[i])
			accepted += o.Accepted
			refused += o.Pruned
		}
		return accepted, refused
	}
}

// drainAll returns the Drain of those who get every event.
func drainAll(outs []<-chan notification) func([]notification) (count int, sum uint64) {
	return func([]notification) (int, uint64) { return bench.Drain(outs, sequence) }
}

// drainOwn returns the Drain of those who get the event of their own entity of w, and look for nothing else.
func drainOwn(w *bench.Workload, outs []<-chan notification) func([]notification) (count int, sum uint64) {
	return func(events []notification) (count int, sum uint64) {
		for i := range events {
			at := w.Order[events[i].Sequence]
			c, s := bench.Drain(outs[at:at+1], sequence)
			count += c
			sum += s
		}
		return count, sum
	}
}

// short names a number of subscriptions: 1k, 1M.
func short(n int) string {
	switch {
	case n >= 1_000_000 && n%1_000_000 == 0:
		return fmt.Sprintf("%dM", n/1_000_000)
	case n >= 1_000 && n%1_000 == 0:
		return fmt.Sprintf("%dk", n/1_000)
	default:
		return fmt.Sprint(n)
	}
}
