package logtest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

const (
	appenders = 4
	rounds    = 100 // batches of each
	together  = 3   // drafts in a batch
)

// checkConcurrent: batches of several appenders don't mix, and readers who go along meet every event once, in order.
func checkConcurrent(t *trial) error {
	var all sync.WaitGroup
	errs := make(chan error, 2*appenders+1)
	for i := range appenders {
		name := fmt.Sprint("of:", i)
		all.Go(func() { errs <- t.appends(name) })
		all.Go(func() { errs <- t.follows(region.Region{Entity: name}, rounds*together) })
	}
	all.Go(func() { errs <- t.follows(region.Region{}, appenders*rounds*together) })
	all.Wait()
	close(errs)
	var joined []error
	for err := range errs {
		joined = append(joined, err)
	}
	return errors.Join(joined...)
}

// appends is one appender.
func (t *trial) appends(name string) error {
	clock := uint32(0)
	for range rounds {
		ds := make([]cursor.Draft, together)
		for i := range ds {
			ds[i] = cursor.Draft{Coordinate: named(name, "shop"), Kind: kind}
		}
		made, err := t.Log.Append(t.ctx, ds)
		if err != nil {
			return fmt.Errorf("a batch of %s: %w", name, err)
		}
		for i, e := range made {
			if clock++; e.Position.Sequence != clock || e.Sequence != made[0].Sequence+uint64(i) {
				return fmt.Errorf("event %d of a batch of %s has sequence %d and clock %d, want %d and %d",
					i, name, e.Sequence, e.Position.Sequence, made[0].Sequence+uint64(i), clock)
			}
		}
	}
	return nil
}

// follows reads r until it has so many events.
func (t *trial) follows(r region.Region, want int) error {
	dst := make([]core.Envelope, 10)
	clocks := make(map[string]uint32)
	from, after := uint64(0), uint64(0) // after: one more than the sequence read last
	for got := 0; got < want; {
		n, next, err := t.Log.Read(t.ctx, r, from, dst)
		if err != nil {
			return fmt.Errorf("reading %s from %d: %w", r, from, err)
		}
		for _, e := range dst[:n] {
			name := e.Coordinate.Entity()
			clocks[name]++
			if e.Sequence < after || r == (region.Region{}) && e.Sequence != after || e.Position.Sequence != clocks[name] {
				return fmt.Errorf("reading %s: sequence %d and clock %d of %s, after sequence %d and clock %d",
					r, e.Sequence, e.Position.Sequence, name, int64(after)-1, clocks[name]-1)
			}
			after = e.Sequence + 1
		}
		got += n
		if next == from {
			if err := t.Log.Wait(t.ctx, next); err != nil {
				return fmt.Errorf("Wait(%d): %w", next, err)
			}
		}
		from = next
	}
	return nil
}
