package fuzz_test

import (
	"context"
	"slices"
	"testing"

	"github.com/spillwayhq/spillway/adapters/latest"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

type charts struct {
	*hall
	of []*chart
}

// FuzzLatest reads bytes as what one writer, or several at the same time, and readers do with keys. Each key's newest
// event is read once, in the order of their first change; the others are counted; MaxKeys is exact.
func FuzzLatest(f *testing.F) {
	const (
		two     = "\x00\x31" // of four keys, two
		all     = "\x00\x47" // of five, and what is none, eight
		leased  = "\x00\xb2"
		one     = "\x01\x01"
		other   = "\x01\x02"
		third   = "\x01\x03"
		none    = "\x01\x05"
		atOnce  = "\x02\x55\x01\x02\x01\x00\x02\x01\x00\x02"
		more    = "\x02\xfe\x00\x01\x02\x03\x01\x00\x03\x02\x02\x01\x00\x03"
		next    = "\x03\x00"
		leave   = "\x04\x00\x02"
		wait    = "\x05\x00"
		cancel  = "\x06\x01"
		context = "\x07"
		closing = "\x08"
	)
	for _, start := range []string{"\x00\x20", "\x00\x47", "\x01\x32"} {
		f.Add([]byte(start))
		f.Add([]byte(start + two + one + one + other + one + next + next + next + third + next))
		f.Add([]byte(start + all + one + other + atOnce + one + leave + more + none + next + next))
		f.Add([]byte(start + two + leased + wait + one + wait + more + other + context + next + closing + next))
		f.Add([]byte(start + all + leased + third + other + one + third + cancel + next + leave + closing + next + one))
	}
	f.Fuzz(func(t *testing.T, ops []byte) {
		enter(t, ops, func(h *hall) {
			c := &charts{hall: h}
			c.open()
			for len(h.tape.rest) > 0 {
				c.play(h.op(9))
				c.compare()
			}
			c.play(8)
			c.compare()
			for which, s := range c.of {
				for range len(s.waiting) + 2 {
					c.read(which)
				}
			}
		})
	})
}

func (c *charts) play(op byte) {
	which := 0
	if op >= 3 && op <= 6 {
		which = int(c.tape.byte()) % len(c.of)
	}
	s := c.of[which]
	switch op {
	case 0:
		if len(c.of) < 3 {
			c.open()
		}
	case 1:
		c.offer(c.event(0))
	case 2:
		for k := 0; slices.ContainsFunc(c.of, func(s *chart) bool { return s.pending && !s.over }); k++ {
			c.offer(event{n: -k, key: k % 16}) // so that nobody reads meanwhile
		}
		if batch := c.batch(); len(batch) == 1 {
			c.offer(batch[0][0])
		} else {
			c.offerAtOnce(batch)
		}
	case 3:
		c.read(which)
	case 4:
		c.leave(which, int(c.tape.byte()%4)+1)
	case 5:
		if !s.pending {
			s.pending = true
			go func() {
				e, err := s.sub.Next(context.Background())
				s.reads <- read{[]event{e}, err}
			}()
		}
	case 6:
		s.sub.Cancel()
		s.end(core.ErrCancelled)
	case 7:
		for _, s := range c.of {
			if s.leased {
				s.end(errOwn)
			}
		}
		c.endContext()
	case 8:
		for _, s := range c.of {
			s.end(core.ErrClosed)
		}
		c.close()
	}
}

// open subscribes; with the Fanout closed, nobody.
func (c *charts) open() {
	b := int(c.tape.byte())
	s := &chart{
		keys: b/16%8 + 1, maxKeys: b%8 + 1, leased: b >= 128, reads: make(chan read, 1),
		seen: make(map[float64]bool), newest: make(map[float64]event),
	}
	var err error
	s.sub, err = latest.Subscribe(c.lease(s.leased), c.f, region.Region{}, latest.Options{MaxKeys: s.maxKeys}, s.keyOf)
	if c.closed {
		if err != core.ErrClosed {
			c.t.Fatalf("Subscribe of a closed Fanout: %v", err)
		}
		return
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.of = append(c.of, s)
}

// offer broadcasts one event.
func (c *charts) offer(e event) {
	var want core.Outcome
	for _, s := range c.of {
		if s.over {
			continue
		}
		want.Matched++
		if s.accept(e) {
			want.Accepted++
		} else {
			want.Pruned++
		}
	}
	if got := c.broadcast([][]event{{e}}); got != want {
		c.t.Fatalf("Broadcast of %+v: got %+v, want %+v", e, got, want)
	}
	c.settle()
}

// offerAtOnce broadcasts what several writers have at the same time, and reads all that there is after it.
func (c *charts) offerAtOnce(batch [][]event) {
	out := c.broadcast(batch)
	c.rest()
	accepted, pruned := 0, 0
	for which, s := range c.of {
		if s.over {
			continue
		}
		var got []event
		for e, err := s.sub.Next(c.over); err == nil; e, err = s.sub.Next(c.over) {
			got = append(got, e)
		}
		n, err := s.note(batch, got)
		c.must(which, err)
		accepted += n
		pruned += s.refused
	}
	if want := (core.Outcome{Matched: accepted + pruned, Accepted: accepted, Pruned: pruned}); out != want {
		c.t.Fatalf("Broadcast of %v at the same time: got %+v, want %+v", batch, out, want)
	}
}

// settle waits for those who wait and have something to wake up for; all of them wait still where there is nothing.
func (c *charts) settle() {
	c.rest()
	for which, s := range c.of {
		if !s.pending {
			continue
		}
		select {
		case got := <-s.reads:
			s.pending = false
			c.must(which, s.check(got, nil))
		default:
			if s.over || len(s.waiting) > 0 {
				c.t.Fatalf("subscription %d: a reader waits, keys %v wait, over: %v", which, s.waiting, s.over)
			}
		}
	}
}

// read reads without waiting.
func (c *charts) read(which int) {
	s := c.of[which]
	e, err := s.sub.Next(c.over)
	c.must(which, s.check(read{[]event{e}, err}, errTooLate))
}

// leave ranges over All and leaves it after up to n events, if there is one.
func (c *charts) leave(which, n int) {
	s := c.of[which]
	if len(s.waiting) == 0 && !s.over {
		return
	}
	n = min(n, len(s.waiting)) // when it is over, the end comes after them
	for e, err := range s.sub.All() {
		c.must(which, s.check(read{[]event{e}, err}, nil))
		if n--; n == 0 {
			break
		}
	}
	s.end(core.ErrCancelled)
}

// compare holds each subscription against what it must be like.
func (c *charts) compare() {
	c.settle()
	for which, s := range c.of {
		held, lost := s.sub.Len(), s.sub.Lost()
		if held != len(s.waiting) || lost != s.lost {
			c.t.Fatalf("subscription %d: %d keys wait, %d lost; want %v and %d", which, held, lost, s.waiting, s.lost)
		}
		if s.received+held+int(lost)+s.refused != s.offered {
			c.t.Fatalf("subscription %d: offered %d; received %d, holds %d, lost %d, refused %d",
				which, s.offered, s.received, held, lost, s.refused)
		}
		c.must(which, s.checkEnd())
	}
}
