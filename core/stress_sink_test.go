package core_test

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// stressWriters is how many goroutines broadcast in the stress test.
const stressWriters = 4

// A feat is what the stress test broadcasts: the number-th event of a writer.
type feat struct{ writer, number uint64 }

// Point tells writers and events apart by the sequence, and spreads the events of each over three entities.
func (e feat) Point() region.Point {
	return region.Point{Entity: featNames[e.number%3], Sequence: e.number*stressWriters + e.writer}
}

var featNames = [3]string{"a", "a:b", "c"}

// stressRegions are what its subscriptions ask for. The events that one matches come every so many.
var stressRegions = []region.Region{{}, about("a:b"), about("c"), about("nobody")}

// A stressSub is a subscription of the stress test, and what has come of it. Each writer has a place of its
// own in got, so that race detector and test see that no writer's offers overlap.
type stressSub struct {
	sub    *core.Subscription
	region region.Region
	room   int64
	last   func(*stressSub) core.Verdict // what it does when there is no more room

	// Before it was subscribed a writer had finished these, and when it had been, had begun these.
	finished, begun [stressWriters]uint64

	got     [stressWriters]struct{ first, next uint64 } // numbers offered; next 0: none
	offers  atomic.Int64
	took    atomic.Int64
	refused atomic.Uint64 // the least sequence
	inside  atomic.Int64  // Offers under way
	closes  atomic.Int64
	cause   error                  // as Close was told
	breach  atomic.Pointer[string] // the first
}

func (s *stressSub) fail(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.breach.CompareAndSwap(nil, &text)
}

// Attach lets s have its Subscription before the first Offer.
func (s *stressSub) Attach(sub *core.Subscription) { s.sub = sub }

func (s *stressSub) Offer(e feat) core.Verdict {
	s.inside.Add(1)
	defer s.inside.Add(-1)
	if s.closes.Load() > 0 {
		s.fail("Offer of %+v during or after Close", e)
	}
	s.note(e)
	if s.offers.Add(1) <= s.room || s.last == nil {
		s.took.Add(1)
		return core.Accepted
	}
	sequence := e.Point().Sequence
	for {
		least := s.refused.Load()
		if least != 0 && least <= sequence+1 || s.refused.CompareAndSwap(least, sequence+1) {
			break
		}
	}
	verdict := s.last(s)
	if verdict == core.Accepted { // it has ended itself otherwise
		s.took.Add(1)
	}
	return verdict
}

// note looks whether e is what must come next from its writer.
func (s *stressSub) note(e feat) {
	if !s.region.Match(e.Point()) {
		s.fail("%+v is not in %v", e, s.region)
	}
	got := &s.got[e.writer]
	if got.next == 0 {
		got.first = e.number
		if e.number <= s.finished[e.writer] {
			s.fail("%+v ended before Subscribe was called, at %d", e, s.finished[e.writer])
		}
	} else if e.number != got.next {
		s.fail("writer %d: got %d, want %d next", e.writer, e.number, got.next)
	}
	got.next = s.after(e.number)
}

// after returns the number of the first event after this one that s asks for.
func (s *stressSub) after(number uint64) uint64 {
	for number++; !s.region.Match(feat{number: number}.Point()); number++ {
	}
	return number
}

func (s *stressSub) Close(cause error) {
	if s.closes.Add(1) != 1 {
		s.fail("closed twice")
	}
	if n := s.inside.Load(); n != 0 {
		s.fail("closed with %d Offers under way", n)
	}
	if s.sub.Err() != cause {
		s.fail("closed for %v, Err says %v", cause, s.sub.Err())
	}
	s.cause = cause
}

// check looks at s when it is over.
func (s *stressSub) check() error {
	if breach := s.breach.Load(); breach != nil {
		return errors.New(*breach)
	}
	if s.closes.Load() != 1 || !over(s.sub) {
		return fmt.Errorf("closed %d times, over %v; want 1, true", s.closes.Load(), over(s.sub))
	}
	err := s.sub.Err()
	if err == nil || err != s.cause {
		return fmt.Errorf("Err %v, Close was told %v", err, s.cause)
	}
	if s.inside.Load() != 0 {
		return fmt.Errorf("%d Offers under way", s.inside.Load())
	}
	for w, got := range s.got {
		if got.next == 0 {
			continue
		}
		if must := s.after(s.begun[w]); got.first > must {
			return fmt.Errorf("writer %d: the first event is %d; %d began after Subscribe had returned", w, got.first, must)
		}
	}
	var pruned *core.PrunedError
	if !errors.As(err, &pruned) {
		return nil
	}
	if refused := s.refused.Load(); refused != 0 && (!pruned.HasMissed || pruned.Missed > refused-1) {
		return fmt.Errorf("%v, but sequence %d was refused", err, refused-1)
	}
	missed := feat{pruned.Missed % stressWriters, pruned.Missed / stressWriters}
	if got := s.got[missed.writer]; got.next != 0 && missed.number >= got.first && s.after(missed.number) < got.next {
		return fmt.Errorf("%v, but this one and the next of its writer were offered", err)
	}
	return nil
}

// A stressPipe is a stressSub that is nothing but a channel. A reader of its own takes what is in it.
type stressPipe struct {
	*stressSub
	c chan feat
}

func (p *stressPipe) Chan() chan<- feat { return p.c }

func (p *stressPipe) Offer(feat) core.Verdict { panic("Offer of a sink that is a channel") }

func (p *stressPipe) Close(cause error) { p.stressSub.Close(cause); close(p.c) }

// read takes events until the channel is closed, or for good after most of them.
func (p *stressPipe) read(most int) {
	for range most {
		e, ok := <-p.c
		if !ok {
			return
		}
		p.note(e)
		p.took.Add(1)
	}
	<-p.sub.Done()
	for e := range p.c {
		p.note(e)
		p.took.Add(1)
	}
}
