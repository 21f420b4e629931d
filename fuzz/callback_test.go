package fuzz_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/spillwayhq/spillway/adapters/callback"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A desk is a callback beside what it must be like. Its function does what it is told, until it is told to return.
type desk struct {
	seat
	sub    *callback.Subscription
	orders chan func() // nil: return
	calls  []event     // as the function was called
	waited chan error  // what a Wait that was begun with it returned

	busy   bool // in a call
	halted bool // takes up no more
	known  int  // calls that have been compared
}

type desks struct {
	*hall
	of []*desk
}

// FuzzCallback reads bytes as what one writer, or several at the same time, do, and what functions do that are called:
// return, panic, broadcast, cancel themselves. Calls come in order, one at a time; what waits is what a slice of
// the limit would hold; Wait returns when there will be no call any more, not before.
func FuzzCallback(f *testing.F) {
	const (
		one     = "\x00\x00" // a queue of one
		three   = "\x00\x02"
		leased  = "\x00\x12"
		event   = "\x01\x01"
		atOnce  = "\x02\x01\x55\x01\x02\x03\x04\x05\x06\x07\x08"
		back    = "\x03\x00"
		back1   = "\x03\x01"
		panics  = "\x04\x00"
		exits   = "\x05\x01"
		inside  = "\x06\x00\x00\x01"
		itself  = "\x06\x01\x01"
		opens   = "\x06\x00\x02\x03"
		shuts   = "\x06\x00\x03"
		cancel  = "\x07\x00"
		context = "\x08"
		closing = "\x09"
	)
	for _, start := range []string{"\x00\x00", "\x00\x04", "\x01\x00", "\x01\x13"} {
		f.Add([]byte(start))
		f.Add([]byte(start + event + event + back + event + event + back + back + event + closing + back + back))
		f.Add([]byte(start + three + atOnce + back + back1 + atOnce + inside + back + back1 + cancel + back + closing))
		f.Add([]byte(start + leased + one + event + event + panics + event + exits + context + back + back1 + event))
		f.Add([]byte(start + three + event + event + itself + back1 + opens + event + inside + back + shuts + back + back))
		f.Add([]byte(start + event + cancel + three + event + event + context + leased + atOnce + context + back1 + exits))
	}
	f.Fuzz(func(t *testing.T, ops []byte) {
		enter(t, ops, func(h *hall) {
			d := &desks{hall: h}
			d.open(at(h))
			for len(h.tape.rest) > 0 {
				d.play(h.op(10))
				d.compare()
			}
			d.play(9)
			d.compare()
			for _, s := range d.of {
				for s.busy {
					s.order(nil)
					d.compare()
				}
				if !s.finished() {
					t.Fatalf("closed, and nobody is in a call: %v wait", s.line.len())
				}
			}
		})
	})
}

// A venue is where something is done: by the writer, or in a call of a function.
type venue func(do func())

// at is the writer's goroutine.
func at(h *hall) venue { return func(do func()) { do(); h.rest() } }

// in is the call that s is in.
func (d *desks) in(s *desk) venue { return func(do func()) { s.orders <- do; d.rest() } }

func (d *desks) play(op byte) {
	which := 0
	if op >= 3 && op <= 7 {
		which = int(d.tape.byte()) % len(d.of)
	}
	s := d.of[which]
	switch op {
	case 0:
		d.open(at(d.hall))
	case 1:
		d.offer(at(d.hall), d.one())
	case 2:
		d.offer(at(d.hall), d.one()) // now all are in a call: else it would not be known what finds room
		d.settle()
		d.offer(at(d.hall), d.batch())
	case 3, 4, 5:
		if s.busy {
			s.order([]func(){nil, func() { panic(errOwn) }, runtime.Goexit}[op-3])
		}
	case 6:
		if s.busy {
			d.playInside(s)
		}
	case 7:
		s.cancel(at(d.hall))
	case 8:
		for _, s := range d.of {
			if s.leased {
				s.halted = true
				s.end(errOwn)
			}
		}
		d.endContext()
	case 9:
		d.shut(at(d.hall))
	}
}

// playInside has the function do something that isn't over with its call.
func (d *desks) playInside(s *desk) {
	where := d.in(s)
	switch d.tape.byte() % 4 {
	case 0:
		d.offer(where, d.one())
	case 1:
		s.cancel(where)
	case 2:
		d.open(where)
	case 3:
		d.shut(where)
	}
}

func (d *desks) shut(where venue) {
	for _, s := range d.of {
		s.end(core.ErrClosed)
	}
	where(d.close)
}

func (s *desk) cancel(where venue) {
	s.halted = true
	s.end(core.ErrCancelled)
	where(s.sub.Cancel)
}

// order tells the function that is called to return, to panic or to exit.
func (s *desk) order(do func()) {
	s.busy = false
	s.orders <- do
	if do != nil {
		s.halted = true
		s.end(errPanicked)
	}
}

// errPanicked stands for a PanicError.
var errPanicked = errors.New("the function panicked")

// open subscribes; with the Fanout closed, nobody.
func (d *desks) open(where venue) {
	b := d.tape.byte()
	if len(d.of) == 3 {
		return
	}
	s := &desk{
		seat:   seat{limit: int(b%16) + 1, leased: b&16 != 0},
		orders: make(chan func()), waited: make(chan error, 1),
	}
	var err error
	where(func() {
		s.sub, err = callback.Subscribe(d.lease(s.leased), d.f, region.Region{}, callback.Options{Queue: s.limit}, func(e event) {
			s.calls = append(s.calls, e)
			for do := <-s.orders; do != nil; do = <-s.orders {
				do()
			}
		})
	})
	if d.closed {
		if err != core.ErrClosed {
			d.t.Fatalf("Subscribe of a closed Fanout: %v", err)
		}
		return
	}
	if err != nil {
		d.t.Fatal(err)
	}
	d.of = append(d.of, s)
	go func() { s.waited <- s.sub.Wait(context.Background()) }()
}

// offer broadcasts, and compares what that is said to have done.
func (d *desks) offer(where venue, batch [][]event) {
	var got, want core.Outcome
	for _, s := range d.of {
		out := s.offer(batch)
		want.Matched += out.Matched
		want.Accepted += out.Accepted
		want.Pruned += out.Pruned
	}
	if where(func() { got = d.broadcast(batch) }); got != want {
		d.t.Fatalf("Broadcast of %v at the same time: got %+v, want %+v", batch, got, want)
	}
}

// settle waits until nothing happens any more, and looks who has been called since.
func (d *desks) settle() {
	d.rest()
	for which, s := range d.of {
		called := s.calls[s.known:]
		s.known = len(s.calls)
		want := 0
		if !s.busy && !s.halted && s.line.len() > 0 {
			want = 1
		}
		if len(called) != want {
			d.t.Fatalf("callback %d: called with %v; busy: %v, halted: %v, %d wait", which, called, s.busy, s.halted, s.line.len())
		}
		s.busy = s.busy || want > 0
		d.must(which, s.take(called...))
	}
}

// finished tells whether no call runs or ever will.
func (s *desk) finished() bool { return !s.busy && (s.halted || s.over && s.line.len() == 0) }

// compare holds each callback against what it must be like.
func (d *desks) compare() {
	d.settle()
	for which, s := range d.of {
		d.must(which, s.checkAccount(s.sub.Len(), 0))
		d.must(which, s.checkWait(d.over))
		err := s.sub.Err()
		if s.over && s.cause == errPanicked {
			var panicked *core.PanicError
			if !errors.As(err, &panicked) || panicked.Value != error(errOwn) && panicked.Value != error(core.ErrGoexit) {
				d.t.Fatalf("callback %d: Err is %v; its function panicked", which, err)
			}
			continue
		}
		d.must(which, s.checkEnd(err, s.sub.Done()))
	}
}

// checkWait looks whether Wait returns just when it may.
func (s *desk) checkWait(over context.Context) error {
	err := s.sub.Wait(over)
	if s.finished() && err != nil || !s.finished() && err != errTooLate {
		return fmt.Errorf("Wait returned %w; finished: %v", err, s.finished())
	}
	select {
	case err := <-s.waited:
		if !s.finished() || err != nil {
			return fmt.Errorf("a Wait has returned %w; finished: %v", err, s.finished())
		}
		s.waited <- nil
	default:
		if s.finished() {
			return errors.New("a Wait has not returned, and no call runs or ever will")
		}
	}
	return nil
}
