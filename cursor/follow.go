package cursor

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// FollowOptions are what a Follower is told besides the Region. Feed alone has no default.
type FollowOptions struct {
	// Feed subscribes to the Fanout, each time that the Follower goes live. What it returns ends with ctx. Its error ends the
	// Follower, but for core.ErrClosed.
	Feed func(ctx context.Context, f *core.Fanout[core.Envelope], r region.Region) (Feed, error)

	// From is where to begin. The zero Start is FromStart.
	From Start

	// ProgressEvery is how long it may be quiet before the Follower looks into the Log: to move on over what others are
	// asking for, and for events whose broadcast has not come. 0 is 5 seconds. It should be well below what the
	// Log's retention takes to pass a new event.
	ProgressEvery time.Duration

	// Reads is whom it shares the Log with; nil: all Followers of the process that are given none.
	Reads *ReadLimit
}

const progressEvery = 5 * time.Second

// How many events a Follower reads from the Log at once, first and at most, and takes from a Feed.
const (
	leastPull = 16
	mostPull  = 1024
	mostLive  = 32
)

func (o FollowOptions) withDefaults() (FollowOptions, error) {
	switch {
	case o.Feed == nil:
		return o, ErrNoFeed
	case o.ProgressEvery < 0:
		return o, fmt.Errorf("spillway/cursor: FollowOptions.ProgressEvery is %v; want 0 for the default, or more", o.ProgressEvery)
	case o.ProgressEvery == 0:
		o.ProgressEvery = progressEvery
	}
	if o.Reads == nil {
		o.Reads = sharedReads
	}
	return o, nil
}

// A Follower hands out every event of its Region, once and in the order of the Log: as they are broadcast while it
// keeps up, and read from the Log when it doesn't.
//
//	            lag within bound: subscribe              up to the boundary: CaughtUp
//	catching up ------------------------------> joining -----------------------------> live
//	     ^                                                                              |
//	     |        FellBehind                     what it was given is handed out        |  pruned
//	     +----------------------------- parked <----------------------------------------+
//
//	any of them --Cancel, context, compacted, log closed or replaced, disorder--> ended: Err
//	live --Fanout closed--> catching up, for good: it waits at the Log's end instead
//
// The hand-offs leave no gap and make nothing double. Subscribe returns before the boundary is looked up; an event is in
// the Log before it is broadcast; so what is not below the boundary is broadcast later than the subscription, and is in the feed. What
// is in both is told by its sequence. Pruned, the feed has all that was broadcast up to the first that it was refused: the
// Follower hands that out, and reads on from there.
//
// It is one goroutine's, but for Cancel, Err and Stats, and starts none. It has to be ended: by its context, by Cancel, or
// by leaving a loop over All or Events.
type Follower struct {
	log     Log
	fanout  *core.Fanout[core.Envelope]
	region  region.Region
	options FollowOptions
	cancel  context.CancelCauseFunc
	waits   waits
	id      LogID
	shown   shown

	// err is why it ended; nil while it hasn't.
	//   written by: the Follower's goroutine, once
	//   read by:    Err, from any goroutine
	//   order:      none needed: what it points to is not changed
	err atomic.Pointer[error]

	// Of the goroutine that calls Next.
	cur  *Cursor         // whose place is behind what was read ahead; nil until the first call
	buf  []core.Envelope // for what is read ahead
	held []core.Envelope // read ahead, a part of buf: handed out first,
	from *uint64         // which of figures they are counted in
	mark Mark            // then this,
	last error           // then the end

	in        intake // of the feed; zero without one
	boundary  uint64 // where the Log is to be read to before the feed
	unbounded bool   // it has still to be looked for
	pulled    uint64 // nothing below it is taken from the feed
	joined    bool   // it was at the boundary
	hole      bool   // an event did not come by the feed that must be in the Log
	shut      bool   // the Fanout is closed
	missed    uint64 // below it everything was handed out, or nothing is known: 0
	full      int    // how many reads in a row filled their room
	behind    bool   // of the two, CaughtUp is to be said next
	aim       uint64 // where the Log ended when that was looked for by pull; 0 where it wasn't
	fell      bool   // FellBehind is to be said
	flapping  flapping
	figures   FollowStats

	quiet bool   // a while is over, and it is to be said how far it has come
	since uint64 // events since the last while
	said  uint64 // its place then
}

// Follow returns a Follower of the events of r that are in log and are broadcast by f. It does nothing until it is asked for
// events, and ends with ctx, with what ends a Cursor, and with what its options return.
//
// Whatever is in the Log must be broadcast by f, after it is in the Log, in the order of the Log, once: a Journal does it.
// Where that is broken the Follower ends with a *DisorderError as soon as it sees an event come late. An event that is
// never broadcast it can see only where it is the last for a while, or where r is the zero Region; then it reads it from the Log.
func Follow(ctx context.Context, log Log, f *core.Fanout[core.Envelope], r region.Region, o FollowOptions) *Follower {
	own, cancel := context.WithCancelCause(ctx)
	o, err := o.withDefaults()
	w := &Follower{
		log: log, fanout: f, region: r, options: o,
		cancel: cancel,
		waits:  waits{own: own, every: o.ProgressEvery},
		last:   err,
		behind: true,
	}
	if w.last == nil {
		w.last = followable(f, r)
	}
	w.showPlace()
	return w
}

// followable tells why events of r can't be followed by f; nil where they can.
func followable(f *core.Fanout[core.Envelope], r region.Region) error {
	if r.Clock != (region.ClockRange{}) {
		return core.ErrLiveClock
	}
	if _, located := f.Point(core.Envelope{}); !located {
		return ErrNoLocate
	}
	return nil
}

// Region returns what is asked for.
func (f *Follower) Region() region.Region { return f.region }

// Name returns that of the Fanout.
func (f *Follower) Name() string { return f.fanout.Name() }

// Place returns the sequence from which on nothing was handed out, and below which everything was. It is what to save, with the
// Log's ID, and to give From later. Before the first call of Next it is 0 where the Start is no place.
func (f *Follower) Place() uint64 {
	place, _ := f.place()
	return place
}

// place returns Place, and whether it is known.
func (f *Follower) place() (place uint64, known bool) {
	switch {
	case len(f.held) > 0:
		return f.held[0].Sequence, true
	case f.cur != nil:
		return f.cur.next, true
	case f.options.From.where == from:
		return f.options.From.seq, true
	case f.options.From.where == after:
		return f.options.From.seq + 1, true
	}
	return 0, false
}

// Next returns the next event or Mark, and waits for it. Where ctx ends first, or the Log fails for a reason that may pass, it
// returns the cause, nothing is lost, and it may be called again. Once the Follower has ended it returns, as often as asked, the error
// that Err returns; where its context ended or it was cancelled, what was read ahead comes first.
//
// A caller that waits often had better come with the same context each time.
func (f *Follower) Next(ctx context.Context) (Item, error) {
	for len(f.held) == 0 {
		if f.mark.Kind != NoMark {
			m := f.mark
			f.mark = Mark{}
			return Item{Mark: m}, nil
		}
		if err := f.step(ctx); err != nil {
			return Item{}, err
		}
	}
	i := Item{Envelope: f.held[0]}
	f.held[0] = core.Envelope{}
	f.held = f.held[1:]
	return i, nil
}

// NextBatch fills dst with the next events, at least one, and returns how many; or none and a Mark that comes before the next
// event. Otherwise it is as Next. An empty dst gets neither.
func (f *Follower) NextBatch(ctx context.Context, dst []core.Envelope) (n int, m Mark, err error) {
	if len(dst) == 0 {
		return 0, Mark{}, nil
	}
	for len(f.held) == 0 {
		if f.mark.Kind != NoMark {
			m, f.mark = f.mark, Mark{}
			return 0, m, nil
		}
		if err := f.step(ctx); err != nil {
			return 0, Mark{}, err
		}
	}
	n = copy(dst, f.held)
	clear(f.held[:n])
	f.held = f.held[n:]
	return n, Mark{}, nil
}

// All returns the events and Marks as they come, and at the end the error that Next returned, with a zero Item. When the loop
// is over, for whatever reason, the Follower has ended.
func (f *Follower) All() iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		defer func() { _ = f.end(core.ErrCancelled) }() // the body left, panicked or exited
		for {
			i, err := f.Next(context.Background())
			if err != nil {
				yield(i, f.end(err))
				return
			}
			if !yield(i, nil) {
				return
			}
		}
	}
}

// Events is All without the Marks.
func (f *Follower) Events() iter.Seq2[core.Envelope, error] {
	return func(yield func(core.Envelope, error) bool) {
		for i, err := range f.All() {
			if !i.IsMark() && !yield(i.Envelope, err) {
				return
			}
		}
	}
}

// Lag returns how many events of whatever Region lie between Place, as Stats has it, and the Log's end; before the first call of Next, between where
// that would begin and the end. Where the Log has lost its end, and Place is beyond it, the error is a *BeyondError. It may be
// called from any goroutine.
func (f *Follower) Lag(ctx context.Context) (uint64, error) {
	unplaced := f.shown.unplaced.Load()
	place := f.shown.place.Load() // before the Log is asked: it goes on meanwhile
	if unplaced {
		from, err := f.options.From.plain(ctx, f.log, f.region)
		if err != nil {
			return 0, err
		}
		if place, err = from.in(ctx, f.log); err != nil {
			return 0, err
		}
	}
	b, err := f.log.Bounds(ctx)
	if err != nil {
		return 0, err
	}
	if place > b.Next {
		return 0, &BeyondError{From: place, Next: b.Next}
	}
	return b.Next - place, nil
}

// Cancel ends the Follower, from whatever goroutine: it waits for nothing.
func (f *Follower) Cancel() {
	f.cancel(core.ErrCancelled)
	if feed := f.shown.feed.Load(); feed != nil {
		(*feed).Cancel()
	}
}

// Err returns why the Follower ended, once Next has returned it, or a loop over All was left; nil before. It may be called
// from any goroutine.
func (f *Follower) Err() error {
	if err := f.err.Load(); err != nil {
		return *err
	}
	return nil
}

// end ends the Follower, unless it has ended, and returns why it did.
func (f *Follower) end(err error) error {
	if f.Err() == nil {
		f.err.Store(&err)
		if len(f.held) > 0 { // a loop was left: what it didn't get is not handed out any more
			*f.from -= uint64(len(f.held))
			f.cur.next, f.held = f.held[0].Sequence, nil
		}
		f.mark, f.buf = Mark{}, nil
		f.leaveFeed()
		f.waits.release()
		f.cancel(err)
		f.show(Ended)
	}
	return f.Err()
}

// fail returns an error to the caller, and ends the Follower where it would come again.
func (f *Follower) fail(err error) error {
	switch {
	case f.waits.own.Err() != nil:
		cause := context.Cause(f.waits.own)
		if cause != core.ErrCancelled { //nolint:errorlint // Cancel's own is meant, not a context's cause that is one
			cause = fmt.Errorf("%w by its context: %w", core.ErrCancelled, cause)
		}
		return f.end(cause)
	case f.waits.call.Err() != nil:
		return context.Cause(f.waits.call)
	}
	for _, final := range []error{
		ErrCompacted, ErrBeyond, ErrClosed, ErrCorrupt, ErrReplaced, ErrDisorder, ErrMismatch, ErrCorruptCheckpoint, ErrCheckpointName, ErrSnapshot,
	} {
		if errors.Is(err, final) {
			return f.end(err)
		}
	}
	return err
}

// show has Stats say what the figures are.
func (f *Follower) show(s FollowState) {
	f.shown.state.Store(uint32(s))
	f.shown.parked.Store(f.figures.Parked)
	f.shown.resumed.Store(f.figures.Resumed)
	f.shown.flaps.Store(f.figures.Flaps)
	f.shown.patience.Store(int32(f.flapping.level))
	f.showPlace()
}

func (f *Follower) showPlace() {
	place, known := f.place()
	f.shown.place.Store(place)
	f.shown.unplaced.Store(!known)
	f.shown.live.Store(f.figures.Live)
	f.shown.pulled.Store(f.figures.Pulled)
}
