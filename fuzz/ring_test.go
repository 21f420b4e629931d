package fuzz_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/spillwayhq/spillway/adapters/ring"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A read is what one call that reads has returned.
type read struct {
	events []event
	err    error
}

// A ringSeat is a ring beside what it must be like.
type ringSeat struct {
	seat
	sub     *ring.Subscription[event]
	waiting int // goroutines that wait in Next
	reads   chan read
}

type rings struct {
	*hall
	seats []*ringSeat
}

// FuzzRing reads bytes as what one writer, or several at the same time, and readers do with rings of every sort. After
// each operation each ring holds, has lost, has ended as a slice of its capacity would have.
func FuzzRing(f *testing.F) {
	const (
		prune1    = "\x00\x00" // a ring of one
		prune3    = "\x00\x02"
		over2     = "\x00\x11" // one of two that overwrites
		leased4   = "\x00\x23" // one of four, with the context
		one       = "\x01\x01"
		falls     = "\x01\x71\x01\x01" // the second has a lower sequence
		atOnce    = "\x02\x55\x01\x02\x03\x04\x05\x06\x07\x08"
		next      = "\x03\x00"
		batch     = "\x04\x00\x05"
		leave     = "\x05\x01\x02"
		wait      = "\x06\x00"
		cancel    = "\x07\x00"
		contextly = "\x08"
		closing   = "\x09"
	)
	for _, start := range []string{"\x00\x00", "\x00\x11", "\x01\x02", "\x01\x12"} {
		f.Add([]byte(start))
		f.Add([]byte(start + prune3 + one + one + next + one + one + one + batch + batch))
		f.Add([]byte(start + prune1 + over2 + falls + one + next + batch + one + leave + next + next))
		f.Add([]byte(start + over2 + wait + one + wait + wait + atOnce + atOnce + batch + one + one + one + closing + batch + next))
		f.Add([]byte(start + leased4 + over2 + wait + atOnce + one + contextly + leased4 + one + cancel + batch + wait))
		f.Add([]byte(start + prune3 + prune3 + one + cancel + next + next + closing + prune1 + one))
	}
	f.Fuzz(func(t *testing.T, ops []byte) {
		enter(t, ops, func(h *hall) {
			r := &rings{hall: h}
			r.open()
			for len(h.tape.rest) > 0 {
				r.play(h.op(10))
				r.compare()
			}
			r.play(9)
			r.compare()
			for which := range r.seats {
				for range r.seats[which].limit + 2 {
					r.read(which, 1)
				}
			}
		})
	})
}

func (r *rings) play(op byte) {
	which := 0
	if op >= 3 && op <= 7 {
		which = int(r.tape.byte()) % len(r.seats)
	}
	s := r.seats[which]
	switch op {
	case 0:
		if len(r.seats) < 4 {
			r.open()
		}
	case 1:
		r.offer(r.one())
	case 2:
		r.wake()
		r.offer(r.batch())
	case 3:
		r.read(which, 1)
	case 4:
		r.read(which, int(r.tape.byte()%8)+2)
	case 5:
		r.leave(which, int(r.tape.byte()%4)+1)
	case 6:
		if s.waiting < 3 {
			s.waiting++
			go func() {
				e, err := s.sub.Next(context.Background())
				s.reads <- read{[]event{e}, err}
			}()
		}
	case 7:
		s.sub.Cancel()
		s.end(core.ErrCancelled)
	case 8:
		for _, s := range r.seats {
			if s.leased {
				s.end(errOwn)
			}
		}
		r.endContext()
	case 9:
		for _, s := range r.seats {
			s.end(core.ErrClosed)
		}
		r.close()
	}
}

// open opens a ring; with the Fanout closed, none.
func (r *rings) open() {
	b := r.tape.byte()
	o := ring.Options{Capacity: int(b%16) + 1}
	if b&16 != 0 {
		o.WhenFull = ring.Overwrite
	}
	s := &ringSeat{seat: seat{limit: o.Capacity, overwrites: b&16 != 0, leased: b&32 != 0}, reads: make(chan read, 3)}
	var err error
	s.sub, err = ring.Subscribe(r.lease(s.leased), r.f, region.Region{}, o)
	if r.closed {
		if err != core.ErrClosed {
			r.t.Fatalf("Subscribe of a closed Fanout: %v", err)
		}
		return
	}
	if err != nil {
		r.t.Fatal(err)
	}
	r.seats = append(r.seats, s)
}

// offer broadcasts, and compares what that is said to have done.
func (r *rings) offer(batch [][]event) {
	var want core.Outcome
	for _, s := range r.seats {
		out := s.offer(batch)
		want.Matched += out.Matched
		want.Accepted += out.Accepted
		want.Pruned += out.Pruned
	}
	if got := r.broadcast(batch); got != want {
		r.t.Fatalf("Broadcast of %v at the same time: got %+v, want %+v", batch, got, want)
	}
	r.settle()
}

// wake gives all who wait an event each, so that nobody reads while several write: it would not be known what finds room.
func (r *rings) wake() {
	for again := true; again; {
		again = false
		for _, s := range r.seats {
			if s.waiting > 0 && !s.over {
				again = true
			}
		}
		if again {
			r.offer(r.one())
		}
	}
}

// settle waits for those who wait and have something to wake up for; all of them wait still where there is nothing.
func (r *rings) settle() {
	r.rest()
	for which, s := range r.seats {
		for s.waiting > 0 {
			select {
			case got := <-s.reads:
				s.waiting--
				r.must(which, s.check(got, 1, nil))
			default:
				if s.over || s.line.len() > 0 {
					r.t.Fatalf("subscription %d: %d wait in Next, %d events wait, over: %v", which, s.waiting, s.line.len(), s.over)
				}
			}
			if !s.over && s.line.len() == 0 {
				break
			}
		}
	}
}

// read reads without waiting, with Next where there is room for one.
func (r *rings) read(which, room int) {
	s := r.seats[which]
	got := read{events: make([]event, room)}
	if room == 1 {
		got.events[0], got.err = s.sub.Next(r.over)
	} else {
		var n int
		n, got.err = s.sub.NextBatch(r.over, got.events)
		if n > room || n == 0 && got.err == nil {
			r.t.Fatalf("subscription %d: NextBatch returned %d, %v for %d", which, n, got.err, room)
		}
		got.events = got.events[:n]
	}
	r.must(which, s.check(got, room, errTooLate))
}

// check compares what was read with what there was to be read.
func (s *ringSeat) check(got read, room int, whenNothing error) error {
	switch {
	case s.line.len() > 0:
		if want := min(room, s.line.len()); got.err != nil || len(got.events) != want {
			return fmt.Errorf("read %v, %w; want %d events", got.events, got.err, want)
		}
		return s.take(got.events...)
	case s.over:
		if got.err == nil || got.err != s.sub.Err() {
			return fmt.Errorf("read %v, %w; it had ended with %w", got.events, got.err, s.sub.Err())
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

// leave ranges over All and leaves it after up to n events, if there is one.
func (r *rings) leave(which, n int) {
	s := r.seats[which]
	if s.line.len() == 0 && !s.over {
		return
	}
	n = min(n, s.line.len()) // when it is over, the end comes after them
	for e, err := range s.sub.All() {
		r.must(which, s.check(read{[]event{e}, err}, 1, nil))
		if n--; n == 0 {
			break
		}
	}
	s.end(core.ErrCancelled)
}

// compare holds each ring against what it must be like.
func (r *rings) compare() {
	r.settle()
	live := 0
	for which, s := range r.seats {
		r.must(which, s.checkAccount(s.sub.Len(), s.sub.Lost()))
		r.must(which, s.checkEnd(s.sub.Err(), s.sub.Done()))
		if !s.over {
			live++
		}
	}
	if r.f.Len() != live {
		r.t.Fatalf("%d live, want %d", r.f.Len(), live)
	}
}
