package bench_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/spillwayhq/spillway/adapters/callback"
	"github.com/spillwayhq/spillway/adapters/latest"
	"github.com/spillwayhq/spillway/adapters/multicast"
	"github.com/spillwayhq/spillway/adapters/ring"
	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/region"
)

// P8: does broadcasting allocate at all? Counted over ten million broadcasts, as allocs/op rounds down.
// What is counted does not depend on the machine, so this row fails where its target is missed.
func BenchmarkP8(b *testing.B) {
	b.Run("adapter=channel", func(b *testing.B) { countObjects(b, eight, channels(b)) })
	b.Run("adapter=callback", func(b *testing.B) {
		f := newFanout(b)
		called := make(chan struct{}, eight)
		_, err := callback.Subscribe(context.Background(), f, region.Region{}, callback.Options{Queue: eight}, func(notification) { called <- struct{}{} })
		if err != nil {
			b.Fatal(err)
		}
		countObjects(b, eight, func(events []notification) (accepted, drained, want int) {
			accepted, _ = spillway(f)(events)
			for range events {
				<-called
			}
			return accepted, len(events), len(events)
		})
	})
	for name, o := range map[string]ring.Options{"ring": {Capacity: eight}, "overwrite": {Capacity: eight, WhenFull: ring.Overwrite}} {
		b.Run("adapter="+name, func(b *testing.B) {
			f := newFanout(b)
			s, err := ring.Subscribe(context.Background(), f, region.Region{}, o)
			if err != nil {
				b.Fatal(err)
			}
			countObjects(b, eight, reading(f, s.NextBatch))
		})
	}
	b.Run("adapter=multicast", func(b *testing.B) {
		f := newFanout(b)
		m, err := multicast.Open(context.Background(), f, region.Region{}, eight)
		if err != nil {
			b.Fatal(err)
		}
		r, err := m.Reader(context.Background(), multicast.FromNext)
		if err != nil {
			b.Fatal(err)
		}
		countObjects(b, eight, reading(f, r.NextBatch))
	})
	b.Run("adapter=latest", func(b *testing.B) {
		f := newFanout(b)
		s, err := latest.Subscribe(context.Background(), f, region.Region{}, latest.Options{MaxKeys: eight}, sequence)
		if err != nil {
			b.Fatal(err)
		}
		countObjects(b, eight, func(events []notification) (accepted, drained, want int) {
			accepted, _ = spillway(f)(events)
			for s.Len() > 0 {
				if _, err := s.Next(context.Background()); err != nil {
					b.Fatal(err)
				}
				drained++
			}
			return accepted, drained, len(events)
		})
	})
}

// eight is how many events P8 sends before it drains.
const eight = 1024

// reading broadcasts to f and then reads by next until it has all.
func reading(f *fanout, next func(context.Context, []notification) (int, error)) func([]notification) (accepted, drained, want int) {
	send, dst := spillway(f), make([]notification, batch)
	return func(events []notification) (accepted, drained, want int) {
		accepted, _ = send(events)
		for drained < len(events) {
			n, err := next(context.Background(), dst)
			if err != nil {
				break
			}
			drained += n
		}
		return accepted, drained, len(events)
	}
}

// channels broadcasts to channels of several regions.
func channels(b *testing.B) func([]notification) (accepted, drained, want int) {
	w := newWorkload(b, 0, eight)
	only := region.OneKind(w.Kind)
	regions := []region.Region{
		{},
		{Kind: only},
		{Kind: region.InCategory(w.Kind.Category())},
		{Scope: bench.Scope},
		{Lane: region.OneLane(0), Kind: only},
		{Entity: w.Entities[0]},
		{Entity: w.Entities[1], Scope: bench.Scope, Kind: only},
	}
	const all = 5 // the first five regions match every event, each of the rest one of a block
	f := newFanout(b)
	outs := subscribe(b, f, len(regions), eight, func(i int) region.Region { return regions[i] })
	return func(events []notification) (accepted, drained, want int) {
		accepted, _ = spillway(f)(events)
		drained, _ = bench.Drain(outs, sequence)
		return accepted, drained, all*len(events) + len(regions) - all
	}
}

// countObjects fails b where ten million broadcasts allocate a hundred objects.
func countObjects(b *testing.B, block int, play func([]notification) (accepted, drained, want int)) {
	const (
		target   = 100 // the runtime makes a few objects of its own meanwhile
		warming  = 1_000_000
		measured = 10_000_000
	)
	w := newWorkload(b, 0, block)
	broadcast := func(n int) {
		for range (n + block - 1) / block {
			if accepted, drained, want := play(w.Events); accepted != want || drained != want {
				b.Fatalf("accepted %d, drained %d; want %d and the same", accepted, drained, want)
			}
		}
	}

	var most uint64
	broadcast(warming)
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		broadcast(measured)
		runtime.ReadMemStats(&after)
		most = max(most, after.Mallocs-before.Mallocs)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/measured, "ns/op")
	b.ReportMetric(float64(most), "objects")
	b.ReportMetric(target, "target")
	if most >= target {
		b.Fatalf("%d objects allocated over %d broadcasts, want fewer than %d", most, measured, target)
	}
}
