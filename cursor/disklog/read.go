package disklog

import (
	"context"
	"fmt"
	"slices"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

func placeOf(seq uint64) string { return fmt.Sprintf("the event of sequence %d", seq) }

// Read copies events of r into dst, at most 1,024 of them, or one more than have 256 KiB of payload, and looks at 4,096 at most in one call, or at the lists of 4,096
// segments. Its errors are those of cursor.Log, and *CorruptError.
func (l *Log) Read(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (n int, next uint64, err error) {
	if ctx.Err() != nil {
		return 0, from, context.Cause(ctx)
	}
	if err := r.Validate(); err != nil {
		return 0, from, err
	}
	if !l.using.TryRLock() {
		return 0, from, cursor.ErrClosed
	}
	defer l.using.RUnlock()
	ts := termsOf(&r)
	l.mu.RLock()
	s := l.s
	var lists [][]uint32
	if len(ts) > 0 && !s.closed && from >= s.sealed && from < s.bounds.Next {
		lists = s.tail.listsOf(ts)
	}
	l.mu.RUnlock()
	if err := s.refuses(from); err != nil {
		return 0, from, err
	}
	if len(dst) == 0 || from == s.bounds.Next {
		return 0, from, nil
	}
	w, err := l.walk()
	if err != nil {
		return 0, from, err
	}
	defer w.close()
	f := finder{log: l, w: w, r: r, dst: dst[:min(len(dst), maxCopied)], left: maxTested}
	switch {
	case len(ts) == 0:
		next, err = f.scan(from, s.bounds.Next)
	case from >= s.sealed:
		next, err = f.take(intersect(lists, uint32(from-s.sealed)), s.sealed, s.bounds.Next)
	default:
		next, err = f.segments(ts, from, &s)
	}
	// What was dropped meanwhile may have been missed, or may be why something was missing.
	l.mu.RLock()
	now := l.s.refuses(from)
	l.mu.RUnlock()
	if now != nil {
		err = now
	}
	if err != nil {
		clear(f.found)
		return 0, from, err
	}
	return copy(dst, f.found), next, nil
}

// refuses returns why nothing can be read at a place.
func (s *state) refuses(from uint64) error {
	switch {
	case s.closed:
		return cursor.ErrClosed
	case from < s.bounds.First:
		return &cursor.CompactedError{From: from, First: s.bounds.First}
	case from > s.bounds.Next:
		return &cursor.BeyondError{From: from, Next: s.bounds.Next}
	}
	return nil
}

// A finder is one Read under way.
type finder struct {
	log   *Log
	w     *walker
	r     region.Region
	dst   []core.Envelope // how much may be found
	found []core.Envelope // beside dst, which an error leaves as it is
	left  int             // how many events may be looked at
	bytes int             // of payloads found
}

// more tells whether there is to be another event.
func (f *finder) more() bool { return f.left > 0 && len(f.found) < len(f.dst) && f.bytes < maxRead }

// test looks at one event, and says whether there is to be another.
func (f *finder) test(seq uint64) (more bool, err error) {
	record, err := f.w.record(seq)
	if err != nil {
		return false, err
	}
	var e core.Envelope
	payload, err := record.Decode(&e, seq, &f.log.names)
	if err != nil {
		return false, f.log.corrupt(placeOf(seq), err)
	}
	if cursor.Selects(&f.r, &e.Notification) {
		if len(payload) > 0 {
			e.Payload = slices.Clone(payload)
		}
		f.found = append(f.found, e)
		f.bytes += len(payload)
	}
	f.left--
	return f.more(), nil
}

// scan looks at all events.
func (f *finder) scan(from, end uint64) (next uint64, err error) {
	if f.found == nil {
		f.found = make(events, 0, min(uint64(len(f.dst)), end-from))
	}
	for next = from; next < end; {
		more, err := f.test(next)
		if err != nil {
			return from, err
		}
		if next++; !more {
			break
		}
	}
	return next, nil
}

// take looks at the events of a list, up to end.
func (f *finder) take(ats []uint32, base, end uint64) (next uint64, err error) {
	for i, at := range ats {
		more, err := f.test(base + uint64(at))
		if err != nil {
			return 0, err
		}
		if !more && i+1 < len(ats) {
			return base + uint64(at) + 1, nil
		}
	}
	return end, nil
}

// segments looks at the lists of one segment after the other, up to the tail.
func (f *finder) segments(ts []term, from uint64, s *state) (next uint64, err error) {
	i, found := slices.BinarySearchFunc(s.segments, from, func(s segment, seq uint64) int {
		switch {
		case s.end <= seq:
			return -1
		case s.first > seq:
			return 1
		}
		return 0
	})
	if !found {
		return 0, f.log.corrupt(fmt.Sprintf("the segment of sequence %d", from), errMissing)
	}
	for looked := 0; i < len(s.segments) && looked < maxTested; i, looked = i+1, looked+1 {
		seg := s.segments[i]
		ats, err := f.log.lists(ts, seg, from)
		if err != nil {
			return 0, err
		}
		if from, err = f.take(ats, seg.first, seg.end); err != nil || from < seg.end {
			return from, err
		}
		if !f.more() {
			break
		}
	}
	return from, nil
}

// lists returns the events of a segment that are in all the lists, from a sequence on.
func (l *Log) lists(ts []term, s segment, from uint64) ([]uint32, error) {
	lists := make([][]uint32, len(ts))
	for i, of := range ts {
		ats, err := l.list(of, s)
		if err != nil || ats == nil {
			return nil, err
		}
		lists[i] = ats
	}
	return intersect(lists, uint32(max(from, s.first)-s.first)), nil
}

// list returns the list of a term; nil where there is none.
func (l *Log) list(of term, s segment) (ats []uint32, err error) {
	err = l.row(indexKey(s, of), fmt.Sprintf("the lists of the segment at %d", s.first), func(body []byte) (err error) {
		ats, err = decodeList(body, s.end-s.first)
		return err
	})
	if isNotFound(err) {
		return nil, nil
	}
	return ats, err
}
