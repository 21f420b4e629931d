package logtest

import (
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

const (
	appenders = 4
	rounds    = 100 // batches of each
	together  = 3   // drafts in a batch
	ahead     = 8   // batches that an appender may be ahead of its reader, so that they are at work at the same time
)

// checkConcurrent: batches of several appenders don't mix, and readers who go along meet every event once, in order.
func checkConcurrent(t *trial) error {
	var all sync.WaitGroup
	errs := make(chan error, 2*appenders+1)
	for i := range appenders {
		name := fmt.Sprint("of:", i)
		pace := make(chan struct{}, ahead)
		all.Go(func() { errs <- t.appends(name, pace) })
		all.Go(func() { errs <- t.follows(region.Region{Entity: name}, rounds*together, pace) })
	}
	free := make(chan struct{})
	close(free)
	all.Go(func() { errs <- t.follows(region.Region{}, appenders*rounds*together, free) })
	all.Wait()
	close(errs)
	var joined []error
	for err := range errs {
		joined = append(joined, err)
	}
	return errors.Join(joined...)
}

// atOnce has so many appenders append at once, each a batch of one, and returns what they were answered.
func (t *trial) atOnce(draft func() cursor.Draft) (made []core.Envelope, errs []error) {
	var all sync.WaitGroup
	made, errs = make([]core.Envelope, appenders), make([]error, appenders)
	start := make(chan struct{})
	for i := range appenders {
		all.Go(func() {
			ds := []cursor.Draft{draft()}
			<-start
			answer, err := t.Log.Append(t.ctx, ds)
			if errs[i] = err; err == nil {
				made[i] = answer[0]
			}
		})
	}
	close(start)
	all.Wait()
	return made, errs
}

// checkContests: several who append one event at once, under one id, are answered alike; of several who expect one clock one
// has it.
func checkContests(t *trial) error {
	for clock := range uint32(50) {
		if clock%2 == 0 {
			d := expecting(clock)
			made, errs := t.atOnce(func() cursor.Draft { return d })
			for i := range made {
				if errs[i] != nil || !same(made[i], made[0]) || made[i].Position.Sequence != clock+1 {
					return fmt.Errorf("%d append one event at once: one is answered %+v, %s; want %+v, clock %d",
						appenders, made[i], said(errs[i]), made[0], clock+1)
				}
			}
			continue
		}
		_, errs := t.atOnce(func() cursor.Draft { return expecting(clock) })
		won := 0
		for _, err := range errs {
			conflict, ok := errors.AsType[*cursor.ConflictError](err)
			if err == nil {
				won++
			} else if !ok || conflict.Actual != clock+1 {
				return fmt.Errorf("%d expect the clock %d at once: got %s; want a ConflictError, the clock being %d", appenders, clock, said(err), clock+1)
			}
		}
		if won != 1 {
			return fmt.Errorf("%d expect the clock %d at once: %d have it, want 1", appenders, clock, won)
		}
	}
	return nil
}

// checkOvertaken: a Read beside which retention passes by has all events, or says that they are compacted.
func checkOvertaken(t *trial) error {
	const end, room, step = 400, 7, 3
	if err := t.many("alice", end); err != nil {
		return err
	}
	at := make(chan uint64) // where the reader is about to read
	retained := make(chan error, 1)
	go func() {
		var failed error
		for from := range at {
			if err := t.Compact(t.ctx, min(from+step, end)); err != nil && failed == nil {
				failed = fmt.Errorf("Compact(%d): %w", from+step, err)
			}
		}
		retained <- failed
	}()
	err := t.readsBeside(at, end, room)
	close(at)
	return errors.Join(err, <-retained)
}

// readsBeside reads to the end, and says before each Read from where. All events are alice's.
func (t *trial) readsBeside(at chan<- uint64, end uint64, room int) error {
	dst := make([]core.Envelope, room)
	regions := []region.Region{{}, {Entity: "alice"}, {Clock: region.Clocks(0, math.MaxUint32)}}
	for i, from := 0, uint64(0); from < end; i++ {
		at <- from
		r := regions[i%len(regions)]
		n, next, err := t.Log.Read(t.ctx, r, from, dst)
		if compacted, ok := errors.AsType[*cursor.CompactedError](err); ok {
			if n != 0 || next != from || compacted.From != from || compacted.First <= from {
				return fmt.Errorf("reading %s from %d beside retention: %d, next %d, %s", r, from, n, next, said(err))
			}
			from = compacted.First
			continue
		}
		if err != nil {
			return fmt.Errorf("reading %s from %d beside retention: %w", r, from, err)
		}
		if n == 0 || next != from+uint64(n) {
			return fmt.Errorf("reading %s from %d beside retention: %d, next %d; want each event, or a CompactedError", r, from, n, next)
		}
		for j, e := range dst[:n] {
			if e.Sequence != from+uint64(j) {
				return fmt.Errorf("reading %s from %d beside retention: event %d has sequence %d", r, from, j, e.Sequence)
			}
		}
		from = next
	}
	return nil
}

// appends is one appender. It puts each batch into pace.
func (t *trial) appends(name string, pace chan<- struct{}) error {
	defer close(pace)
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
		select {
		case pace <- struct{}{}:
		case <-t.ctx.Done():
			return fmt.Errorf("the events of %s are not read", name)
		}
	}
	return nil
}

// follows reads r until it has so many events, and takes one out of pace for each batch; however it ends, all of them.
func (t *trial) follows(r region.Region, want int, pace <-chan struct{}) error {
	defer func() {
		for range pace {
		}
	}()
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
			if got++; got%together == 0 {
				<-pace
			}
		}
		if next == from {
			if err := t.Log.Wait(t.ctx, next); err != nil {
				return fmt.Errorf("Wait(%d): %w", next, err)
			}
		}
		from = next
	}
	return nil
}
