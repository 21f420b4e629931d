package logtest

import (
	"errors"
	"fmt"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// checkRepeats: an event that is appended again is answered as the first time, alone or among others, and is there once.
func checkRepeats(t *trial) error {
	a, b, c := expecting(0), about("bob"), about("carol")
	a.Payload, b.Time = []byte("hello"), 7
	first, err := t.batch(a, b)
	if err != nil {
		return err
	}
	a1, b1 := first[0], first[1]
	for _, s := range []struct {
		name  string
		batch []cursor.Draft
		want  func(next core.Envelope) []core.Envelope // next: the last event
		next  uint64
	}{
		{"the whole batch, which could expect nothing now", []cursor.Draft{a, b}, func(core.Envelope) []core.Envelope { return []core.Envelope{a1, b1} }, 2},
		{"a part of it", []cursor.Draft{b}, func(core.Envelope) []core.Envelope { return []core.Envelope{b1} }, 2},
		{"a new one between", []cursor.Draft{b, c, a}, func(c1 core.Envelope) []core.Envelope { return []core.Envelope{b1, c1, a1} }, 3},
	} {
		got, err := t.batch(s.batch...)
		if err != nil {
			return fmt.Errorf("again, %s: %w", s.name, err)
		}
		if err := alike(got, s.want(t.events[len(t.events)-1])); err != nil {
			return fmt.Errorf("again, %s: %w", s.name, err)
		}
		if err := t.bounds(0, s.next); err != nil {
			return fmt.Errorf("again, %s: %w", s.name, err)
		}
	}
	d := about("carol")
	twice, err := t.batch(d, d)
	if err != nil {
		return fmt.Errorf("twice in a batch: %w", err)
	}
	if err := alike(twice[1:], twice[:1]); err != nil || twice[0].Sequence != 3 || twice[0].Position.Sequence != 2 {
		return fmt.Errorf("twice in a batch: sequence %d, clock %d, want 3, 2, and the same again: %s", twice[0].Sequence, twice[0].Position.Sequence, said(err))
	}
	if err := t.bounds(0, 4); err != nil {
		return fmt.Errorf("twice in a batch: %w", err)
	}
	if err := refusesOthers(t, a); err != nil {
		return err
	}
	return t.holds(region.Region{}, 0, 9)
}

// refusesOthers: whatever differs from the first event but its id is another event.
func refusesOthers(t *trial, first cursor.Draft) error {
	next := uint64(len(t.events))
	for name, change := range map[string]func(d *cursor.Draft){
		"payload":     func(d *cursor.Draft) { d.Payload = []byte("hullo") },
		"coordinate":  func(d *cursor.Draft) { d.Coordinate = named("alice", "bank") },
		"kind":        func(d *cursor.Draft) { d.Kind++ },
		"lane":        func(d *cursor.Draft) { d.Lane++ },
		"depth":       func(d *cursor.Draft) { d.Depth++ },
		"time":        func(d *cursor.Draft) { d.Time++ },
		"correlation": func(d *cursor.Draft) { d.CorrelationID[0]++ },
		"causation":   func(d *cursor.Draft) { d.CausationID[0]++ },
	} {
		other := first
		change(&other)
		_, err := t.Log.Append(t.ctx, []cursor.Draft{about("bob"), other})
		if err := blames(err, cursor.ErrDuplicate, 1); err != nil {
			return fmt.Errorf("the id with another %s: %w", name, err)
		}
		want := cursor.DuplicateError{EventID: first.EventID, Sequence: 0}
		if got, ok := errors.AsType[*cursor.DuplicateError](err); !ok || *got != want {
			return fmt.Errorf("the id with another %s: got %s; want %+v", name, said(err), want)
		}
		fresh := about("carol")
		mate := fresh
		change(&mate)
		_, err = t.Log.Append(t.ctx, []cursor.Draft{fresh, mate})
		if err := blames(err, cursor.ErrDuplicate, 1); err != nil {
			return fmt.Errorf("one id in a batch, with another %s: %w", name, err)
		}
		if err := t.bounds(0, next); err != nil {
			return fmt.Errorf("one id in a batch, with another %s: %w", name, err)
		}
	}
	return nil
}

// checkRemembers: a repeat is recognized for as long as Limits says, or for 2,000 events where that is for good.
func checkRemembers(t *trial) error {
	const enough = 2000
	first := about("alice")
	was, err := t.batch(first)
	if err != nil {
		return err
	}
	n := t.Log.Limits().Repeats
	if n == 0 {
		n = enough
	}
	if err := t.many("bob", n-1); err != nil {
		return err
	}
	got, err := t.batch(first)
	if err != nil {
		return fmt.Errorf("again, as the last but %d: %w", n-1, err)
	}
	if err := alike(got, was); err != nil {
		return fmt.Errorf("again, as the last but %d: %w", n-1, err)
	}
	return t.bounds(0, uint64(n))
}
