package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// A party is all who subscribe to what is appended to a log: those who follow it, and those who are stuck, and subscribe without.
type party struct {
	ledger  *ledger
	readers []*reader
	healthy []*reader
	reading sync.WaitGroup
	over    context.CancelFunc // no more is appended
}

// join has everybody subscribe, and those who read begin.
func (p *party) join(ctx context.Context, o *replay, picks []pick) error {
	// A signal ends the feeder, and no reader: they read to the end of what was appended.
	appended, over := context.WithCancel(context.WithoutCancel(ctx))
	p.over = over
	stuck := spread(picks, min(o.stuck, len(picks)))
	for i, pick := range picks {
		r := &reader{region: pick.region, adapter: o.adapter, stuck: stuck[i], wake: make(chan struct{}, 1)}
		if r.adapter == mixed {
			r.adapter = taps[i%len(taps)]
		}
		if r.stuck {
			t, err := newTap(context.Background(), r.adapter, p.ledger.fanout, r.region, o.capacity)
			if err != nil {
				return fmt.Errorf("region %q: %w", r.region, err)
			}
			r.out, r.from = tapOutlet{t, o.capacity}, uint32(p.ledger.resumed)
			p.readers = append(p.readers, r)
			continue
		}
		follow(context.WithoutCancel(ctx), p.ledger, r, o.capacity, appended)
		p.readers = append(p.readers, r)
		p.healthy = append(p.healthy, r)
		p.reading.Go(r.read)
	}
	return nil
}

// finish waits until everybody has read everything. Nothing more is appended.
func (p *party) finish() error {
	closed := errors.Join(p.ledger.journal.Close(context.Background()), p.ledger.fanout.Close())
	p.over()
	p.reading.Wait()
	if err := p.ledger.fanout.Wait(context.Background()); err != nil || closed != nil {
		return errors.Join(closed, err)
	}
	for _, r := range p.readers {
		if w, ok := r.out.(*following); ok && w.failed != nil {
			return fmt.Errorf("region %q: %w", r.region, w.failed)
		}
		r.settle()
	}
	return nil
}
