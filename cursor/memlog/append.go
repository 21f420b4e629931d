package memlog

import (
	"context"
	"math"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// Append adds the events of a batch, all or none. Its outcome is never unknown.
func (l *Log) Append(ctx context.Context, ds []cursor.Draft) ([]core.Envelope, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err := l.Limits().Check(ds); err != nil {
		return nil, err
	}
	b := batch{log: l, made: make([]core.Envelope, len(ds))}
	for i := range ds {
		if b.made[i].EventID = ds[i].EventID; b.made[i].EventID == (core.ID{}) {
			b.made[i].EventID = cursor.NewID()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, cursor.ErrClosed
	}
	b.now = l.now()
	for i := range ds {
		if err := b.plan(i, &ds[i]); err != nil {
			b.forget()
			return nil, &cursor.DraftError{Index: i, Err: err}
		}
	}
	b.add()
	return b.made, nil
}

// A batch is what an Append is about to do, while it holds the mutex. Planning it leaves marks in the Log, which are
// what later Drafts of the batch are judged by, and which forget takes back: EventIDs, and the entities' clocks.
type batch struct {
	log   *Log
	now   time.Time
	made  []core.Envelope // for each Draft; until it is planned, its EventID alone
	fresh []fresh         // for each that is no repeat
	bytes int64           // of the payloads of those
}

// A fresh is an event to be added: made[at].
type fresh struct {
	at    int
	owner *entity
}

// plan makes the Envelope of a Draft, or finds the one that it had before.
func (b *batch) plan(i int, d *cursor.Draft) error {
	l := b.log
	seq := l.tape.next + uint64(len(b.fresh))
	id := b.made[i].EventID
	if at, ok := l.ids.rows[id]; ok {
		e := b.event(at)
		if !d.Made(e) {
			return &cursor.DuplicateError{EventID: id, Sequence: at}
		}
		b.made[i] = *e
		return nil
	}
	owner, err := b.owner(d)
	if err != nil {
		return err
	}
	owner.clock++
	l.ids.put(id, seq)
	b.fresh = append(b.fresh, fresh{i, owner})
	b.bytes += int64(len(d.Payload))
	wallMS, counter := l.clock.Next(b.now)
	b.made[i] = core.Envelope{
		Notification: core.Notification{
			EventID:       id,
			CorrelationID: d.CorrelationID,
			CausationID:   d.CausationID,
			Coordinate:    d.Coordinate,
			Kind:          d.Kind,
			Sequence:      seq,
			Position: region.Position{
				WallMS: wallMS, Counter: counter,
				Depth: d.Depth, Lane: d.Lane, Sequence: owner.clock,
			},
		},
		Time:    d.Time,
		Payload: d.Payload,
	}
	return nil
}

// event returns the event of a sequence: one that is kept, or one of the batch.
func (b *batch) event(seq uint64) *core.Envelope {
	if next := b.log.tape.next; seq >= next {
		return &b.made[b.fresh[seq-next].at]
	}
	return b.log.tape.event(seq)
}

// owner returns the entity that a Draft is about, if it is as expected.
func (b *batch) owner(d *cursor.Draft) (*entity, error) {
	entities := b.log.index.entities
	owner, known := entities[d.Coordinate]
	if !known {
		if most := b.log.options.MaxEntities; len(entities) >= most {
			return nil, &cursor.LimitError{Limit: "entities", Got: uint64(most) + 1, Most: uint64(most)}
		}
		owner = new(entity)
	}
	if !d.Expect.Met(owner.clock) {
		expected, _ := d.Expect.Clock()
		return nil, &cursor.ConflictError{Coordinate: d.Coordinate, Expected: expected, Actual: owner.clock}
	}
	if owner.clock == math.MaxUint32 {
		return nil, &cursor.LimitError{Limit: "events of one entity", Got: math.MaxUint32 + 1, Most: math.MaxUint32}
	}
	if !known {
		entities[d.Coordinate] = owner
	}
	return owner, nil
}

// forget takes back what plan has done.
func (b *batch) forget() {
	for _, f := range b.fresh {
		e := &b.made[f.at]
		b.log.ids.drop(e.EventID)
		if f.owner.clock--; f.owner.clock == 0 {
			delete(b.log.index.entities, e.Coordinate)
		}
	}
}

// add adds what was planned. What has to go for it has gone before.
func (b *batch) add() {
	if len(b.fresh) == 0 {
		return
	}
	l := b.log
	l.makeRoom(len(b.fresh), b.bytes, b.now)
	for _, f := range b.fresh {
		e := &b.made[f.at]
		l.tape.push(e, f.owner)
		l.index.push(e, f.owner)
	}
	l.bytes += b.bytes
	l.arm(b.now)
	l.wake()
}
