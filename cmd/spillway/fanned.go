package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A fanned is what was done with a history.
type fanned struct {
	readers []*reader // settled
	fed     int       // how many events were broadcast, or are in the log, when ctx ended
	begins  []bool    // where the writers' runs begin
	log     *logReport
}

// fanOut subscribes, broadcasts, and lets everyone read what it was given.
func (o *replay) fanOut(
	ctx context.Context, events []*core.Envelope, picks []pick, step func(int), notes io.Writer,
) (done fanned, err error) {
	fanout := core.New(core.Config[*core.Envelope]{
		Name:         "replay",
		Locate:       (*core.Envelope).Point,
		SingleWriter: o.writers == 1,
	})
	stuck := spread(picks, min(o.stuck, len(picks)))
	readers := make([]*reader, 0, len(picks))
	var healthy []*reader
	var reading sync.WaitGroup
	finish := func() error {
		if err := fanout.Close(); err != nil {
			return err
		}
		if err := fanout.Wait(context.Background()); err != nil {
			return err
		}
		reading.Wait()
		for _, r := range readers {
			r.settle()
		}
		return nil
	}
	if o.metrics != "" {
		stop, err := serveMetrics(ctx, o.metrics, fanout, notes)
		if err != nil {
			return fanned{}, errors.Join(err, finish())
		}
		defer stop()
	}
	subscribe := order{fanout: fanout, capacity: o.capacity}
	if o.adapter == "latest" || o.adapter == mixed {
		subscribe.keys = coordinates(events)
	}
	for i, p := range picks {
		adapter := o.adapter
		if adapter == mixed {
			adapter = adapters[i%len(adapters)]
		}
		out, err := subscribe.outlet(adapter, p.region, stuck[i])
		if err != nil {
			return fanned{}, errors.Join(fmt.Errorf("region %q: %w", p.region, err), finish())
		}
		r := &reader{region: p.region, adapter: adapter, stuck: stuck[i], out: out, wake: make(chan struct{}, 1)}
		readers = append(readers, r)
		if !r.stuck {
			healthy = append(healthy, r)
			reading.Go(r.read)
		}
	}
	pace, err := parsePace(o.pace)
	if err != nil {
		return fanned{}, errors.Join(err, finish())
	}
	f := &feeder{fanout: fanout, readers: healthy, capacity: o.capacity, writers: o.writers, pace: pace, progress: step}
	fed := f.run(ctx, events)
	return fanned{readers: readers, fed: fed, begins: f.begins}, finish()
}

// coordinates returns how many different ones the events have.
func coordinates(events []*core.Envelope) int {
	seen := make(map[region.Coordinate]struct{})
	for _, e := range events {
		seen[e.Coordinate] = struct{}{}
	}
	return max(1, len(seen))
}
