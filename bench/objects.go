package bench

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spillwayhq/spillway/adapters/callback"
	"github.com/spillwayhq/spillway/adapters/latest"
	"github.com/spillwayhq/spillway/adapters/multicast"
	"github.com/spillwayhq/spillway/adapters/ring"
	"github.com/spillwayhq/spillway/region"
)

// eight is how many events P8 sends before it drains.
const eight = 1024

// A playing sends a block of events, and takes what came; want is what both counts should be.
type playing func(events []notification) (accepted, drained, want int)

// objectRows are P8: does broadcasting allocate at all? Counted over ten million broadcasts, as allocs/op rounds down.
func objectRows() []Row {
	var rows []Row
	for _, a := range []struct {
		name string
		open func(h Host) playing
	}{
		{"channel", playChannels},
		{"callback", playCallback},
		{"ring", func(h Host) playing { return playRing(h, ring.Prune) }},
		{"overwrite", func(h Host) playing { return playRing(h, ring.Overwrite) }},
		{"multicast", playMulticast},
		{"latest", playLatest},
	} {
		rows = append(rows, Row{
			ID: "P8", Case: "adapter=" + a.name, Work: "objects allocated over 10M broadcasts, " + a.name, Unit: "objects",
			Target: 99, Stretch: 0, Version: 1, Counted: true, // the runtime makes a few objects of its own meanwhile
			Open: func(h Host) Sides {
				subject, err := objectsSection(newWorkload(h, 0, eight), a.open(h))
				if err != nil {
					h.Fatalf("warming up: %v", err)
				}
				return Sides{Subject: subject}
			},
		})
	}
	return rows
}

// objectsSection counts the objects of ten million broadcasts, after a million.
func objectsSection(w *Workload, play playing) (Section, error) {
	const warming, measured = 1_000_000, 10_000_000
	broadcast := func(n int) error {
		for range (n + eight - 1) / eight {
			if accepted, drained, want := play(w.Events); accepted != want || drained != want {
				return fmt.Errorf("accepted %d, drained %d; want %d and the same", accepted, drained, want)
			}
		}
		return nil
	}
	return Section{Name: "spillway", Own: func() (float64, error) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := broadcast(measured)
		runtime.ReadMemStats(&after)
		return float64(after.Mallocs - before.Mallocs), err
	}}, broadcast(warming)
}

// playChannels broadcasts to channels of several regions.
func playChannels(h Host) playing {
	w := newWorkload(h, 0, eight)
	only := region.OneKind(w.Kind)
	regions := []region.Region{
		{},
		{Kind: only},
		{Kind: region.InCategory(w.Kind.Category())},
		{Scope: Scope},
		{Lane: region.OneLane(0), Kind: only},
		{Entity: w.Entities[0]},
		{Entity: w.Entities[1], Scope: Scope, Kind: only},
	}
	const all = 5 // the first five regions match every event, each of the rest one of a block
	f := newFanout(h)
	outs := subscribe(h, f, len(regions), eight, func(i int) region.Region { return regions[i] })
	send := broadcasting(f)
	return func(events []notification) (accepted, drained, want int) {
		accepted, _ = send(events)
		drained, _ = Drain(outs, sequence)
		return accepted, drained, all*len(events) + len(regions) - all
	}
}

func playCallback(h Host) playing {
	f := newFanout(h)
	called := make(chan struct{}, eight)
	o := callback.Options{Queue: eight}
	if _, err := callback.Subscribe(context.Background(), f, region.Region{}, o, func(notification) { called <- struct{}{} }); err != nil {
		h.Fatalf("%v", err)
	}
	send := broadcasting(f)
	return func(events []notification) (accepted, drained, want int) {
		accepted, _ = send(events)
		for range events {
			<-called
		}
		return accepted, len(events), len(events)
	}
}

func playRing(h Host, policy ring.Policy) playing {
	f := newFanout(h)
	s, err := ring.Subscribe(context.Background(), f, region.Region{}, ring.Options{Capacity: eight, WhenFull: policy})
	if err != nil {
		h.Fatalf("%v", err)
	}
	return reading(f, s.NextBatch)
}

func playMulticast(h Host) playing {
	f := newFanout(h)
	m, err := multicast.Open(context.Background(), f, region.Region{}, eight)
	if err != nil {
		h.Fatalf("%v", err)
	}
	r, err := m.Reader(context.Background(), multicast.FromNext)
	if err != nil {
		h.Fatalf("%v", err)
	}
	return reading(f, r.NextBatch)
}

func playLatest(h Host) playing {
	f := newFanout(h)
	s, err := latest.Subscribe(context.Background(), f, region.Region{}, latest.Options{MaxKeys: eight}, sequence)
	if err != nil {
		h.Fatalf("%v", err)
	}
	send := broadcasting(f)
	return func(events []notification) (accepted, drained, want int) {
		accepted, _ = send(events)
		for s.Len() > 0 {
			if _, err := s.Next(context.Background()); err != nil {
				h.Fatalf("%v", err)
			}
			drained++
		}
		return accepted, drained, len(events)
	}
}

// reading broadcasts to f and then reads by next until it has all.
func reading(f *fanout, next func(context.Context, []notification) (int, error)) playing {
	send, dst := broadcasting(f), make([]notification, batch)
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
