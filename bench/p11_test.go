package bench_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/adapters/multicast"
	"github.com/spillwayhq/spillway/adapters/ring"
	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// wakings is how many times a round has a parked reader woken.
const wakings = 500

// parked is how long a reader has to park in, after it said that it has the event before.
const parked = 3 * time.Microsecond

// P11: how long does it take from a broadcast until a parked reader has the event, against a plain channel? The
// figure is the median of a round, one way.
func BenchmarkP11(b *testing.B) {
	const capacity = 64
	rows := []struct {
		name   string
		target float64
		reader func(b *testing.B, f *core.Fanout[uint64]) func(context.Context) (uint64, error)
	}{
		{"channel", 1.3, func(b *testing.B, f *core.Fanout[uint64]) func(context.Context) (uint64, error) {
			s, err := channel.Subscribe(context.Background(), f, region.Region{}, capacity)
			if err != nil {
				b.Fatal(err)
			}
			return s.Next
		}},
		{"ring", 1.3, func(b *testing.B, f *core.Fanout[uint64]) func(context.Context) (uint64, error) {
			s, err := ring.Subscribe(context.Background(), f, region.Region{}, ring.Options{Capacity: capacity})
			if err != nil {
				b.Fatal(err)
			}
			return s.Next
		}},
		{"multicast", 2.5, func(b *testing.B, f *core.Fanout[uint64]) func(context.Context) (uint64, error) {
			m, err := multicast.Open(context.Background(), f, region.Region{}, capacity)
			if err != nil {
				b.Fatal(err)
			}
			r, err := m.Reader(context.Background(), multicast.FromNext)
			if err != nil {
				b.Fatal(err)
			}
			return r.Next
		}},
	}
	for _, row := range rows {
		b.Run("adapter="+row.name, func(b *testing.B) {
			f := core.New(small.config)
			b.Cleanup(func() { _ = f.Close() })
			next := row.reader(b, f)
			raw := make(chan uint64, capacity)
			b.Cleanup(func() { close(raw) })
			bench.Compare(
				b, row.target,
				waking("spillway", func(v uint64) { f.Broadcast(v) }, func() bool {
					_, err := next(context.Background())
					return err == nil
				}),
				waking("channel", func(v uint64) { raw <- v }, func() bool {
					_, ok := <-raw
					return ok
				}),
			)
		})
	}
}

// waking measures how long after a send the reader that waits in receive has the event.
func waking(name string, send func(uint64), receive func() bool) bench.Section {
	got := make(chan time.Time, 1)
	go func() {
		for receive() {
			got <- time.Now()
		}
	}()
	took := make([]time.Duration, wakings)
	return bench.Section{Name: name, Own: func() float64 {
		for i := range took {
			for ready := time.Now(); time.Since(ready) < parked; {
			}
			sent := time.Now()
			send(uint64(i))
			took[i] = (<-got).Sub(sent)
		}
		slices.Sort(took)
		return float64(took[len(took)/2].Nanoseconds())
	}}
}
