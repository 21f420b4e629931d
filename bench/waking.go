package bench

import (
	"context"
	"slices"
	"time"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/adapters/multicast"
	"github.com/spillwayhq/spillway/adapters/ring"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// wakings is how many times a round has a parked reader woken.
const wakings = 500

// parked is how long a reader has to park in, after it said that it has the event before.
const parked = 3 * time.Microsecond

// wakingRows are P11: how long does it take from a broadcast until a parked reader has the event, against a plain channel? A
// round's figure is the mean of its middle half, one way: its median, but finer than the clock's ticks, which are 10 ns on some
// machines. Next is called where it stands, as the channel is received from: through a method value the reader would return
// through one function more, which the processor does not foresee after a switch, and which is not Next's.
func wakingRows() []Row {
	const capacity = 64
	var rows []Row
	for _, a := range []struct {
		name            string
		target, stretch float64
		open            func(h Host, f *core.Fanout[uint64]) (receive func() bool)
	}{
		{"channel", 1.3, 1.1, func(h Host, f *core.Fanout[uint64]) func() bool {
			s, err := channel.Subscribe(context.Background(), f, region.Region{}, capacity)
			if err != nil {
				h.Fatalf("%v", err)
			}
			return func() bool {
				_, err := s.Next(context.Background())
				return err == nil
			}
		}},
		{"ring", 1.3, 1.1, func(h Host, f *core.Fanout[uint64]) func() bool {
			s, err := ring.Subscribe(context.Background(), f, region.Region{}, ring.Options{Capacity: capacity})
			if err != nil {
				h.Fatalf("%v", err)
			}
			return func() bool {
				_, err := s.Next(context.Background())
				return err == nil
			}
		}},
		{"multicast", 2.5, 1.8, func(h Host, f *core.Fanout[uint64]) func() bool {
			m, err := multicast.Open(context.Background(), f, region.Region{}, capacity)
			if err != nil {
				h.Fatalf("%v", err)
			}
			r, err := m.Reader(context.Background(), multicast.FromNext)
			if err != nil {
				h.Fatalf("%v", err)
			}
			return func() bool {
				_, err := r.Next(context.Background())
				return err == nil
			}
		}},
	} {
		rows = append(rows, Row{
			ID: "P11", Case: "adapter=" + a.name, Work: "from a broadcast to a parked reader's wake-up, " + a.name, Against: "channel", Unit: "ns",
			Target: a.target, Stretch: a.stretch, Version: 2, Quick: true,
			Open: func(h Host) Sides {
				f := newSmall(h)
				receive := a.open(h, f)
				raw := make(chan uint64, capacity)
				h.Cleanup(func() { close(raw) })
				return Sides{
					Subject: waking("spillway", func(v uint64) { f.Broadcast(v) }, receive),
					Baseline: waking("channel", func(v uint64) { raw <- v }, func() bool {
						_, ok := <-raw
						return ok
					}),
				}
			},
		})
	}
	return rows
}

// waking measures how long after a send the reader that waits in receive has the event.
func waking(name string, send func(uint64), receive func() bool) Section {
	got := make(chan time.Time, 1)
	go func() {
		for receive() {
			got <- time.Now()
		}
	}()
	took := make([]time.Duration, wakings)
	return Section{Name: name, Own: func() (float64, error) {
		for i := range took {
			for ready := time.Now(); time.Since(ready) < parked; {
			}
			sent := time.Now()
			send(uint64(i))
			took[i] = (<-got).Sub(sent)
		}
		slices.Sort(took)
		sum := time.Duration(0)
		for _, d := range took[wakings/4 : wakings-wakings/4] {
			sum += d
		}
		return float64(sum.Nanoseconds()) / (wakings - wakings/4*2), nil
	}}
}
