package bench_test

import (
	"runtime"
	"testing"

	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/region"
)

// P8: does broadcasting allocate at all? Counted over ten million broadcasts, as allocs/op rounds down.
// What is counted does not depend on the machine, so this row fails where its target is missed.
func BenchmarkP8(b *testing.B) {
	const (
		target   = 100 // the runtime makes a few objects of its own meanwhile
		block    = 1024
		warming  = 1_000_000
		measured = 10_000_000
	)
	w := newWorkload(b, 0, block)
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
	outs := subscribe(b, f, len(regions), block, func(i int) region.Region { return regions[i] })
	send, want := spillway(f), all*block+len(regions)-all
	broadcast := func(n int) {
		for range (n + block - 1) / block {
			accepted, refused := send(w.Events)
			if drained, _ := bench.Drain(outs); accepted != want || drained != want || refused != 0 {
				b.Fatalf("accepted %d, drained %d, refused %d; want %d, the same and none", accepted, drained, refused, want)
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
