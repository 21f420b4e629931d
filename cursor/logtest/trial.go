package logtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/internal/kit"
	"github.com/spillwayhq/spillway/region"
)

// A trial is a Log, and what it has answered so far: events holds each event once, by sequence.
type trial struct {
	Subject
	open   func() Subject
	ctx    context.Context
	cancel context.CancelFunc
	events []core.Envelope
}

func begin(open func() Subject) (*trial, error) {
	s := open()
	if err := s.validate(); err != nil {
		return nil, err
	}
	t := &trial{Subject: s, open: open}
	t.ctx, t.cancel = context.WithTimeout(context.Background(), kit.Patience)
	return t, nil
}

func (t *trial) end() {
	t.cancel()
	_ = t.Log.Close() // what it returns is the clause's of Close
}

const kind region.Kind = 0x1002

// named returns the Coordinate of an entity in a scope. Both are the kit's own, and good.
func named(entity, scope string) region.Coordinate {
	c, err := region.NewCoordinate(entity, scope)
	if err != nil {
		panic(err)
	}
	return c
}

// about returns a Draft about an entity, with an id of its own.
func about(entity string) cursor.Draft {
	return cursor.Draft{EventID: cursor.NewID(), Coordinate: named(entity, "shop"), Kind: kind}
}

// mixed returns n Drafts that differ in all that a Draft says, the same ones each time but for their ids.
func mixed(n int) []cursor.Draft {
	random := rand.New(rand.NewPCG(1, 2))
	entities := []string{"alice", "alice:child", "alice:child:toy", "alice2", "bob"}
	ds := make([]cursor.Draft, n)
	for i := range ds {
		ds[i] = cursor.Draft{
			EventID:       cursor.NewID(),
			CorrelationID: core.ID{0: byte(i)},
			CausationID:   core.ID{1: byte(i)},
			Coordinate:    named(entities[random.IntN(len(entities))], []string{"shop", "bank"}[random.IntN(2)]),
			Kind:          []region.Kind{0x1001, 0x1002, 0x2001, 0x000f}[random.IntN(4)],
			Lane:          random.Uint32N(3),
			Depth:         random.Uint32N(3),
			Time:          random.Uint64N(3),
			Payload:       bytes.Repeat([]byte{byte(i)}, random.IntN(16)),
		}
	}
	return ds
}

// append appends ds in batches of four, notes what is new, and returns all that was answered.
func (t *trial) append(ds ...cursor.Draft) (made []core.Envelope, err error) {
	for len(ds) > 0 {
		n := min(len(ds), 4)
		part, err := t.batch(ds[:n]...)
		if err != nil {
			return nil, err
		}
		made, ds = append(made, part...), ds[n:]
	}
	return made, nil
}

// batch appends ds as one batch. What the Log has been given, and what it has answered, is cleared: it is the caller's.
func (t *trial) batch(ds ...cursor.Draft) ([]core.Envelope, error) {
	given := slices.Clone(ds)
	answer, err := t.Log.Append(t.ctx, given)
	made := slices.Clone(answer)
	clear(given)
	clear(answer)
	if err != nil {
		return nil, fmt.Errorf("appending %d drafts: %w", len(ds), err)
	}
	if len(made) != len(ds) {
		return nil, fmt.Errorf("an Append answered %d drafts with %d envelopes", len(ds), len(made))
	}
	for _, e := range made {
		if e.Sequence == uint64(len(t.events)) {
			t.events = append(t.events, e)
		}
	}
	return made, nil
}

// many appends n events about an entity, in batches as large as the Log takes, up to a hundred.
func (t *trial) many(entity string, n int) error {
	size := 100
	if most := t.Log.Limits().Batch; most > 0 {
		size = min(size, most)
	}
	for n > 0 {
		ds := make([]cursor.Draft, min(n, size))
		for i := range ds {
			ds[i] = about(entity)
		}
		if _, err := t.batch(ds...); err != nil {
			return err
		}
		n -= len(ds)
	}
	return nil
}

// bounds looks whether the Log holds what it should.
func (t *trial) bounds(first, next uint64) error {
	got, err := t.Log.Bounds(t.ctx)
	if err != nil {
		return fmt.Errorf("asking for the bounds: %w", err)
	}
	if want := (cursor.Bounds{First: first, Next: next}); got != want {
		return fmt.Errorf("the bounds are %+v, want %+v", got, want)
	}
	return nil
}

// read returns all events of r from a sequence on, through room for so many.
func (t *trial) read(r region.Region, from uint64, room int) (es []core.Envelope, err error) {
	for {
		dst := make([]core.Envelope, room)
		n, next, err := t.Log.Read(t.ctx, r, from, dst)
		switch {
		case err != nil:
			return nil, fmt.Errorf("reading %s from %d: %w", r, from, err)
		case n < 0 || n > room || next < from:
			return nil, fmt.Errorf("reading %s from %d into %d returned %d, next %d", r, from, room, n, next)
		}
		es = append(es, dst[:n]...)
		if next == from {
			return es, nil
		}
		from = next
	}
}

// holds looks whether reading r from a sequence on gives just what was answered.
func (t *trial) holds(r region.Region, from uint64, room int) error {
	got, err := t.read(r, from, room)
	if err != nil {
		return err
	}
	var want []core.Envelope
	for _, e := range t.events[from:] {
		if cursor.Selects(&r, &e.Notification) {
			want = append(want, e)
		}
	}
	if err := alike(got, want); err != nil {
		return fmt.Errorf("reading %s from %d, %d at a time: %w", r, from, room, err)
	}
	return nil
}

// alike returns how two lists of events differ.
func alike(got, want []core.Envelope) error {
	for i := range min(len(got), len(want)) {
		if !same(got[i], want[i]) {
			return fmt.Errorf("event %d is\n\t%+v; want\n\t%+v", i, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		return fmt.Errorf("%d events, want %d", len(got), len(want))
	}
	return nil
}

func same(a, b core.Envelope) bool {
	return a.Notification == b.Notification && a.Time == b.Time && bytes.Equal(a.Payload, b.Payload)
}

// said is what an error says, which may be nil: what was seen is told, and never one of the kit's own errors.
func said(err error) string { return fmt.Sprint(err) }

// blames looks whether err is what it should be, and blames the right Draft; index -1 is none.
func blames(err, want error, index int) error {
	got := -1
	if draft, ok := errors.AsType[*cursor.DraftError](err); ok {
		got = draft.Index
	}
	if !errors.Is(err, want) || got != index {
		if index < 0 {
			return fmt.Errorf("got %s; want %s", said(err), said(want))
		}
		return fmt.Errorf("got %s; want a DraftError of draft %d: %s", said(err), index, said(want))
	}
	return nil
}

// refusesRead looks whether a Read fails as it should, whatever is asked for, and moves nothing.
func (t *trial) refusesRead(from uint64, want error) error {
	for _, r := range []region.Region{{}, {Entity: "alice"}, {Scope: "nowhere"}, {Clock: region.Clocks(1, 1)}} {
		n, next, err := t.Log.Read(t.ctx, r, from, make([]core.Envelope, 4))
		if err == nil || !errors.Is(err, want) || n != 0 || next != from {
			return fmt.Errorf("reading %s from %d: %d, next %d, %s; want 0, %d, %s", r, from, n, next, said(err), from, said(want))
		}
	}
	return nil
}

// untouched is what the kit puts where a Read has no business.
var untouched = core.Envelope{Time: math.MaxUint64}
