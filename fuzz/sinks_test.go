package fuzz_test

import (
	"context"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/fuzz"
	"github.com/spillwayhq/spillway/region"
)

// A player is a subscription of the Fanout, beside its twin in the model.
type player struct {
	twin *fuzz.ModelSub
	sub  *core.Subscription
	ctx  context.Context
	sink interface {
		core.Sink[region.Point]
		take(n int)
		state() (received, held []uint64, closes []error)
	}
}

// A tray is an offered sink: a slice of a certain capacity. Everything happens on one goroutine, but Close,
// and that is over when Wait returns.
type tray struct {
	capacity       int
	refuses        core.Verdict
	received, kept []uint64
	closes         []error
}

func (s *tray) Offer(p region.Point) core.Verdict {
	if v := s.refuses; v != core.Accepted {
		s.refuses = core.Accepted
		return v
	}
	if len(s.kept) == s.capacity {
		return core.Full
	}
	s.kept = append(s.kept, p.Sequence)
	return core.Accepted
}

func (s *tray) Close(cause error)          { s.closes = append(s.closes, cause) }
func (s *tray) Held() (held, capacity int) { return len(s.kept), s.capacity }

func (s *tray) take(n int) {
	n = min(n, len(s.kept))
	s.received = append(s.received, s.kept[:n]...)
	s.kept = s.kept[n:]
}

func (s *tray) state() (received, held []uint64, closes []error) {
	return s.received, s.kept, s.closes
}

// A tube is a sink that is a channel.
type tube struct {
	c              chan region.Point
	received, rest []uint64 // rest: held still when c was closed
	closes         []error
}

func (s *tube) Chan() chan<- region.Point       { return s.c }
func (s *tube) Offer(region.Point) core.Verdict { panic("a channel is not offered") }

func (s *tube) Close(cause error) {
	s.closes = append(s.closes, cause)
	close(s.c)
}

func (s *tube) take(n int) {
	for range min(n, len(s.c)) {
		s.received = append(s.received, (<-s.c).Sequence)
	}
	n = min(n, len(s.rest))
	s.received = append(s.received, s.rest[:n]...)
	s.rest = s.rest[n:]
}

// state takes what the channel holds out, and puts it in again while it can.
func (s *tube) state() (received, held []uint64, closes []error) {
	for range len(s.c) {
		p := <-s.c
		if len(s.closes) > 0 {
			s.rest = append(s.rest, p.Sequence)
			continue
		}
		held = append(held, p.Sequence)
		s.c <- p
	}
	return s.received, append(held, s.rest...), s.closes
}
