package disklog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog/internal/block"
	"github.com/spillwayhq/spillway/region"
)

// idsOf returns the ids of a segment's events.
func (l *Log) idsOf(s segment) (ids []core.ID, err error) {
	place := fmt.Sprintf("the ids of the segment at %d", s.first)
	err = l.row(keyOf(ofIDs, s.end-1), place, func(body []byte) error {
		if uint64(len(body)) != 16*(s.end-s.first) {
			return block.ErrContents
		}
		ids = make([]core.ID, s.end-s.first)
		for i := range ids {
			copy(ids[i][:], body[16*i:])
		}
		return nil
	})
	return ids, l.needed(place, err)
}

// Verify reads all there is, Checkpoints and the index too, and calls f, if it is not nil, with each event that is kept, in order. It returns
// f's error, or a *CorruptError for the first thing that is not as it was written. Appends go on meanwhile, and are not
// looked at. Nothing is held while f is called: it may do with the Log what it likes. Where retention was quicker than
// Verify, that is a *cursor.CompactedError.
func (l *Log) Verify(ctx context.Context, f func(core.Envelope) error) error {
	if err := l.take(ctx); err != nil {
		return err
	}
	l.mu.RLock()
	s := l.s
	l.mu.RUnlock()
	err := l.verifySaves()
	l.give()
	if err != nil {
		return err
	}
	v := verifier{log: l, f: f, bounds: s.bounds, clocks: make(map[region.Coordinate]uint32)}
	err = v.all(ctx, &s)
	// Retention that went by is no damage.
	if b, berr := l.Bounds(ctx); err != nil && errors.Is(err, cursor.ErrCorrupt) && berr == nil && b.First > s.bounds.First {
		return &cursor.CompactedError{From: s.bounds.First, First: b.First}
	}
	return err
}

// A verifier is one Verify under way.
type verifier struct {
	log    *Log
	f      func(core.Envelope) error
	bounds cursor.Bounds
	last   *core.Envelope
	sum    uint64 // of the block before
	clocks map[region.Coordinate]uint32
}

// reading does what reads the engine. Close waits for that, and not for a whole Verify.
func (v *verifier) reading(do func() error) error {
	l := v.log
	if !l.using.TryRLock() {
		return cursor.ErrClosed
	}
	defer l.using.RUnlock()
	l.mu.RLock()
	closed := l.s.closed
	l.mu.RUnlock()
	if closed {
		return cursor.ErrClosed
	}
	return l.damaged("the log", guarded(do))
}

func (v *verifier) all(ctx context.Context, s *state) error {
	for _, seg := range s.segments {
		t := newTail(seg.first, nil)
		if err := v.blocks(ctx, seg.first, seg.end, t); err != nil {
			return err
		}
		if err := v.reading(func() error { return v.index(seg, t) }); err != nil {
			return err
		}
	}
	if err := v.clocksAgree(ctx); err != nil {
		return err
	}
	return v.blocks(ctx, s.sealed, s.bounds.Next, nil)
}

// blocks reads the blocks of a run of events, and adds those to t.
func (v *verifier) blocks(ctx context.Context, from, end uint64, t *tail) error {
	owners := make(map[region.Coordinate]*entity)
	for seq := from; seq < end; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		es, err := v.some(seq, end)
		if err != nil {
			return err
		}
		for i := range es {
			if err := v.event(&es[i]); err != nil {
				return err
			}
			if t != nil {
				owner := owners[es[i].Coordinate]
				if owner == nil {
					owner = new(entity)
					owners[es[i].Coordinate] = owner
				}
				t.push(&es[i], owner)
			}
		}
		seq += uint64(len(es))
	}
	return nil
}

// some reads a block that begins at a sequence, and some more, up to end.
func (v *verifier) some(seq, end uint64) (es events, err error) {
	l := v.log
	err = v.reading(func() error {
		w, err := l.walk()
		if err != nil {
			return err
		}
		defer w.close()
		const some = 1 << 20
		for size := 0; seq < end && size < some; seq = w.b.End() {
			if err := w.load(seq); err != nil {
				return err
			}
			b := w.b
			place := fmt.Sprintf("the block at sequence %d", b.First)
			if b.First != seq || v.sum != 0 && b.Previous != v.sum {
				return l.corrupt(place, errors.New("it does not follow the one before"))
			}
			v.sum = b.Sum
			b.Records = bytes.Clone(b.Records) // the events are handed out
			more, err := b.Events(&l.names)
			if err != nil {
				return l.corrupt(place, err)
			}
			es = append(es, more...)
			size += len(b.Records)
		}
		return nil
	})
	return es, err
}

func (v *verifier) event(e *core.Envelope) error {
	if was, ok := v.clocks[e.Coordinate]; ok && e.Position.Sequence != was+1 || e.Position.Sequence == 0 {
		return v.log.corrupt(placeOf(e.Sequence), fmt.Errorf("its entity's clock is %d after %d", e.Position.Sequence, was))
	}
	v.clocks[e.Coordinate] = e.Position.Sequence
	if last := v.last; last != nil && (e.Position.WallMS < last.Position.WallMS ||
		e.Position.WallMS == last.Position.WallMS && e.Position.Counter <= last.Position.Counter) {
		return v.log.corrupt(placeOf(e.Sequence), errors.New("its time is not after that of the one before"))
	}
	v.last = e
	if v.f == nil || e.Sequence < v.bounds.First {
		return nil
	}
	return v.f(*e)
}

// index looks whether the lists and the ids of a segment are those of its events.
func (v *verifier) index(s segment, t *tail) error {
	l := v.log
	ids, err := l.idsOf(s)
	if err != nil {
		return err
	}
	if !slices.Equal(ids, t.ids) {
		return l.corrupt(fmt.Sprintf("the ids of the segment at %d", s.first), block.ErrContents)
	}
	place := fmt.Sprintf("the lists of the segment at %d", s.first)
	found := 0
	err = l.rows(keyOf(ofList, s.end-1), keyOf(ofList+1, s.end-1), func(key, value []byte) error {
		body, _, err := block.Unseal(l.id, key, value)
		var ats []uint32
		if err == nil {
			ats, err = decodeList(body, s.end-s.first)
		}
		if err != nil {
			return l.corrupt(place, err)
		}
		found++
		if want := t.lists[term(key[10:])]; want == nil || !slices.Equal(ats, want.at) {
			return l.corrupt(place, block.ErrContents)
		}
		return nil
	})
	if err != nil {
		return l.damaged(place, err)
	}
	if found != len(t.lists) {
		return l.corrupt(place, errMissing)
	}
	return nil
}

// clocksAgree looks whether the clock of each entity is there, and not behind its events in segments.
func (v *verifier) clocksAgree(ctx context.Context) error {
	for c, want := range v.clocks {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var got uint32
		err := v.reading(func() (err error) {
			got, err = v.log.clockOf(clockKey(c))
			return err
		})
		if err != nil {
			return err
		}
		if got < want {
			return v.log.corrupt("the clock of "+c.String(), fmt.Errorf("it is %d, behind an event with %d", got, want))
		}
	}
	return nil
}
