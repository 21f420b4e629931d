package disklog

import (
	"context"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/spillwayhq/spillway/cursor"
)

// Compact drops all events below first. A first beyond the Log's end is a *cursor.BeyondError, and drops nothing; one
// that has been dropped already does nothing. The room on the disk is given back by segments, and when the engine gets to it.
func (l *Log) Compact(ctx context.Context, first uint64) error {
	if err := l.take(ctx); err != nil {
		return err
	}
	defer l.give()
	if l.options.ReadOnly {
		return ErrReadOnly
	}
	if first > l.s.bounds.Next {
		return &cursor.BeyondError{From: first, Next: l.s.bounds.Next}
	}
	if first <= l.s.bounds.First {
		return nil
	}
	d := drop{first: first}
	var err error
	if d.before, err = l.bytesBefore(first); err != nil {
		return err
	}
	return l.drop(d)
}

// A drop is what retention does: the events below first go, with so many bytes of payloads, counted from the first of all.
type drop struct {
	first, before uint64
	gone          uint64 // the blocks below are given back; 0: none are
}

// bytesBefore returns how many bytes the payloads below a sequence have.
func (l *Log) bytesBefore(seq uint64) (uint64, error) {
	if seq == l.s.bounds.Next {
		return l.s.bytes, nil
	}
	w, err := l.walk()
	if err != nil {
		return 0, err
	}
	defer w.close()
	if err := w.to(seq); err != nil {
		return 0, err
	}
	return w.b.Bytes + w.used, nil
}

// drop makes a drop by itself.
func (l *Log) drop(d drop) error {
	b := l.db.NewBatch()
	l.stage(b, &d)
	if err := l.commit(b, l.eachGroup()); err != nil {
		return err
	}
	l.mu.Lock()
	l.dropped(d)
	l.mu.Unlock()
	l.forget(d)
	return nil
}

// stage adds a drop to a batch, and notes what forget is to give back: whole segments, where that is worth a range of the engine's.
func (l *Log) stage(b *pebble.Batch, d *drop) {
	if d.first <= l.s.bounds.First {
		return
	}
	m := l.w.meta
	m.first = d.first
	_ = b.Set(metaKey, m.encode(l.id), nil) // of a batch, it cannot fail, nor can the rest
	end := l.w.gone
	for _, s := range l.s.segments {
		if s.end <= d.first {
			end = s.end
		}
	}
	// A range that is deleted has the engine write anew what lies over it: it is worth it for a quarter of what is kept.
	if dropped := end - l.w.gone; dropped == 0 || 4*dropped < l.s.bounds.Next-d.first {
		return
	}
	d.gone = end
}

// dropped has readers see what was dropped. mu is held.
func (l *Log) dropped(d drop) {
	if d.first <= l.s.bounds.First {
		return
	}
	l.s.bounds.First, l.s.before = d.first, d.before
	for len(l.s.segments) > 0 && l.s.segments[0].end <= d.first {
		l.s.segments = l.s.segments[1:]
	}
}

// forget has the writer know what was dropped, and gives back what nobody reads any more. That comes after readers have seen the drop:
// the engine shows what a batch does before it is durable, and who still reads below would find nothing there, and no reason. Nothing
// is promised of it, so it isn't synced: what an earlier process has left is in the next range.
func (l *Log) forget(d drop) {
	if d.first > l.w.meta.first {
		l.w.meta.first = d.first
		l.w.ids.dropBelow(d.first)
	}
	if d.gone <= l.w.gone {
		return
	}
	b := l.db.NewBatch()
	_ = b.DeleteRange(keyOf(0, 0), keyOf(0, d.gone), nil) // of a batch, it cannot fail
	if l.commit(b, false) == nil {                        // or it is noted at the gate
		l.w.gone = d.gone
	}
}

// makeRoom adds to a batch what has to go before so many events and payload bytes are added. Limits has seen to it that they fit.
func (l *Log) makeRoom(b *pebble.Batch, count int, bytes uint64, now time.Time) (drop, error) {
	d, err := l.tooMuch(count, bytes, now)
	if err == nil {
		l.stage(b, &d)
	}
	return d, err
}

// tooMuch returns what has to go.
func (l *Log) tooMuch(count int, bytes uint64, now time.Time) (d drop, err error) {
	o, s := &l.options, &l.s
	d = drop{first: s.bounds.First, before: s.before}
	if most := uint64(o.MaxEvents); most > 0 && s.bounds.Next+uint64(count)-d.first > most {
		d.first = s.bounds.Next + uint64(count) - most
	}
	tooLarge := func() bool { return o.MaxBytes > 0 && s.bytes+bytes-d.before > uint64(o.MaxBytes) }
	if d.first == s.bounds.First && (d.first == s.bounds.Next || !tooLarge() && (o.MaxAge == 0 || l.left(now) > 0)) {
		return d, nil
	}
	if d.first == s.bounds.Next {
		d.before = s.bytes
		return d, nil
	}
	w, err := l.walk()
	if err != nil {
		return d, err
	}
	defer w.close()
	if err := w.to(d.first); err != nil {
		return d, err
	}
	d.before = w.b.Bytes + w.used
	for d.first < s.bounds.Next {
		record, err := w.record(d.first)
		if err != nil {
			return d, err
		}
		if !tooLarge() && (o.MaxAge == 0 || l.leftOf(record.WallMS(), now) > 0) {
			break
		}
		d.first++
		d.before = w.b.Bytes + w.used
	}
	return d, nil
}

// left returns how long the oldest event is still to be kept, where there is one: no longer than MaxAge, whatever the wall clock says.
func (l *Log) left(now time.Time) time.Duration {
	if l.w.oldestOf != l.s.bounds.First || !l.w.hasOldest {
		e, err := l.one(l.s.bounds.First)
		if err != nil {
			return 0 // whoever looks closer is told
		}
		l.w.oldest, l.w.oldestOf, l.w.hasOldest = e.Position.WallMS, e.Sequence, true
	}
	return l.leftOf(l.w.oldest, now)
}

func (l *Log) leftOf(wallMS uint64, now time.Time) time.Duration {
	return l.options.MaxAge - max(0, now.Sub(time.UnixMilli(int64(wallMS))))
}

// arm sets the timer for when the oldest event comes of age, if it isn't set.
func (l *Log) arm(now time.Time) {
	if l.options.MaxAge == 0 || l.w.ageArmed || l.s.bounds.First == l.s.bounds.Next {
		return
	}
	// Each time it drops something it syncs: those that come of age soon after the first wait for each other. And a wall clock that was
	// set back would have it go off again and again.
	pause := min(max(l.options.MaxAge/100, time.Millisecond), time.Second)
	l.armAfter(max(l.left(now), pause))
}

func (l *Log) armAfter(after time.Duration) {
	l.w.ageArmed = true
	if l.w.age == nil {
		l.w.age = time.AfterFunc(after, l.comeOfAge)
		return
	}
	l.w.age.Reset(after)
}

// comeOfAge is what the timer calls.
func (l *Log) comeOfAge() {
	if l.take(context.Background()) != nil {
		return
	}
	defer l.give()
	l.w.ageArmed = false
	if l.retain() != nil && l.gate.err() == nil {
		l.armAfter(l.options.MaxAge) // it could not be read: perhaps it can later, and nobody may append until then
	}
}

// retain drops what is more than Options allow, and sets the timer.
func (l *Log) retain() error {
	now := l.env.now()
	d, err := l.tooMuch(0, 0, now)
	if err == nil && d.first > l.s.bounds.First {
		err = l.drop(d)
	}
	if err == nil {
		l.arm(now)
	}
	return err
}

// segmentsFrom returns those that are kept.
func segmentsFrom(all []segment, first uint64) []segment {
	return slices.DeleteFunc(all, func(s segment) bool { return s.end <= first })
}
