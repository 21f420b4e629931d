package core_test

import (
	"context"
	"errors"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A modelEvent is what the model broadcasts: a place, and a number of its own.
type modelEvent struct {
	serial int
	at     region.Point
}

// An offerRecord is one call of Offer, as the sink saw it.
type offerRecord struct {
	event  modelEvent
	answer core.Verdict
	panics bool
}

// A modelSub is one subscription of the model: the sink, what has happened to it, and what must have.
type modelSub struct {
	sub    *core.Subscription
	region region.Region
	ctx    context.Context

	// A channel sink has wire; the others are offered.
	wire     chan modelEvent
	received []modelEvent // taken from wire

	// What an offered sink does with the next event, and what it did with those before.
	answer   core.Verdict
	panics   any
	callback func()
	records  []offerRecord
	buffer   int // what its Gauge says that it holds

	closes []error // what Close was called with

	// What the model expects.
	over    bool
	wantErr func(error) bool
	why     string
	offers  int // counted: in Matched
	expect  []modelEvent
	refused []modelEvent
}

// A modelWire is a channel sink, a modelDoor an offered one.
type (
	modelWire struct{ *modelSub }
	modelDoor struct{ *modelSub }
)

func (w modelWire) Chan() chan<- modelEvent       { return w.wire }
func (w modelWire) Offer(modelEvent) core.Verdict { panic("Offer of a sink that is a channel") }

func (w modelWire) Close(cause error) {
	w.closes = append(w.closes, cause)
	close(w.wire)
}

func (d modelDoor) Offer(e modelEvent) core.Verdict {
	s := d.modelSub
	answer, panics, callback := s.answer, s.panics, s.callback
	s.answer, s.panics, s.callback = core.Accepted, nil, nil
	s.records = append(s.records, offerRecord{event: e, answer: answer, panics: panics != nil})
	if callback != nil {
		callback()
	}
	if panics != nil {
		panic(panics)
	}
	if answer == core.Accepted {
		s.buffer++
	}
	return answer
}

func (d modelDoor) Close(cause error)          { d.closes = append(d.closes, cause) }
func (d modelDoor) Held() (held, capacity int) { return d.buffer, 1 << 20 }

// sink returns what is given to Subscribe.
func (s *modelSub) sink() core.Sink[modelEvent] {
	if s.wire != nil {
		return modelWire{s}
	}
	return modelDoor{s}
}

// accepts is what the sink will do with the next event, as far as nothing else happens first.
func (s *modelSub) accepts() (verdict core.Verdict, panics any) {
	switch {
	case s.wire != nil && len(s.wire) == cap(s.wire):
		return core.Full, nil
	case s.wire != nil:
		return core.Accepted, nil
	case s.panics != nil:
		return core.Closed, s.panics
	case s.answer > core.Closed:
		return core.Closed, nil
	}
	return s.answer, nil
}

// held is what its PrunedError must say that it held.
func (s *modelSub) held() int {
	switch {
	case s.wire != nil:
		return len(s.wire)
	}
	return s.buffer
}

// end says how s must have ended, unless it had before.
func (s *modelSub) end(why string, want func(error) bool) {
	if !s.over {
		s.over, s.why, s.wantErr = true, why, want
	}
}

func (s *modelSub) endBy(cause error) {
	s.end(cause.Error(), func(err error) bool { return errors.Is(err, cause) })
}

// pruned is the end by a refusal, with all that the PrunedError must say.
func (s *modelSub) pruned(verdict core.Verdict, held int, missed uint64, located bool, panics any) {
	s.end("a refusal", func(err error) bool {
		var p *core.PrunedError
		if !errors.As(err, &p) || !errors.Is(err, core.ErrPruned) || p.ID != s.sub.ID() || p.Region != s.region {
			return false
		}
		var cause *core.PanicError
		if errors.As(err, &cause) != (panics != nil) || panics != nil && cause.Value != panics {
			return false
		}
		return p.Verdict == verdict && p.Held == held && p.HasMissed == located && (!located || p.Missed == missed)
	})
}
