package memlog

import (
	"context"
	"time"

	"github.com/spillwayhq/spillway/cursor"
)

// Compact drops all events below first. A first beyond the Log's end is a *cursor.BeyondError, and drops nothing; one
// that has been dropped already does nothing. Others get their turn between every few thousand.
func (l *Log) Compact(ctx context.Context, first uint64) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for {
		if more, err := l.compact(first); err != nil || !more {
			return err
		}
	}
}

// compact does a part of Compact, and tells whether there is more to do.
func (l *Log) compact(first uint64) (more bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return false, cursor.ErrClosed
	case first > l.tape.next:
		return false, &cursor.BeyondError{From: first, Next: l.tape.next}
	}
	for end := min(first, l.tape.first+maxDropped); l.tape.first < end; {
		l.drop()
	}
	return l.tape.first < first, nil
}

// makeRoom drops what has to go before so many events and payload bytes are added. Limits has seen to it that they fit.
func (l *Log) makeRoom(events int, bytes int64, now time.Time) {
	l.expire(now)
	for l.tape.count()+events > l.options.MaxEvents {
		l.drop()
	}
	for most := int64(l.options.MaxBytes); most > 0 && l.bytes+bytes > most; {
		l.drop()
	}
}

// drop drops the first event.
func (l *Log) drop() {
	c, at := l.tape.place(l.tape.first)
	e := &c.events[at]
	l.index.pop(e, c.owners[at])
	l.ids.drop(e.EventID)
	l.bytes -= int64(len(e.Payload))
	l.tape.pop()
}

// expire drops what is older than MaxAge, or so much of it as others can wait for: the timer comes for the rest. Events
// come of age in order, as the Log's clock never goes back; where the wall clock did, they have an age below 0 for a while,
// and stay.
func (l *Log) expire(now time.Time) {
	if l.options.MaxAge == 0 {
		return
	}
	for most := maxDropped; most > 0 && l.tape.count() > 0 && l.left(now) <= 0; most-- {
		l.drop()
	}
}

// left returns how long the oldest event is still to be kept: no longer than MaxAge, whatever the wall clock says.
func (l *Log) left(now time.Time) time.Duration {
	born := time.UnixMilli(int64(l.tape.event(l.tape.first).Position.WallMS))
	return l.options.MaxAge - max(0, now.Sub(born))
}

// arm sets the timer for when the oldest event comes of age, if it isn't set.
func (l *Log) arm(now time.Time) {
	if l.options.MaxAge == 0 || l.armed || l.tape.count() == 0 {
		return
	}
	l.armed = true
	after := max(l.left(now), time.Millisecond) // or a wall clock that was set back would have it go off again and again
	if l.expiry == nil {
		l.expiry = time.AfterFunc(after, l.comeOfAge)
		return
	}
	l.expiry.Reset(after)
}

// comeOfAge is what the timer calls.
func (l *Log) comeOfAge() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.armed = false
	now := l.now()
	l.expire(now)
	l.arm(now)
}
