package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// patience is how long a round waits for its events before it says that some were lost.
const patience = time.Minute

// Through returns the section of whatever gives Notifications to all readers of a crowd: it times a block from when the
// first is sent until the last reader has checked the last. A crowd of a smaller block is waited for after each of
// those: that is how whoever drops what doesn't fit is kept from losing any.
func Through(h Host, name string, crowd *Crowd, block int, send func(events []core.Notification)) Section {
	if block%crowd.block != 0 {
		h.Fatalf("%s: %d events are no multiple of %d", name, block, crowd.block)
	}
	s := &stream[notification]{name: name, crowd: crowd, of: large, events: make([]notification, block)}
	s.send = func(events []notification) {
		for len(events) > crowd.block {
			send(events[:crowd.block])
			events = events[crowd.block:]
			if err := crowd.Await(); err != nil {
				crowd.fail(err)
				return
			}
		}
		send(events)
	}
	lost := time.AfterFunc(patience, func() { crowd.fail(fmt.Errorf("some readers lack events after %v", patience)) })
	s.warm(h)
	lost.Stop()

	section := s.whole(crowd.readers)
	section.Before = func(round int) error {
		lost.Reset(patience)
		return s.prepare(round)
	}
	checked := section.After
	section.After = func() error {
		lost.Stop() // what other sections take is not this one's
		return checked()
	}
	return section
}

// ThroughMulticast returns the section of one ring of Notifications with so many Readers, who take batches. A round is so
// many blocks, each of which all have before the next is sent: one alone may be over before it runs on both of two processors,
// where the section before it used one.
func ThroughMulticast(h Host, readers, block, blocks int) Section {
	s := throughMulticast(h, "multicast", large, readers, block, block)
	var failed error
	return Section{
		Name: s.name,
		Timed: func() (ops int) {
			for range blocks {
				_ = s.prepare(0)
				s.send(s.events)
				if failed = s.crowd.Await(); failed != nil {
					return ops
				}
				ops += readers * block
			}
			return ops
		},
		After: func() error { return failed },
	}
}

// ThroughChannels returns the section of so many channel subscriptions to Notifications. They would be pruned where they
// are full: as many events as the capacity are waited for before more are sent.
func ThroughChannels(h Host, readers, capacity, block int) Section {
	f := newFanout(h)
	crowd := NewCrowd(readers, capacity)
	h.Cleanup(func() {
		_ = f.Close()
		crowd.Wait()
	})
	for range readers {
		s, err := channel.Subscribe(context.Background(), f, region.Region{}, capacity)
		if err != nil {
			h.Fatalf("%v", err)
		}
		crowd.Go(func(got func(n int, sum uint64)) error {
			large.reading(s.C(), got)
			if err := s.Err(); !errors.Is(err, core.ErrClosed) {
				return err
			}
			return nil
		})
	}
	return Through(h, "channels", crowd, block, func(events []notification) {
		for i := range events {
			f.Broadcast(events[i])
		}
	})
}

// Rounds are what sections took: the figure of the i-th in round k is Rounds[i][k].
type Rounds [][]float64

// Play runs the sections in turns, in changing order, as long as more is true, and seven rounds at least.
func Play(sections []Section, more func() bool) (Rounds, error) {
	m := meter{sections: sections, clock: clockCost(), figures: make([][]float64, len(sections))}
	if err := m.play(more, minRounds); err != nil {
		return nil, err
	}
	return m.figures, nil
}

// Median returns the median figure of the i-th section.
func (r Rounds) Median(i int) float64 { return median(slices.Clone(r[i])) }

// Ratio returns the median, over the rounds, of the i-th section's figure divided by the j-th's.
func (r Rounds) Ratio(i, j int) float64 {
	ratios := slices.Clone(r[i])
	for k := range ratios {
		ratios[k] /= r[j][k]
	}
	return median(ratios)
}
