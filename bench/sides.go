package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// seed makes every run visit the same entities in the same order.
const seed = 1

type (
	notification = core.Notification
	fanout       = core.Fanout[core.Notification]
	broadcasts   = Broadcasts[core.Notification]
)

// sequence tells notifications apart.
func sequence(n notification) uint64 { return n.Sequence }

// newFanout returns a Fanout as most rows use it, which is closed when h is over.
func newFanout(h Host) *fanout {
	return closing(h, core.New(core.Config[notification]{Name: "bench", Locate: notification.Point}))
}

// newSmall returns one of numbers, with one writer and no Locate.
func newSmall(h Host) *core.Fanout[uint64] { return closing(h, core.New(small.config)) }

// closing has f closed, and all its subscriptions done, when h is over.
func closing[T any](h Host, f *core.Fanout[T]) *core.Fanout[T] {
	h.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := f.Close(); err != nil {
			h.Errorf("Close: %v", err)
		}
		if err := f.Wait(ctx); err != nil {
			h.Errorf("Wait: %v", err)
		}
	})
	return f
}

// newWorkload returns the n entities from first on, and their events.
func newWorkload(h Host, first, n int) *Workload {
	w, err := NewWorkload(seed, first, n)
	if err != nil {
		h.Fatalf("%v", err)
	}
	return w
}

// subscribe adds a channel subscription to each of n regions, and returns what to read from.
func subscribe(h Host, f *fanout, n, capacity int, at func(i int) region.Region) []<-chan notification {
	outs := make([]<-chan notification, n)
	for i := range outs {
		s, err := channel.Subscribe(context.Background(), f, at(i), capacity)
		if err != nil {
			h.Fatalf("subscription %d: %v", i, err)
		}
		outs[i] = s.C()
	}
	return outs
}

// everything is the region of whoever wants all events.
func everything(int) region.Region { return region.Region{} }

// broadcasting returns the Send of a Fanout. Inlined itself, it would not have Broadcast inlined, as a plain caller has.
//
//go:noinline
func broadcasting[T any](f *core.Fanout[T]) func([]T) (accepted, refused int) {
	return func(events []T) (accepted, refused int) {
		for i := range events {
			o := f.Broadcast(events[i])
			accepted += o.Accepted
			refused += o.Pruned
		}
		return accepted, refused
	}
}

// linearly returns the Send of a Linear.
func linearly[T any](l *Linear[T]) func([]T) (accepted, refused int) {
	return func(events []T) (accepted, refused int) {
		for i := range events {
			o := l.Broadcast(events[i])
			accepted += o.Accepted
			refused += o.Pruned
		}
		return accepted, refused
	}
}

// offering returns the Send of a RawOffer to n channels.
func offering[T any](raw *RawOffer[T], n int) func([]T) (accepted, refused int) {
	return func(events []T) (accepted, refused int) {
		for i := range events {
			accepted += raw.Offer(&events[i])
		}
		return accepted, len(events)*n - accepted
	}
}

// drainAll returns the Drain of those who get every event.
func drainAll(outs []<-chan notification) func([]notification) (count int, sum uint64) {
	return func([]notification) (int, uint64) { return Drain(outs, sequence) }
}

// drainOwn returns the Drain of those who get the event of their own entity of w, and look for nothing else.
func drainOwn(w *Workload, outs []<-chan notification) func([]notification) (count int, sum uint64) {
	return func(events []notification) (count int, sum uint64) {
		for i := range events {
			at := w.Order[events[i].Sequence]
			c, s := Drain(outs[at:at+1], sequence)
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
