package bench

import (
	"context"
	"runtime"

	"github.com/spillwayhq/spillway/adapters/channel"
)

// heapRows are P9 and P9c: how much memory does a subscription take beyond its buffer? With a sink that has none,
// and with a channel, less what a million plain channels take.
func heapRows() []Row {
	const n = 1_000_000
	var rows []Row
	for _, c := range []struct {
		id, with        string
		target, stretch float64
		open            func() (context.Context, context.CancelFunc)
	}{
		{"P9", "a context that never ends", 256, 160, func() (context.Context, context.CancelFunc) { return context.Background(), func() {} }},
		{"P9c", "one shared context", 320, 200, func() (context.Context, context.CancelFunc) { return context.WithCancel(context.Background()) }},
	} {
		rows = append(
			rows,
			Row{
				ID: c.id, Case: "sink=free", Work: "memory of a subscription of 1M, " + c.with, Unit: "B/subscription",
				Target: c.target, Stretch: c.stretch, Version: 1, Counted: true,
				Open: func(h Host) Sides {
					w := newWorkload(h, 0, n)
					return Sides{Subject: heapSection(n, 0, func() (keep any) {
						ctx, cancel := c.open()
						h.Cleanup(cancel)
						f := newFanout(h)
						for i := range n {
							if _, err := f.Subscribe(ctx, w.Region(i), free{}); err != nil {
								h.Fatalf("%v", err)
							}
						}
						return f
					})}
				},
			},
			Row{
				ID: c.id, Case: "sink=channel", Work: "the same with a channel, less a plain channel's", Unit: "B/subscription",
				Target: c.target, Stretch: c.stretch, Version: 1, Counted: true,
				Open: func(h Host) Sides {
					w := newWorkload(h, 0, n)
					chans := make([]chan notification, n)
					plain := heapOf(func() any {
						for i := range chans {
							chans[i] = make(chan notification, 1)
						}
						return chans
					})
					clear(chans)
					subs := make([]*channel.Subscription[notification], n) // its owner keeps it, so what it takes counts
					return Sides{Subject: heapSection(n, plain, func() (keep any) {
						ctx, cancel := c.open()
						h.Cleanup(cancel)
						f := newFanout(h)
						for i := range subs {
							s, err := channel.Subscribe(ctx, f, w.Region(i), 1)
							if err != nil {
								h.Fatalf("%v", err)
							}
							subs[i] = s
						}
						return f
					})}
				},
			},
		)
	}
	return rows
}

// heapSection measures what each of n subscriptions takes that build makes, less the bytes of their buffers.
func heapSection(n int, buffers float64, build func() (keep any)) Section {
	return Section{Name: "spillway", Own: func() (float64, error) { return (heapOf(build) - buffers) / float64(n), nil }}
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
