package cursor

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A Cursor is one reader's moving place in a Log. It hands out the events of its Region, each once and in order, and
// sleeps at the end. It is used by one goroutine at a time, starts none, and needs no closing: whoever has done with
// it drops it.
//
// An error moves nothing: the call may be made again, and succeeds where the reason has passed, as with a context's. Where
// it is ErrCompacted, ErrBeyond or ErrClosed it comes again each time, after all events that were read before.
type Cursor struct {
	log    Log
	region region.Region
	next   uint64          // where to read on
	oldest bool            // nothing was read yet, and whatever is the first will do
	held   []core.Envelope // read, and not handed out: those of Next
	ahead  []core.Envelope // what held is a part of; zero where it was handed out
}

// How many events Next reads at once: first, and at most. It is doubled whenever all of its room is filled.
const (
	leastAhead = 16
	mostAhead  = 256
)

// Open returns a Cursor over the events of r in log. It fails with what Region.Validate says of r, with a *CompactedError or a
// *BeyondError where nothing can be read at from, with what log.Bounds returns, and as FromCheckpoint says.
func Open(ctx context.Context, log Log, r region.Region, from Start) (*Cursor, error) {
	if err := r.Validate(); err != nil {
		return nil, fmt.Errorf("open a cursor: %w", err)
	}
	from, err := from.plain(ctx, log, r)
	if err != nil {
		return nil, fmt.Errorf("open a cursor %s: %w", from, err)
	}
	next, err := from.in(ctx, log)
	if err != nil {
		return nil, fmt.Errorf("open a cursor %s: %w", from, err)
	}
	return &Cursor{log: log, region: r, next: next, oldest: from.where == fromStart}, nil
}

// Region returns what is asked for.
func (c *Cursor) Region() region.Region { return c.region }

// Place returns the sequence from which on nothing was handed out, and below which everything was: what to give From
// to go on there. It moves over the events of other Regions too.
func (c *Cursor) Place() uint64 {
	if len(c.held) > 0 {
		return c.held[0].Sequence
	}
	return c.next
}

// Lag returns how many events of whatever Region lie between Place and the Log's end, dropped ones included. Where the
// Log has lost its end, and Place is beyond it, the error is a *BeyondError.
func (c *Cursor) Lag(ctx context.Context) (uint64, error) {
	b, err := c.log.Bounds(ctx)
	if err != nil {
		return 0, err
	}
	place := c.Place()
	if c.oldest {
		place = max(place, b.First)
	}
	if place > b.Next {
		return 0, &BeyondError{From: place, Next: b.Next}
	}
	return b.Next - place, nil
}

// Next returns the next event, and waits for it at the Log's end. What was read ahead is handed out also when ctx is over.
func (c *Cursor) Next(ctx context.Context) (core.Envelope, error) {
	if len(c.held) == 0 {
		if err := c.readAhead(ctx); err != nil {
			return core.Envelope{}, err
		}
	}
	return c.pop(), nil
}

// NextBatch fills dst with the next events, at least one, and returns how many; it waits at the Log's end. An empty
// dst gets none.
func (c *Cursor) NextBatch(ctx context.Context, dst []core.Envelope) (int, error) {
	for {
		n, err := c.Poll(ctx, dst)
		if n > 0 || err != nil || len(dst) == 0 {
			return n, err
		}
		if err := c.log.Wait(ctx, c.next); err != nil {
			return 0, err
		}
	}
}

// Poll fills dst with the next events and returns how many: none at the Log's end, where it doesn't wait.
func (c *Cursor) Poll(ctx context.Context, dst []core.Envelope) (int, error) {
	if len(c.held) > 0 {
		n := copy(dst, c.held)
		clear(c.held[:n])
		c.held = c.held[n:]
		return n, nil
	}
	for {
		n, next, err := c.read(ctx, dst)
		if err != nil {
			return 0, err
		}
		if n > 0 || next == c.next {
			c.next = next
			return n, nil
		}
		c.next = next
	}
}

// All returns the events as Next does, and at the end Next's error, with a zero Envelope.
func (c *Cursor) All(ctx context.Context) iter.Seq2[core.Envelope, error] {
	return func(yield func(core.Envelope, error) bool) {
		for {
			e, err := c.Next(ctx)
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// readAhead waits for the next events and keeps them in held.
func (c *Cursor) readAhead(ctx context.Context) error {
	n, err := c.NextBatch(ctx, c.room())
	if err == nil {
		c.keep(n)
	}
	return err
}

// room is where to read ahead. Nothing is held.
func (c *Cursor) room() []core.Envelope {
	if c.ahead == nil {
		c.ahead = make([]core.Envelope, leastAhead)
	}
	return c.ahead
}

// keep holds the first n of what was read into room.
func (c *Cursor) keep(n int) {
	c.held = c.ahead[:n]
	if n == len(c.ahead) && n < mostAhead {
		c.ahead = make([]core.Envelope, 2*n) // for the next time: held keeps this one until it is handed out
	}
}

// pop returns the first that is held.
func (c *Cursor) pop() core.Envelope {
	e := c.held[0]
	c.held[0] = core.Envelope{}
	c.held = c.held[1:]
	return e
}

// read is log.Read, which a Cursor that began at the oldest event follows up, until it has read once, if retention
// is quicker. Each time round, retention has moved on, or the error is handed on.
func (c *Cursor) read(ctx context.Context, dst []core.Envelope) (n int, next uint64, err error) {
	for {
		n, next, err = c.log.Read(ctx, c.region, c.next, dst)
		if err == nil {
			c.oldest = false
			return n, next, nil
		}
		compacted, ok := errors.AsType[*CompactedError](err)
		if !c.oldest || !ok || compacted.First <= c.next {
			return 0, next, err
		}
		c.next = compacted.First
	}
}
