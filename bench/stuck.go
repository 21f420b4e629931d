package bench

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/adapters/multicast"
	"github.com/spillwayhq/spillway/adapters/ring"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// stuckRows are P10: what do five hundred who are stuck cost the writer, and the five hundred others? Both are the 99th percentile,
// over blocks of 64 broadcasts and over the deliveries of each block's last event, against the same thousand, all healthy.
func stuckRows() []Row {
	var rows []Row
	for _, a := range []struct {
		name string
		open func(h Host, f *core.Fanout[uint64], n int) []reader // opens n subscriptions and returns how to read from each
	}{
		{"multicast", openReaders},
		{"overwrite", openOverwriting},
		{"channel", openChannels}, // prunes the stuck; printed beside
	} {
		for _, figure := range []struct {
			name            string
			target, stretch float64
			of              func(*crowded) []time.Duration
		}{
			{"broadcast", 1.2, 1.05, func(c *crowded) []time.Duration { return c.blocks }},
			{"delivery", 1.5, 1.2, func(c *crowded) []time.Duration { return c.deliveries }},
		} {
			row := Row{
				ID: "P10", Case: "adapter=" + a.name + "/figure=" + figure.name,
				Work: fmt.Sprintf("%s p99, half of 1k %s subscribers stuck", figure.name, a.name), Against: "none-stuck", Unit: "ns",
				Target: figure.target, Stretch: figure.stretch, Version: 1,
				Open: func(h Host) Sides {
					return Sides{
						Subject:  newCrowded(h, a.open, crowdSize/2).section("spillway", figure.of),
						Baseline: newCrowded(h, a.open, 0).section("none-stuck", figure.of),
					}
				},
			}
			if a.name == "channel" {
				row.Target, row.Stretch = 0, 0
			}
			rows = append(rows, row)
		}
	}
	return rows
}

const (
	crowdSize   = 1_000
	crowdBlock  = 64
	crowdBlocks = 100 // a round's
	crowdRoom   = 256 // what a stuck one has room for is overwritten, lapped or pruned before it is measured
)

// A reader takes some events and returns how many, and the last.
type reader func(dst []uint64) (n int, err error)

// A crowded is a Fanout with a thousand subscribers, some of whom are stuck. An event is the time at which its block
// was begun, in nanoseconds since start; the last of a block is odd.
type crowded struct {
	fanout             *core.Fanout[uint64]
	start              time.Time
	healthy            int
	had                atomic.Int64
	all                chan struct{}
	late               []atomic.Int64 // how long each had to wait for the last block's last event
	blocks, deliveries []time.Duration
}

func newCrowded(h Host, open func(Host, *core.Fanout[uint64], int) []reader, stuck int) *crowded {
	c := &crowded{fanout: newSmall(h), start: time.Now(), healthy: crowdSize - stuck, all: make(chan struct{}, 1)}
	c.late = make([]atomic.Int64, c.healthy)
	c.blocks = make([]time.Duration, 0, crowdBlocks)
	c.deliveries = make([]time.Duration, 0, crowdBlocks*c.healthy)
	for i, read := range open(h, c.fanout, crowdSize)[stuck:] {
		go func() {
			dst := make([]uint64, crowdBlock)
			for n, err := read(dst); err == nil; n, err = read(dst) {
				if last := dst[n-1]; last%2 == 1 {
					c.late[i].Store(int64(time.Since(c.start)) - int64(last))
					if c.had.Add(1) == int64(c.healthy) {
						c.had.Store(0)
						c.all <- struct{}{}
					}
				}
			}
		}()
	}

	for range 2 * crowdRoom / crowdBlock {
		c.block()
	}
	return c
}

// block sends 64 events and waits until the healthy have the last.
func (c *crowded) block() {
	begun := time.Now()
	event := uint64(begun.Sub(c.start)) &^ 1
	for range crowdBlock - 1 {
		c.fanout.Broadcast(event)
	}
	c.fanout.Broadcast(event | 1)
	c.blocks = append(c.blocks, time.Since(begun))
	<-c.all
	for i := range c.late {
		c.deliveries = append(c.deliveries, time.Duration(c.late[i].Load()))
	}
}

// section measures a hundred blocks a round.
func (c *crowded) section(name string, of func(*crowded) []time.Duration) Section {
	return Section{Name: name, Own: func() (float64, error) {
		c.blocks, c.deliveries = c.blocks[:0], c.deliveries[:0]
		for range crowdBlocks {
			c.block()
		}
		figures := of(c)
		slices.Sort(figures)
		return float64(figures[len(figures)*99/100].Nanoseconds()), nil
	}}
}

func openReaders(h Host, f *core.Fanout[uint64], n int) []reader {
	m, err := multicast.Open(context.Background(), f, region.Region{}, crowdRoom)
	if err != nil {
		h.Fatalf("%v", err)
	}
	readers := make([]reader, n)
	for i := range readers {
		r, err := m.Reader(context.Background(), multicast.FromNext)
		if err != nil {
			h.Fatalf("%v", err)
		}
		readers[i] = func(dst []uint64) (int, error) { return r.NextBatch(context.Background(), dst) }
	}
	return readers
}

func openOverwriting(h Host, f *core.Fanout[uint64], n int) []reader {
	readers := make([]reader, n)
	for i := range readers {
		s, err := ring.Subscribe(context.Background(), f, region.Region{}, ring.Options{Capacity: crowdRoom, WhenFull: ring.Overwrite})
		if err != nil {
			h.Fatalf("%v", err)
		}
		readers[i] = func(dst []uint64) (int, error) { return s.NextBatch(context.Background(), dst) }
	}
	return readers
}

func openChannels(h Host, f *core.Fanout[uint64], n int) []reader {
	readers := make([]reader, n)
	for i := range readers {
		s, err := channel.Subscribe(context.Background(), f, region.Region{}, crowdRoom)
		if err != nil {
			h.Fatalf("%v", err)
		}
		readers[i] = func(dst []uint64) (n int, err error) {
			dst[0], err = s.Next(context.Background())
			return 1, err
		}
	}
	return readers
}
