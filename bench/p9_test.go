package bench_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/spillwayhq/spillway/adapters/channel"
)

// P9 and P9c: how much memory does a subscription take beyond its buffer? With a sink that has none,
// and with a channel, less what a million plain channels take.
func BenchmarkP9(b *testing.B) {
	const n = 1_000_000
	contexts := []struct {
		name   string
		target float64
		open   func() (context.Context, context.CancelFunc)
	}{
		{"background", 256, func() (context.Context, context.CancelFunc) { return context.Background(), func() {} }},
		{"shared", 320, func() (context.Context, context.CancelFunc) { return context.WithCancel(context.Background()) }},
	}
	w := newWorkload(b, 0, n)
	for _, c := range contexts {
		b.Run("context="+c.name+"/sink=free", func(b *testing.B) {
			measureHeap(b, n, c.target, 0, func() (keep any) {
				ctx, cancel := c.open()
				b.Cleanup(cancel)
				f := newFanout(b)
				for i := range n {
					if _, err := f.Subscribe(ctx, w.Region(i), free{}); err != nil {
						b.Fatal(err)
					}
				}
				return f
			})
		})
		b.Run("context="+c.name+"/sink=channel", func(b *testing.B) {
			chans := make([]chan notification, n)
			plain := heapOf(func() any {
				for i := range chans {
					chans[i] = make(chan notification, 1)
				}
				return chans
			})
			clear(chans)
			subs := make([]*channel.Subscription[notification], n) // its owner keeps it, so what it takes counts
			measureHeap(b, n, c.target, plain, func() (keep any) {
				ctx, cancel := c.open()
				b.Cleanup(cancel)
				f := newFanout(b)
				for i := range subs {
					s, err := channel.Subscribe(ctx, f, w.Region(i), 1)
					if err != nil {
						b.Fatal(err)
					}
					subs[i] = s
				}
				return f
			})
		})
	}
}

// measureHeap reports what each of n subscriptions takes that build makes, less the bytes of their buffers.
func measureHeap(b *testing.B, n int, target, buffers float64, build func() (keep any)) {
	var bytes float64
	for b.Loop() {
		bytes = heapOf(build)
	}
	b.ReportMetric((bytes-buffers)/float64(n), "B/sub")
	b.ReportMetric(target, "target")
	b.ReportMetric(buffers/float64(n), "B-buffer/sub")
	b.ReportMetric(0, "ns/op") // not printed: the time is the collector's
}

// heapOf returns how many bytes of heap are still in use after build than were before it, while what it
// returned is.
func heapOf(build func() (keep any)) float64 {
	before := heapInUse()
	kept := build()
	after := heapInUse()
	runtime.KeepAlive(kept)
	return float64(after) - float64(before)
}

// heapInUse returns the bytes of live heap objects. The second collection takes what the first only made ready.
func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
