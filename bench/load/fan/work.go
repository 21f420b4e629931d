package fan

import (
	"context"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A Work is what servers are compared by: the same events to all of so many clients, first at a rate that each can keep up with, then as
// fast as it can.
type Work struct {
	Clients int           `json:"clients"`
	Bytes   int           `json:"bytes"` // of an event
	Rate    int           `json:"rate"`  // events a second, of the first part
	Paced   time.Duration `json:"paced"` // how long that is

	Block int           `json:"block"` // events that are sent before all clients have them, in the second part
	Fast  time.Duration `json:"fast"`  // how long that is, at least
}

// Figures are what came of a Work.
type Figures struct {
	Clients    int     `json:"clients"`
	Deliveries uint64  `json:"deliveries"` // all that were checked
	P50        float64 `json:"p50"`        // ns from when an event was due until a client had it, in the first part
	P99        float64 `json:"p99"`
	Max        float64 `json:"max"`
	PerSecond  float64 `json:"per_second"` // deliveries, in the second part
	Version    string  `json:"version"`
}

// patience is how long deliveries may take before some count as lost.
const patience = time.Minute

// Do does the work with a crowd whose clients have all joined group 0. send takes events to the server, in order, and may wait until
// that has them.
func (w Work) Do(ctx context.Context, c *Crowd, send func(ctx context.Context, events [][]byte) error) (f Figures, err error) {
	if n := c.Members(); n != w.Clients {
		return f, fmt.Errorf("%d clients have come, of %d", n, w.Clients)
	}
	f.Clients = w.Clients
	block := func(n int) error {
		events := make([][]byte, n)
		for i := range events {
			events[i] = c.Make(0, c.Now(), w.Bytes)
		}
		if err := send(ctx, events); err != nil {
			return err
		}
		return c.Await(ctx, patience)
	}
	for range 3 { // what a first event costs is not measured
		if err := block(w.Block); err != nil {
			return f, fmt.Errorf("warming up: %w", err)
		}
	}
	_, f.Deliveries = c.Take()

	err = Timetable{Rate: w.Rate, Long: w.Paced}.Run(ctx, c, func(due time.Duration, _ int) error {
		return send(ctx, [][]byte{c.Make(0, due, w.Bytes)})
	})
	if err == nil {
		err = c.Await(ctx, patience)
	}
	if err != nil {
		return f, fmt.Errorf("%d events a second: %w", w.Rate, err)
	}
	latencies, n := c.Take()
	f.Deliveries += n
	f.P50, f.P99, f.Max = at(latencies, 50), at(latencies, 99), float64(latencies.Max())

	start := time.Now()
	for time.Since(start) < w.Fast {
		if err := block(w.Block); err != nil {
			return f, fmt.Errorf("as fast as it can: %w", err)
		}
	}
	took := time.Since(start)
	_, n = c.Take()
	f.Deliveries += n
	f.PerSecond = float64(n) / took.Seconds()
	return f, nil
}

func at(h *hdrhistogram.Histogram, percent float64) float64 {
	return float64(h.ValueAtPercentile(percent))
}
