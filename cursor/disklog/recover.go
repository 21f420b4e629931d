package disklog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog/internal/block"
)

// restore has the Log know what is there: from the rows what was made a segment, from the events what was not.
func (l *Log) restore() error {
	m := &l.w.meta
	l.s = state{bounds: cursor.Bounds{First: m.first, Next: m.sealed}, sealed: m.sealed, tail: newTail(m.sealed, nil), entities: m.entities, bytes: m.bytes}
	l.w.sum, l.w.wallMS, l.w.counter = m.sum, m.wallMS, m.counter
	if err := l.restoreSegments(); err != nil {
		return err
	}
	l.w.ids = newRecent(l.options.Repeats, m.sealed)
	if err := l.restoreIDs(); err != nil {
		return err
	}
	if err := l.restoreTail(); err != nil {
		return err
	}
	if err := l.restoreSaves(); err != nil {
		return err
	}
	l.opened.Tail = l.s.tail.count
	if l.s.bounds.Next < m.first {
		return l.corrupt(placeOf(m.first-1), errMissing)
	}
	l.w.ids.dropBelow(m.first)
	l.w.clock.Observe(l.w.wallMS, l.w.counter)
	before, err := l.bytesBefore(m.first)
	l.s.before = before
	if err == nil && l.s.tail.count >= l.env.segment && !l.options.ReadOnly {
		l.sealTail()
		err = l.gate.err()
	}
	return err
}

// restoreSegments reads where the segments are, from the last one back to the first event that is kept.
func (l *Log) restoreSegments() error {
	m := &l.w.meta
	l.w.gone = m.sealed
	for l.w.gone > m.first {
		s, err := l.segmentOf(l.w.gone)
		if err != nil {
			return err
		}
		l.s.segments = append(l.s.segments, s)
		l.w.gone = s.first
	}
	slices.Reverse(l.s.segments)
	return nil
}

// segmentOf returns the segment that ends before a sequence.
func (l *Log) segmentOf(end uint64) (s segment, err error) {
	key := keyOf(ofSegment, end-1)
	place := fmt.Sprintf("the segment that ends at %d", end)
	err = l.row(key, place, func(body []byte) error {
		if len(body) != 9 || body[0] != block.Version {
			return block.ErrContents
		}
		s = segment{binary.BigEndian.Uint64(body[1:]), end}
		if s.first >= end || end-s.first > segmentEvents+maxBatch {
			return block.ErrContents
		}
		return nil
	})
	return s, l.needed(place, err)
}

// restoreIDs reads the ids of the events in segments that are still to be recognized.
func (l *Log) restoreIDs() error {
	m, segments := &l.w.meta, l.s.segments
	window := m.sealed - min(m.sealed, uint64(l.options.Repeats))
	segments = segmentsFrom(append([]segment(nil), segments...), window)
	if len(segments) == 0 {
		return nil
	}
	l.w.ids = newRecent(l.options.Repeats, segments[0].first)
	for _, s := range segments {
		ids, err := l.idsOf(s)
		if err != nil {
			return err
		}
		for _, id := range ids {
			l.w.ids.push(id)
		}
		l.w.ids.trim()
	}
	return nil
}

// restoreTail reads the events that are in no segment, and makes the index of them.
func (l *Log) restoreTail() error {
	return l.rows(block.Key(l.w.meta.sealed), []byte{tableLog + 1}, func(key, value []byte) error {
		seq := l.s.bounds.Next
		b, err := block.Open(l.id, key, value)
		switch {
		case err != nil:
			return l.corrupt(fmt.Sprintf("the block at sequence %d", seq), err)
		case b.First != seq:
			return l.corrupt(placeOf(seq), errMissing)
		case b.Previous != l.w.sum || b.Entities != l.s.entities || b.Bytes != l.s.bytes:
			return l.corrupt(fmt.Sprintf("the block at sequence %d", seq), errors.New("it does not follow the one before"))
		}
		l.w.sum = b.Sum
		es, err := b.Events(&l.names)
		if err != nil {
			return l.corrupt(fmt.Sprintf("the block at sequence %d", seq), err)
		}
		for i := range es {
			e := &es[i]
			owner := l.w.entities[e.Coordinate]
			if owner == nil {
				owner = new(entity)
				l.w.entities[e.Coordinate] = owner
			}
			owner.clock = e.Position.Sequence
			l.s.tail.push(e, owner)
			l.w.ids.push(e.EventID)
			l.w.wallMS, l.w.counter = e.Position.WallMS, e.Position.Counter
			l.s.bytes += uint64(len(e.Payload))
			if e.Position.Sequence == 1 {
				l.s.entities++
			}
		}
		l.w.ids.trim()
		l.s.bounds.Next = b.End()
		return nil
	})
}

// checkEnd compares the end with what the anchor says was acknowledged.
func (l *Log) checkEnd() error {
	a, next := l.anchor, l.s.bounds.Next
	l.opened.MayLack = a.loose
	if a.end > next {
		return l.corrupt(placeOf(next), fmt.Errorf("%w: the log was acknowledged up to %d", errMissing, a.end))
	}
	if a.end > l.w.gone && a.end > l.s.bounds.First {
		w, err := l.walk()
		if err != nil {
			return err
		}
		defer w.close()
		if err := w.to(a.end - 1); err != nil {
			return err
		}
		if w.b.End() != a.end || w.b.Sum != a.lastSum {
			return l.corrupt(placeOf(a.end-1), errors.New("it is not the one that was acknowledged"))
		}
	}
	return nil
}

// noteEnd has the anchor say what was found. It is durable now: the engine has written it anew.
func (l *Log) noteEnd() {
	l.anchor.loose = !l.eachGroup()
	l.anchor.write(l.s.bounds.Next, l.w.sum)
	l.anchor.sync()
}
