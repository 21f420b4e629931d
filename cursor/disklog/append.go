package disklog

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog/internal/block"
	"github.com/spillwayhq/spillway/region"
)

// Append adds the events of a batch, all or none, and returns when they are as durable as Options.Sync says. Where the
// disk fails meanwhile the outcome is unknown, and the Log has failed: later ones are refused with a *FailedError. A Log that is read
// only refuses all with ErrReadOnly.
func (l *Log) Append(ctx context.Context, ds []cursor.Draft) ([]core.Envelope, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err := l.Limits().Check(ds); err != nil {
		return nil, err
	}
	if err := l.take(ctx); err != nil {
		return nil, err
	}
	defer l.give()
	start := time.Now()
	if err := l.writable(); err != nil {
		return nil, err
	}
	p := plan{
		log: l, now: l.env.now(), clock: l.w.clock, entities: l.s.entities, made: make(events, len(ds)),
		fresh: make([]fresh, 0, len(ds)),
	}
	l.w.ids.warm(ds)
	for i := range ds {
		if err := p.add(i, &ds[i]); err != nil {
			p.undo()
			return nil, err
		}
	}
	if len(p.fresh) == 0 {
		return p.made, nil
	}
	if err := p.write(); err != nil {
		p.undo()
		return nil, err
	}
	took := time.Since(start)
	l.gate.observe(&l.gate.appends, took)
	if l.options.OnAppend != nil {
		l.options.OnAppend(len(p.fresh), took)
	}
	return p.made, nil
}

// A plan is what an Append is about to do. The Log is as it was until it is written, but for what undo takes back: the clocks of the
// entities, and the ids.
type plan struct {
	log      *Log
	now      time.Time
	clock    cursor.Clock
	entities uint64
	made     events  // for each Draft
	fresh    []fresh // for each that is no repeat
	bytes    uint64
}

// A fresh is an event to be added: made[at].
type fresh struct {
	at    int
	owner *entity
}

// undo takes back what was planned.
func (p *plan) undo() {
	w := &p.log.w
	for _, f := range slices.Backward(p.fresh) {
		w.ids.undo()
		if f.owner.clock--; f.owner.clock == 0 {
			delete(w.entities, p.made[f.at].Coordinate)
		}
	}
}

// add makes the Envelope of a Draft, or finds the one that it had before.
func (p *plan) add(i int, d *cursor.Draft) error {
	l := p.log
	seq := l.s.bounds.Next + uint64(len(p.fresh))
	id := d.EventID
	if id == (core.ID{}) {
		id = cursor.NewID()
	} else if known, err := p.repeat(i, d); known || err != nil {
		return err
	}
	owner, known, err := p.owner(d)
	if err != nil {
		return err
	}
	clock := owner.clock
	refused := func(err error) error { return &cursor.DraftError{Index: i, Err: err} }
	if most := l.options.MaxEntities; clock == 0 && most > 0 && p.entities >= uint64(most) {
		return refused(&cursor.LimitError{Limit: "entities", Got: uint64(most) + 1, Most: uint64(most)})
	}
	if !d.Expect.Met(clock) {
		expected, _ := d.Expect.Clock()
		return refused(&cursor.ConflictError{Coordinate: d.Coordinate, Expected: expected, Actual: clock})
	}
	if clock == math.MaxUint32 {
		return refused(&cursor.LimitError{Limit: "events of one entity", Got: math.MaxUint32 + 1, Most: math.MaxUint32})
	}
	if clock == 0 {
		p.entities++
	}
	if !known {
		l.w.entities[d.Coordinate] = owner
	}
	owner.clock++
	l.w.ids.push(id)
	p.fresh = append(p.fresh, fresh{i, owner})
	p.bytes += uint64(len(d.Payload))
	wallMS, counter := p.clock.Next(p.now)
	p.made[i] = core.Envelope{
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

// repeat answers a Draft whose EventID is known.
func (p *plan) repeat(i int, d *cursor.Draft) (known bool, err error) {
	l := p.log
	seq, known := l.w.ids.find(d.EventID)
	if !known {
		return false, nil
	}
	var was core.Envelope
	if next := l.s.bounds.Next; seq >= next {
		was = p.made[p.fresh[seq-next].at]
	} else if was, err = l.one(seq); err != nil {
		return true, err
	}
	if !d.Made(&was) {
		return true, &cursor.DraftError{Index: i, Err: &cursor.DuplicateError{EventID: d.EventID, Sequence: was.Sequence}}
	}
	p.made[i] = was
	return true, nil
}

// owner returns the entity that a Draft is about, the batch's earlier Drafts counted. It has a clock of 0 and is not known where there is none.
func (p *plan) owner(d *cursor.Draft) (owner *entity, known bool, err error) {
	l := p.log
	if owner := l.w.entities[d.Coordinate]; owner != nil {
		return owner, true, nil
	}
	clock, err := l.clockOf(clockKey(d.Coordinate))
	if err != nil {
		return nil, false, err
	}
	return &entity{clock: clock}, false, nil
}

// write makes it so: in one batch of the engine, with what retention drops for it.
func (p *plan) write() error {
	l := p.log
	b := l.db.NewBatch()
	d, err := l.makeRoom(b, len(p.fresh), p.bytes, p.now)
	if err != nil {
		_ = b.Close()
		return err
	}
	sum := p.blocks(b)
	sync := l.eachGroup()
	if err := l.commit(b, sync); err != nil {
		return &cursor.UnknownError{Err: err}
	}
	next := l.s.bounds.Next + uint64(len(p.fresh))
	if sync {
		l.anchor.write(next, sum)
		if err := l.gate.err(); err != nil { // it would be acknowledged, and the anchor not know it
			return &cursor.UnknownError{Err: err}
		}
	}
	w := &l.w
	w.clock, w.sum = p.clock, sum
	last := p.made[p.fresh[len(p.fresh)-1].at].Position
	w.wallMS, w.counter = last.WallMS, last.Counter
	w.ids.trim()
	l.mu.Lock()
	for _, f := range p.fresh {
		l.s.tail.push(&p.made[f.at], f.owner)
	}
	l.s.bounds.Next, l.s.entities = next, p.entities
	l.s.bytes += p.bytes
	l.dropped(d)
	l.wake()
	l.mu.Unlock()
	l.forget(d)
	if l.s.tail.count >= l.env.segment {
		l.sealTail()
	}
	l.arm(p.now)
	l.later()
	return nil
}

// blocks adds the events to a batch, and returns the sum of the last block.
func (p *plan) blocks(b *pebble.Batch) uint64 {
	l := p.log
	h := block.Block{First: l.s.bounds.Next, Previous: l.w.sum, Entities: l.s.entities, Bytes: l.s.bytes}
	for rest := p.fresh; len(rest) > 0; {
		value := h.Begin(l.w.buf[:0])
		for h.Count = 0; len(rest) > 0 && h.Count < block.MostEvents && len(value) < block.MostBytes; rest = rest[1:] {
			e := &p.made[rest[0].at]
			value = block.AppendRecord(value, e)
			h.Count++
			h.Bytes += uint64(len(e.Payload))
			if e.Position.Sequence == 1 {
				h.Entities++
			}
		}
		key := block.Key(h.First)
		value, h.Previous = block.Finish(l.id, key, value, h.Count)
		_ = b.Set(key, value, nil) // of a batch, it cannot fail
		h.First += uint64(h.Count)
		l.w.buf = value
	}
	if cap(l.w.buf) > 1<<20 {
		l.w.buf = nil
	}
	return h.Previous
}

// later has what was appended be durable after the interval, if there is one.
func (l *Log) later() {
	every := l.options.Sync.Every()
	if every == 0 || l.w.unsynced {
		return
	}
	l.w.unsynced = true
	if l.w.flush == nil {
		l.w.flush = time.AfterFunc(every, func() {
			if l.take(context.Background()) == nil {
				defer l.give()
				l.w.unsynced = false
				_ = l.sync() // it is noted at the gate
			}
		})
		return
	}
	l.w.flush.Reset(every)
}

// sync makes all durable that was appended. The turn is taken.
func (l *Log) sync() error {
	if err := l.gate.err(); err != nil {
		return err
	}
	if l.anchor.end == l.s.bounds.Next && l.eachGroup() {
		return nil
	}
	b := l.db.NewBatch()
	_ = b.LogData(nil, nil) // of a batch, it cannot fail
	if err := l.commit(b, true); err != nil {
		return err
	}
	l.anchor.write(l.s.bounds.Next, l.w.sum)
	return nil
}
