package bench_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// free is a sink that costs nothing, to see what a subscription alone costs.
type free struct{}

func (free) Offer(notification) core.Verdict { return core.Accepted }
func (free) Close(error)                     {}

// P7: does a subscription's coming and going cost more among a million than among a thousand?
func BenchmarkP7(b *testing.B) {
	const crowd, few, visitors = 1_000_000, 1_000, 10_000
	w := newWorkload(b, 0, crowd)
	strangers := newWorkload(b, crowd, visitors)
	side := func(name string, live int) bench.Section {
		f := newFanout(b)
		for i := range live {
			subscribeFree(b, f, w.Region(i))
		}
		return comeAndGo(name, f, strangers)
	}
	bench.Compare(b, 2.5, side("spillway", crowd), side("1k-live", few))
	perSubscription(b, func() int {
		f := newFanout(b)
		return comeAndGo("", f, strangers).Timed()
	})
}

// comeAndGo returns the Section in which all of w's entities are subscribed to in f and cancelled, until the last is done.
func comeAndGo(name string, f *fanout, w *bench.Workload) bench.Section {
	live := f.Len()
	subs := make([]*core.Subscription, len(w.Entities))
	var failed error
	return bench.Section{
		Name: name,
		Timed: func() (ops int) {
			for i := range subs {
				s, err := f.Subscribe(context.Background(), w.Region(i), free{})
				if err != nil {
					failed = err
					return 1
				}
				subs[i] = s
			}
			for _, s := range subs {
				s.Cancel()
			}
			<-subs[len(subs)-1].Done()
			return len(subs)
		},
		After: func() error {
			if failed != nil {
				return failed
			}
			for i, s := range subs {
				select {
				case <-s.Done():
				default:
					return fmt.Errorf("subscription %d of %d was cancelled before the last, and is done after it", i, len(subs))
				}
				if !errors.Is(s.Err(), core.ErrCancelled) {
					return fmt.Errorf("subscription %d ended with %v, want ErrCancelled", i, s.Err())
				}
			}
			if got := f.Len(); got != live {
				return fmt.Errorf("%d live afterwards, want %d", got, live)
			}
			return nil
		},
	}
}

// P7b: what does subscribing a million cost, against filling a Go map with as many keys?
func BenchmarkP7b(b *testing.B) {
	const n = 1_000_000
	w := newWorkload(b, 0, n)
	keys := w.Keys()
	fill := func(name string, room int) bench.Section {
		var m map[bench.MapKey]*int
		return bench.Section{
			Name:   name,
			Before: collected,
			Timed: func() (ops int) {
				m = bench.FillMap(keys, room)
				return n
			},
			After: func() error {
				defer func() { m = nil }()
				if len(m) != n {
					return fmt.Errorf("the map has %d keys, want %d", len(m), n)
				}
				return nil
			},
		}
	}
	bench.Compare(b, 4, subscribeAll(w), fill("map", 0), fill("roomy-map", n))
	perSubscription(b, subscribeAll(w).Timed)
}

// subscribeAll returns the Section that subscribes to every entity of w in a Fanout that begins empty.
func subscribeAll(w *bench.Workload) bench.Section {
	var (
		f      *fanout
		failed error
	)
	return bench.Section{
		Name:   "spillway",
		Before: collected,
		Timed: func() (ops int) {
			f = core.New(core.Config[notification]{Name: "bench", Locate: notification.Point})
			for i := range w.Entities {
				if _, err := f.Subscribe(context.Background(), w.Region(i), free{}); err != nil {
					failed = err
				}
			}
			return len(w.Entities)
		},
		After: func() error {
			defer func() { f = nil }()
			if failed != nil {
				return failed
			}
			if got := f.Len(); got != len(w.Entities) {
				return fmt.Errorf("%d live, want %d", got, len(w.Entities))
			}
			for i := 0; i < len(w.Events); i += 1 + len(w.Events)/1000 {
				if o := f.Broadcast(w.Events[i]); o.Accepted != 1 || o.Pruned != 0 {
					return fmt.Errorf("event %d: outcome %+v, want one accepted", i, o)
				}
			}
			return nil
		},
	}
}

// subscribeFree adds a subscription with a sink that costs nothing.
func subscribeFree(tb testing.TB, f *fanout, r region.Region) {
	if _, err := f.Subscribe(context.Background(), r, free{}); err != nil {
		tb.Fatalf("%s: %v", r, err)
	}
}

// collected is a Section's Before for rows that fill memory: each begins on a heap without garbage.
func collected(int) error {
	runtime.GC()
	return nil
}

// perSubscription reports what one operation allocates, in place of what a round did.
func perSubscription(b *testing.B, timed func() (ops int)) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ops := timed()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(ops), "allocs/op")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(ops), "B/op")
}
