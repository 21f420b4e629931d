package sinktest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A trial is a subject, subscribed to a Fanout of its own, and what became of the events 0, 1, 2 …
type trial struct {
	Subject
	fanout   *core.Fanout[int]
	sub      *core.Subscription
	next     int
	accepted []int
	refused  []int
	received []int
}

// begin opens a subject and subscribes it.
func begin(open func() Subject) (*trial, error) {
	s := open()
	if err := s.validate(); err != nil {
		return nil, err
	}
	f := core.New(core.Config[int]{Name: "sinktest"})
	sub, err := f.Subscribe(context.Background(), region.Region{}, s.Sink)
	if err != nil {
		return nil, fmt.Errorf("it can't be subscribed: %w", err)
	}
	return &trial{Subject: s, fanout: f, sub: sub}, nil
}

func (s Subject) validate() error {
	switch {
	case s.Sink == nil:
		return errors.New("Subject.Sink is nil")
	case s.Capacity < 1:
		return fmt.Errorf("Subject.Capacity is %d; an event needs room for one at least", s.Capacity)
	case s.Received == nil:
		return errors.New("Subject.Received is nil")
	}
	return nil
}

// broadcast offers the next n events, as long as there is a subscription.
func (t *trial) broadcast(n int) {
	for range n {
		o := t.fanout.Broadcast(t.next)
		switch {
		case o.Accepted > 0:
			t.accepted = append(t.accepted, t.next)
		case o.Pruned > 0:
			t.refused = append(t.refused, t.next)
		}
		t.next++
	}
}

// drain reads what can be read.
func (t *trial) drain() []int {
	got := t.Received()
	t.received = append(t.received, got...)
	return got
}

// end cancels and waits until the subscription is over.
func (t *trial) end() error {
	t.sub.Cancel()
	return t.wait()
}

func (t *trial) wait() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if t.fanout.Wait(ctx) != nil {
		return fmt.Errorf("its Close "+whatWaitsLongs+"; other subscriptions' ends wait for it", patience)
	}
	return nil
}

// missing returns the first of want that got lacks.
func missing(want, got []int) (first int, found bool) {
	for _, v := range want {
		if !slices.Contains(got, v) {
			return v, true
		}
	}
	return 0, false
}

// some is a list of events, short enough to read.
func some(events []int) string {
	if len(events) <= 12 {
		return fmt.Sprint(events)
	}
	return fmt.Sprintf("%v … %d in all", events[:12], len(events))
}

// prunedBy returns the PrunedError that t's subscription ended by, or nil.
func prunedBy(t *trial) *core.PrunedError {
	var pruned *core.PrunedError
	if !errors.As(t.sub.Err(), &pruned) {
		return nil
	}
	return pruned
}
