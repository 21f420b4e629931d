package memlog

import (
	"context"
	"sync"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// A Log is a cursor.Log in memory. It comes from New. It starts no goroutine but the one of a timer, when the oldest event
// comes of age, and that returns soon.
type Log struct {
	id      cursor.LogID
	options Options
	now     func() time.Time

	// mu is held by Append while it adds a batch, and by readers together while each copies one. Nobody
	// waits for anything while holding it, and it is the only one.
	mu     sync.RWMutex
	clock  cursor.Clock
	tape   tape
	index  index
	ids    table[core.ID, uint64] // of the events that are kept; those of an Append under way, too
	bytes  int64                  // of the payloads that are kept
	moved  chan struct{}          // closed by the next Append, and by Close; nil where nobody waits
	expiry *time.Timer            // set for when the oldest event comes of age; nil without MaxAge, or until there is one
	armed  bool
	closed bool
}

var (
	_ cursor.Log       = (*Log)(nil)
	_ cursor.LogSource = (*Log)(nil)
)

// New returns an empty Log with an identity of its own, or an error that says which option is at fault.
func New(o Options) (*Log, error) { return open(o, time.Now) }

func open(o Options, now func() time.Time) (*Log, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Log{
		id:      cursor.NewLogID(),
		options: o,
		now:     now,
		index:   newIndex(),
		ids:     newTable[core.ID, uint64](),
	}, nil
}

// ID returns the Log's identity.
func (l *Log) ID() cursor.LogID { return l.id }

// Limits returns what the Options bound. A repeat is recognized as long as its event is kept.
func (l *Log) Limits() cursor.Limits {
	return cursor.Limits{
		Batch:      min(l.options.MaxEvents, maxBatch),
		BatchBytes: l.options.MaxBytes,
		Payload:    l.options.MaxBytes,
		Entities:   l.options.MaxEntities,
		Clocks:     cursor.TotalOrder,
	}
}

// Bounds returns what there is to read.
func (l *Log) Bounds(ctx context.Context) (cursor.Bounds, error) {
	if ctx.Err() != nil {
		return cursor.Bounds{}, context.Cause(ctx)
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return cursor.Bounds{}, cursor.ErrClosed
	}
	return cursor.Bounds{First: l.tape.first, Next: l.tape.next}, nil
}

// Wait returns nil when there is an event at next, and sleeps until then.
func (l *Log) Wait(ctx context.Context, next uint64) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		moved, err := l.look(next)
		if moved == nil {
			return err
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// look returns a channel that is closed when it is worth looking again, or, where the wait is over, nil and what it
// returns.
func (l *Log) look(next uint64) (<-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return nil, cursor.ErrClosed
	case l.tape.next > next:
		return nil, nil
	case l.moved == nil:
		l.moved = make(chan struct{})
	}
	return l.moved, nil
}

// wake has all who wait look again. The mutex is held.
func (l *Log) wake() {
	if l.moved != nil {
		close(l.moved)
		l.moved = nil
	}
}

// Close lets go of all events, and has those who wait return cursor.ErrClosed. It returns nil.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	l.tape, l.index, l.ids, l.bytes = tape{}, index{}, table[core.ID, uint64]{}, 0
	if l.expiry != nil {
		l.expiry.Stop()
	}
	l.wake()
	return nil
}

// Read copies events of r into dst, at most 1,024 of them, and looks at 4,096 at most in one call: it keeps
// nobody waiting for long.
func (l *Log) Read(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (n int, next uint64, err error) {
	if ctx.Err() != nil {
		return 0, from, context.Cause(ctx)
	}
	if err := r.Validate(); err != nil {
		return 0, from, err
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	switch {
	case l.closed:
		return 0, from, cursor.ErrClosed
	case from < l.tape.first:
		return 0, from, &cursor.CompactedError{From: from, First: l.tape.first}
	case from > l.tape.next:
		return 0, from, &cursor.BeyondError{From: from, Next: l.tape.next}
	case len(dst) == 0:
		return 0, from, nil
	}
	dst = dst[:min(len(dst), maxCopied)]
	if r == (region.Region{}) {
		n = l.tape.copyTo(dst, from)
		return n, from + uint64(n), nil
	}
	n, next = l.read(r, from, dst)
	return n, next, nil
}

// LogStats returns the Log's figures: what an Append takes is not among them.
func (l *Log) LogStats() cursor.LogStats {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return cursor.LogStats{
		Bounds: cursor.Bounds{First: l.tape.first, Next: l.tape.next},
		Bytes:  uint64(l.bytes), Entities: uint64(len(l.index.entities)), Level: l.Level(),
	}
}

// Level returns that nothing is durable.
func (l *Log) Level() cursor.Level { return cursor.NoSync() }
