package fuzz_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/spillwayhq/spillway/adapters/multicast"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A place is a Reader beside its place in the list of all that was broadcast.
type place struct {
	reader   *multicast.Reader[event]
	at       int
	expected uint64 // what it may have missed first, while sequences rise
	leased   bool
	waiting  bool // a goroutine waits in Next
	reads    chan read

	over   bool
	lapped bool
	until  int  // when it was, this had been broadcast: what came later it didn't miss, it was over
	drains bool // it ended with the ring, and has yet to read what that holds
	cause  error
}

type circle struct {
	*hall
	ring     *multicast.Ring[event]
	capacity int
	leased   bool  // with the hall's first context; its Readers are not, since either end might come first
	cause    error // why the ring is over
	places   []*place

	// all is what was broadcast. The order of what was broadcast at the same time is the one that the witness read, or, where
	// that was lapped, not known: nobody else can read it either.
	all     []event
	witness *multicast.Reader[event]
	late    uint64 // how far below one more than the highest before it a sequence has been
}

// FuzzMulticast reads bytes as what writers and Readers do with one ring. Every Reader reads what one of a list does
// that remembers so many, all in the same order, and is lapped exactly when it has fallen behind by one more.
func FuzzMulticast(f *testing.F) {
	const (
		next    = "\x00\x00"
		oldest  = "\x00\x01"
		leased  = "\x00\x03"
		one     = "\x01\x01"
		falls   = "\x01\x71\x01\x01"
		atOnce  = "\x02\x56\x01\x02\x03\x04\x05\x06\x07\x08"
		many    = "\x02\xfe\x01\x72\x03\x04\x75\x06\x07\x08\x01\x02\x03\x04\x05\x06\x07\x08"
		read    = "\x03\x00"
		batch   = "\x04\x01\x05"
		leave   = "\x05\x00\x02"
		wait    = "\x06\x01"
		cancel  = "\x07\x00"
		context = "\x08"
		ring    = "\x09\x00"
		closing = "\x09\x01"
	)
	for _, start := range []string{"\x00\x00", "\x00\x02", "\x00\x08", "\x01\x00", "\x01\x01", "\x01\x07"} {
		f.Add([]byte(start))
		f.Add([]byte(start + next + one + one + read + oldest + batch + one + one + one + read + batch + batch))
		f.Add([]byte(start + next + oldest + wait + many + atOnce + batch + oldest + one + wait + read + ring + read + batch))
		f.Add([]byte(start + falls + leased + one + oldest + many + next + falls + wait + context + one + batch + closing + next))
		f.Add([]byte(start + next + one + leave + oldest + leased + one + cancel + one + batch + atOnce + closing + batch + batch))
	}
	f.Fuzz(func(t *testing.T, ops []byte) {
		enter(t, ops, func(h *hall) {
			c := &circle{hall: h}
			b := h.tape.byte()
			c.capacity = int(b%16) + 1
			c.leased = b&16 != 0
			var err error
			if c.ring, err = multicast.Open(h.lease(c.leased), h.f, region.Region{}, c.capacity); err != nil {
				t.Fatal(err)
			}
			c.watch(multicast.FromNext)
			for len(h.tape.rest) > 0 {
				c.play(h.op(10))
				c.compare()
			}
			c.end(core.ErrClosed)
			h.close()
			c.compare()
			for which := range c.places {
				for range c.capacity + 2 {
					c.read(which, 1)
				}
				c.compare()
			}
		})
	})
}

// watch begins a Reader that reads at once whatever comes.
func (c *circle) watch(from multicast.Start) {
	var err error
	if c.witness, err = c.ring.Reader(context.Background(), from); err != nil {
		c.t.Fatal(err)
	}
}

func (c *circle) play(op byte) {
	switch op {
	case 0:
		c.join()
	case 1:
		c.offer(c.one())
	case 2:
		for slices.ContainsFunc(c.places, func(p *place) bool { return p.waiting }) && c.cause == nil {
			c.offer(c.one())
		}
		c.offer(c.batch())
	case 8:
		for _, p := range c.places {
			if p.leased {
				p.end(errOwn)
			}
		}
		if c.leased {
			c.end(errOwn)
		}
		c.endContext()
	case 9:
		if c.tape.byte()%2 == 0 {
			c.end(core.ErrCancelled)
			c.ring.Cancel()
		} else {
			c.end(core.ErrClosed)
			c.close()
		}
	default:
		which := int(c.tape.byte())
		if len(c.places) > 0 {
			c.playReader(op, which%len(c.places))
		}
	}
}

func (c *circle) playReader(op byte, which int) {
	p := c.places[which]
	switch op {
	case 3:
		c.read(which, 1)
	case 4:
		c.read(which, int(c.tape.byte()%20)+2)
	case 5:
		c.leave(which, int(c.tape.byte()%4)+1)
	case 6:
		if !p.waiting {
			p.waiting = true
			go func() {
				e, err := p.reader.Next(context.Background())
				p.reads <- read{[]event{e}, err}
			}()
		}
	case 7:
		p.reader.Cancel()
		p.end(core.ErrCancelled)
	}
}

// join begins a Reader; of a ring that is over, none.
func (c *circle) join() {
	b := c.tape.byte()
	from := multicast.Start(b % 2)
	p := &place{at: len(c.all), leased: b&2 != 0 && !c.leased, reads: make(chan read, 1)}
	if from == multicast.FromOldest {
		p.at = max(0, len(c.all)-c.capacity)
	}
	if len(c.places) == 6 {
		return
	}
	var err error
	p.reader, err = c.ring.Reader(c.lease(p.leased), from)
	if c.cause != nil {
		if err == nil || err != c.ring.Err() {
			c.t.Fatalf("Reader of a ring that is over: %v, want %v", err, c.ring.Err())
		}
		return
	}
	if err != nil {
		c.t.Fatal(err)
	}
	switch {
	case from == multicast.FromOldest && p.at < len(c.all):
		p.expected = c.all[p.at].sequence
	case p.at > 0:
		p.expected = c.all[p.at-1].sequence + 1
	}
	c.places = append(c.places, p)
}

// offer broadcasts, and has the witness say in which order that came.
func (c *circle) offer(batch [][]event) {
	var want core.Outcome
	if c.cause == nil {
		want = core.Outcome{Matched: count(batch), Accepted: count(batch)}
	}
	if got := c.broadcast(batch); got != want {
		c.t.Fatalf("Broadcast of %v at the same time: got %+v, want %+v", batch, got, want)
	}
	if c.cause != nil {
		return
	}
	c.rest()
	got := make([]event, count(batch)+1)
	n, err := c.witness.NextBatch(c.over, got)
	if lapped := count(batch) > c.capacity; lapped {
		if !errors.Is(err, core.ErrPruned) {
			c.t.Fatalf("the witness is lapped by %v: got %v, %v", batch, got[:n], err)
		}
		c.watch(multicast.FromOldest)
		n, err = c.witness.NextBatch(c.over, got)
	}
	if want := min(count(batch), c.capacity); n != want || err != nil {
		c.t.Fatalf("the witness got %v, %v, want %d of %v", got[:n], err, want, batch)
	}
	c.note(batch, got[:n])
	c.settle()
}

// settle waits for those who wait and have something to wake up for; all of them wait still where there is nothing.
func (c *circle) settle() {
	c.rest()
	for which, p := range c.places {
		if !p.waiting {
			continue
		}
		select {
		case got := <-p.reads:
			p.waiting = false
			c.must(which, c.check(p, got, 1, nil))
		default:
			if p.over || len(c.all) > p.at {
				c.t.Fatalf("reader %d waits in Next at %d of %d, over: %v", which, p.at, len(c.all), p.over)
			}
		}
	}
}

// note appends a batch to the list of all, those that were read last, in their order.
func (c *circle) note(batch [][]event, seen []event) {
	var order line
	order.put(batch, count(batch))
	order.lose(count(batch) - len(seen))
	for _, e := range seen {
		c.must(-1, order.take(e))
	}
	unseen := slices.DeleteFunc(slices.Concat(batch...), func(e event) bool { return slices.Contains(seen, e) })
	before := len(c.all)
	c.all = append(append(c.all, unseen...), seen...)
	for _, e := range c.all[before:] {
		for _, other := range c.all { // any of those at the same time may have been before it
			if other != e && other.sequence >= e.sequence && (other.n < e.n || count(batch) > 1) {
				c.late = max(c.late, other.sequence+1-e.sequence)
			}
		}
	}
}

// end ends the ring, and its Readers: who isn't lapped may read on.
func (c *circle) end(cause error) {
	if c.cause != nil {
		return
	}
	c.cause = cause
	for _, p := range c.places {
		if p.over {
			continue
		}
		p.end(cause)
		p.lapped = len(c.all)-p.at > c.capacity
		p.drains, p.until = !p.lapped, len(c.all)
	}
}

func (p *place) end(cause error) {
	if !p.over {
		p.over, p.cause = true, cause
	}
}

// read reads without waiting, with Next where there is room for one.
func (c *circle) read(which, room int) {
	p := c.places[which]
	got := read{events: make([]event, room)}
	if room == 1 {
		got.events[0], got.err = p.reader.Next(c.over)
	} else {
		var n int
		n, got.err = p.reader.NextBatch(c.over, got.events)
		if n > room || n == 0 && got.err == nil {
			c.t.Fatalf("reader %d: NextBatch returned %d, %v for %d", which, n, got.err, room)
		}
		got.events = got.events[:n]
	}
	c.must(which, c.check(p, got, room, errTooLate))
}

// check compares what was read with what there was to be read.
func (c *circle) check(p *place, got read, room int, whenNothing error) error {
	if !p.over && len(c.all)-p.at > c.capacity {
		p.over, p.lapped, p.until = true, true, len(c.all)
	}
	here := c.all[p.at:]
	switch {
	case len(here) > 0 && !p.lapped && (!p.over || p.drains):
		here = here[:min(room, len(here))]
		if got.err != nil || !slices.Equal(got.events, here) {
			return fmt.Errorf("read %v, %w; want %v", got.events, got.err, here)
		}
		p.at += len(here)
		p.expected = c.all[p.at-1].sequence + 1
		return nil
	case p.over:
		if got.err == nil || got.err != p.reader.Err() {
			return fmt.Errorf("read %v, %w; it had ended with %w", got.events, got.err, p.reader.Err())
		}
	case !errors.Is(got.err, whenNothing) || whenNothing == nil:
		return fmt.Errorf("read %v, %w; nothing was there", got.events, got.err)
	}
	for _, e := range got.events {
		if e != (event{}) {
			return fmt.Errorf("read %+v beside %w", e, got.err)
		}
	}
	return nil
}

// leave ranges over All and leaves it after up to n events, if it doesn't have to wait for one.
func (c *circle) leave(which, n int) {
	p := c.places[which]
	here := len(c.all) - p.at
	if here == 0 && !p.over {
		return
	}
	n = min(n, here)
	for e, err := range p.reader.All() {
		c.must(which, c.check(p, read{[]event{e}, err}, 1, nil))
		if n--; n == 0 {
			break
		}
	}
	p.end(core.ErrCancelled)
}

// compare holds each Reader against what it must be like.
func (c *circle) compare() {
	c.settle()
	if (c.ring.Err() != nil) != (c.cause != nil) || c.cause != nil && c.ring.Err() != c.cause && !errors.Is(c.ring.Err(), c.cause) {
		c.t.Fatalf("the ring's Err is %v, want %v", c.ring.Err(), c.cause)
	}
	for which, p := range c.places {
		if got := p.reader.Lag(); got != len(c.all)-p.at {
			c.t.Fatalf("reader %d: Lag is %d, want %d", which, got, len(c.all)-p.at)
		}
		c.must(which, c.checkEnd(p))
	}
}

// checkEnd looks whether the Reader's end is told as it was.
func (c *circle) checkEnd(p *place) error {
	closed, err := false, p.reader.Err()
	select {
	case <-p.reader.Done():
		closed = true
	default:
	}
	switch {
	case closed != p.over || (err != nil) != p.over:
		return fmt.Errorf("over: %v; Done is closed: %v, Err is %w", p.over, closed, err)
	case !p.over:
		return nil
	case !p.lapped:
		return checkCause(err, p.cause)
	}
	var pruned *core.PrunedError
	if !errors.As(err, &pruned) {
		return fmt.Errorf("Err is %w; want a prune", err)
	}
	least := c.all[p.at].sequence
	for _, e := range c.all[p.at:p.until] {
		least = min(least, e.sequence)
	}
	if pruned.Fanout != "fuzz" || pruned.ID != c.ring.ID() || pruned.Verdict != core.Full || !pruned.HasMissed ||
		pruned.Missed > least || pruned.Missed < p.expected-min(p.expected, c.late) {
		return fmt.Errorf("Err is %+v; it missed %d and all after, expected %d, and events are %d late at most", pruned, least, p.expected, c.late)
	}
	return nil
}
