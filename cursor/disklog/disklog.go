package disklog

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog/internal/block"
	"github.com/spillwayhq/spillway/region"
)

// A Log is a cursor.Log in a folder. It comes from Open. Close waits for its goroutines, which are the engine's, and those of
// timers, where something comes of age or is to be made durable.
type Log struct {
	id      cursor.LogID
	dir     string
	options Options
	env     env
	gate    *gate
	lock    *pebble.Lock
	db      *pebble.DB
	anchor  *anchor
	opened  Opened
	names   block.Names

	// turn is taken by whoever changes the Log, for as long as the disk takes: Append, Compact, the timers, Close. What
	// is in w is theirs.
	turn    chan struct{}
	w       writer
	wedged  bool         // a commit panicked: the engine cannot be closed
	pending <-chan error // closed when the last commit is over, where the disk failed meanwhile

	// using is held by readers for a whole Read, together, and by Close while it closes the engine: no one else. So a reader that doesn't get
	// it at once knows that the Log is closed, and waits for no disk.
	using sync.RWMutex

	// mu guards what readers see, s. It is taken last, and for moments: nobody waits for the disk holding it. It is
	// written by who has the turn, when what it says is durable.
	mu sync.RWMutex
	s  state
}

var (
	_ cursor.Log       = (*Log)(nil)
	_ cursor.LogSource = (*Log)(nil)
)

// A state is what there is to read.
type state struct {
	bounds   cursor.Bounds
	bytes    uint64    // of the payloads of all events there ever were
	before   uint64    // of those below First
	segments []segment // in order, those below First left out
	sealed   uint64    // where the tail begins
	tail     *tail     // from sealed on
	entities uint64
	moved    chan struct{} // closed by the next Append, and by Close; nil where nobody waits. Who waits looks at gate.shut, too
	closed   bool
}

// A segment is a run of events that has its lists and its ids on the disk.
type segment struct{ first, end uint64 }

// A writer is what Append has to know, and readers don't.
type writer struct {
	clock   cursor.Clock
	sum     uint64 // of the last block
	wallMS  uint64 // of the last event
	counter uint16
	meta    meta
	ids     recent
	saves   saves
	// entities are those in the tails, and some more.
	entities map[region.Coordinate]*entity

	gone             uint64 // the blocks below were given back
	oldest, oldestOf uint64 // when the event at First was appended, if hasOldest
	hasOldest        bool
	age              *time.Timer // set for when the oldest event comes of age
	ageArmed         bool
	flush            *time.Timer // set for when what was appended is to be durable
	unsynced         bool        // and flush is set, where Sync is an interval
	buf              []byte
}

// ID returns the Log's identity.
func (l *Log) ID() cursor.LogID { return l.id }

// Limits returns what the Options bound, and what this package does.
func (l *Log) Limits() cursor.Limits {
	o := l.options
	limits := cursor.Limits{
		Batch: maxBatch, BatchBytes: maxBatchBytes, Payload: maxPayload,
		Entities: o.MaxEntities, Repeats: o.Repeats, Clocks: cursor.TotalOrder,
	}
	if o.MaxEvents > 0 {
		limits.Batch = min(limits.Batch, o.MaxEvents)
	}
	if o.MaxBytes > 0 {
		limits.BatchBytes = min(limits.BatchBytes, o.MaxBytes)
		limits.Payload = min(limits.Payload, o.MaxBytes)
	}
	return limits
}

// Level returns how durable an event is when its Append has returned, as Options.Sync says.
func (l *Log) Level() cursor.Level { return l.options.Sync }

func (l *Log) eachGroup() bool { return l.options.Sync == cursor.EachGroup() }

// Bounds returns what there is to read.
func (l *Log) Bounds(ctx context.Context) (cursor.Bounds, error) {
	if ctx.Err() != nil {
		return cursor.Bounds{}, context.Cause(ctx)
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.s.closed {
		return cursor.Bounds{}, cursor.ErrClosed
	}
	return l.s.bounds, nil
}

// Wait returns nil when there is an event at next, and sleeps until then. In a Log that has failed there will be none: it
// returns a *FailedError; in one that is read only ErrReadOnly.
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
		case <-l.gate.shut:
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
	case l.s.closed:
		return nil, cursor.ErrClosed
	case l.s.bounds.Next > next:
		return nil, nil
	case l.writable() != nil:
		return nil, l.writable()
	case l.s.moved == nil:
		l.s.moved = make(chan struct{})
	}
	return l.s.moved, nil
}

// wake has all who wait look again. mu is held.
func (l *Log) wake() {
	if l.s.moved != nil {
		close(l.s.moved)
		l.s.moved = nil
	}
}

// take waits for the turn; an error says that it was not taken.
func (l *Log) take(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.s.closed {
		<-l.turn
		return cursor.ErrClosed
	}
	return nil
}

func (l *Log) give() { <-l.turn }

// writable returns why nothing will be added any more; nil where something may.
func (l *Log) writable() error {
	if l.options.ReadOnly {
		return ErrReadOnly
	}
	return l.gate.err()
}

// Close makes durable what is not, and gives back the folder. Those who wait return cursor.ErrClosed. In a Log that has failed it
// returns the *FailedError.
func (l *Log) Close() error {
	l.turn <- struct{}{}
	defer l.give()
	l.mu.Lock()
	if l.s.closed {
		l.mu.Unlock()
		return nil
	}
	l.s.closed = true
	l.wake()
	l.mu.Unlock()
	for _, timer := range []*time.Timer{l.w.age, l.w.flush} {
		if timer != nil {
			timer.Stop()
		}
	}
	var err error
	if !l.options.ReadOnly {
		l.anchor.loose = false // it is written when all is synced
		err = l.sync()
		if err == nil {
			l.anchor.sync()
		}
	}
	l.using.Lock()
	defer l.using.Unlock()
	return l.release(err)
}

// release closes all there is, and returns the first error.
func (l *Log) release(err error) error {
	l.gate.sink()
	if l.pending != nil {
		if err := <-l.pending; errors.Is(err, errPanicked) {
			l.wedged = true
		}
	}
	if l.anchor != nil {
		l.anchor.close()
	}
	if l.db != nil && !l.wedged {
		cerr := guarded(l.db.Close)
		if err == nil && cerr != nil {
			err = l.damaged("closing the engine", cerr)
		}
	}
	if cerr := l.lock.Close(); err == nil {
		err = cerr
	}
	if failed := l.gate.err(); failed != nil {
		return failed
	}
	return err
}

// A Stats is what a Log is like.
type Stats struct {
	ID       cursor.LogID
	First    uint64 // the first sequence that is kept
	Next     uint64
	Bytes    uint64        // of the payloads that are kept
	Entities uint64        // that the Log knows
	Disk     uint64        // bytes of the engine's files
	Syncs    uint64        // fsyncs of the write-ahead log since Open
	SyncTime time.Duration // that they took together
	Failed   error         // the *FailedError of a Log that has failed
	Opened   Opened
}

// An Opened says what was found when the Log was opened.
type Opened struct {
	New    bool   // there was no Log
	Cut    bool   // the last write before was incomplete, and was cut, or passed over by ReadOnly: with each group synced, none of it was acknowledged
	Path   string // the file it was in
	Offset int64  // where it began
	Bytes  int64  // how many there were of it at most; preallocated space is left out
	Tail   int    // events that were read again to complete the index

	// MayLack: it was open at a Level that may lose its end, and was not closed. What was appended last may not be there, though it was
	// acknowledged. Whoever has read further than the Log's end has read what is gone: other events get these sequences.
	MayLack bool
}

// Stats returns what the Log is like now, but for Disk also when it is closed.
func (l *Log) Stats() Stats {
	open := l.using.TryRLock()
	if open {
		defer l.using.RUnlock()
	}
	_, syncs := l.gate.took()
	l.mu.RLock()
	s := Stats{
		ID: l.id, First: l.s.bounds.First, Next: l.s.bounds.Next, Bytes: l.s.bytes - l.s.before, Entities: l.s.entities,
		Syncs: syncs.Count, SyncTime: time.Duration(syncs.Sum),
		Failed: l.gate.err(), Opened: l.opened,
	}
	open = open && !l.s.closed
	l.mu.RUnlock()
	if open { // the engine is there as long as using is held. It may be busy with its list of tables
		s.Disk = l.db.Metrics().DiskSpaceUsage()
	}
	return s
}

// LogStats returns Stats, and how long appends and fsyncs took, in the form in which any Log's figures are.
func (l *Log) LogStats() cursor.LogStats {
	s := l.Stats()
	appends, syncs := l.gate.took()
	return cursor.LogStats{
		Bounds: cursor.Bounds{First: s.First, Next: s.Next},
		Bytes:  s.Bytes, Entities: s.Entities, Disk: s.Disk, Level: l.Level(), Failed: s.Failed,
		Append: appends, Sync: syncs,
	}
}

// events is what a batch is made of.
type events = []core.Envelope
