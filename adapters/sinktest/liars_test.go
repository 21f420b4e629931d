package sinktest_test

import (
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/spillwayhq/spillway/adapters/sinktest"
	"github.com/spillwayhq/spillway/core"
)

// A liar is a shelf with one thing changed.
type liar struct {
	*shelf
	offer   func(s *shelf, v int) core.Verdict
	onClose func(s *shelf, cause error)
}

func (l liar) Offer(v int) core.Verdict {
	if l.offer != nil {
		return l.offer(l.shelf, v)
	}
	return l.shelf.Offer(v)
}

func (l liar) Close(cause error) {
	if l.onClose != nil {
		l.onClose(l.shelf, cause)
		return
	}
	l.shelf.Close(cause)
}

// lying returns a way to open a shelf of 8 that change has changed.
func lying(change func(l *liar, subject *sinktest.Subject)) func() sinktest.Subject {
	return func() sinktest.Subject {
		l := &liar{shelf: &shelf{capacity: 8}}
		subject := sinktest.Subject{Sink: l, Capacity: 8, Received: l.take}
		change(l, &subject)
		return subject
	}
}

// Liars that have or lack a method, or have it by another signature.
type (
	wrongHeld    struct{ *shelf }
	endsInAttach struct{ *shelf }
	falseGauge   struct{ *shelf }
	forgetsCause struct{ *shelf }
	uncounted    struct{ *shelf }
	otherOffer   struct{ pipe }
)

func (wrongHeld) Held() int                          { return 0 }
func (endsInAttach) Attach(s *core.Subscription)     { s.Cancel() }
func (falseGauge) Held() (held, capacity int)        { return 0, 8 }
func (forgetsCause) Err() error                      { return nil }
func (uncounted) Lost() uint64                       { return 0 }
func (otherOffer) Offer(int) (accepted core.Verdict) { return core.Accepted }

// everKept is where a liar registers itself.
var everKept sync.Map

// liars has one at least for each clause, each caught by that clause alone.
var liars = []struct {
	name, clause string
	open         func() sinktest.Subject
}{
	{"Held has one result", "optional methods have core's signatures", lying(func(l *liar, s *sinktest.Subject) {
		s.Sink = wrongHeld{l.shelf}
	})},
	{"ends itself in Attach", "Attach before the first Offer", lying(func(l *liar, s *sinktest.Subject) {
		s.Sink = endsInAttach{l.shelf}
	})},
	{"a verdict of its own", "answers with a verdict", lying(func(l *liar, _ *sinktest.Subject) {
		l.offer = func(s *shelf, v int) core.Verdict {
			if s.Offer(v) == core.Full {
				return core.Closed + 4
			}
			return core.Accepted
		}
	})},
	{"panics when full", "answers with a verdict", lying(func(l *liar, _ *sinktest.Subject) {
		l.offer = func(s *shelf, v int) core.Verdict {
			if s.Offer(v) == core.Full {
				panic("no room")
			}
			return core.Accepted
		}
	})},
	{"one too many", "full means refused", lying(func(l *liar, s *sinktest.Subject) {
		s.Capacity = 7
	})},
	{"one too few", "full means refused", lying(func(l *liar, s *sinktest.Subject) {
		s.Capacity = 9
	})},
	{"Closed for Full", "full means refused", lying(func(l *liar, _ *sinktest.Subject) {
		l.offer = func(s *shelf, v int) core.Verdict {
			if s.Offer(v) == core.Full {
				return core.Closed
			}
			return core.Accepted
		}
	})},
	{"lossy, and refuses", "full means refused", lying(func(_ *liar, s *sinktest.Subject) { s.Lossy = true })},
	{"drops every third", "accepted is delivered, and nothing else", lying(func(l *liar, _ *sinktest.Subject) {
		l.offer = func(s *shelf, v int) core.Verdict {
			if v%3 == 2 {
				return core.Accepted
			}
			return s.Offer(v)
		}
	})},
	{"makes one up", "accepted is delivered, and nothing else", lying(func(l *liar, s *sinktest.Subject) {
		s.Received = func() []int { return append(l.take(), 1_000_000) }
	})},
	{"tells the last again", "delivers nothing twice", lying(func(l *liar, s *sinktest.Subject) {
		var last []int
		s.Received = func() []int {
			got := append(last, l.take()...)
			last = nil
			if len(got) > 0 && l.Err() == nil {
				last = got[len(got)-1:]
			}
			return got
		}
	})},
	{"keeps what it refuses", "keeps nothing it refused, refuses nothing it kept", lying(func(l *liar, _ *sinktest.Subject) {
		l.offer = func(s *shelf, v int) core.Verdict {
			verdict := s.Offer(v)
			if verdict == core.Full {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.kept = append(s.kept, v)
			}
			return verdict
		}
	})},
	{"newest first", "order", lying(func(l *liar, s *sinktest.Subject) {
		s.Received = func() []int {
			got := l.take()
			for i := range len(got) / 2 {
				got[i], got[len(got)-1-i] = got[len(got)-1-i], got[i]
			}
			return got
		}
	})},
	{"room for eight in all", "reading makes room", func() sinktest.Subject {
		s := &shelf{capacity: 8}
		var offered atomic.Int64
		l := &liar{shelf: s, offer: func(s *shelf, v int) core.Verdict {
			if offered.Add(1) > 24 {
				return core.Full
			}
			return s.Offer(v)
		}}
		return sinktest.Subject{Sink: l, Capacity: 8, Received: s.take}
	}},
	{"panics in Close", "closed once and last", lying(func(l *liar, _ *sinktest.Subject) {
		l.onClose = func(s *shelf, cause error) {
			s.Close(cause)
			panic("closed already")
		}
	})},
	{"a farewell", "closed once and last", lying(func(l *liar, _ *sinktest.Subject) {
		l.onClose = func(s *shelf, cause error) {
			s.Close(cause)
			s.kept = append(s.kept, -1)
		}
	})},
	{"drops its buffer at the end", "buffered stays readable", lying(func(l *liar, _ *sinktest.Subject) {
		l.onClose = func(s *shelf, cause error) {
			s.Close(cause)
			s.take()
		}
	})},
	{"forgets why", "cause readable", lying(func(l *liar, s *sinktest.Subject) { s.Sink = forgetsCause{l.shelf} })},
	{"looks, then puts", "concurrent offers", lying(func(l *liar, _ *sinktest.Subject) {
		l.offer = func(s *shelf, v int) core.Verdict {
			s.mu.Lock()
			kept := s.kept
			s.mu.Unlock()
			if len(kept) == s.capacity {
				return core.Full
			}
			runtime.Gosched()
			s.mu.Lock()
			defer s.mu.Unlock()
			s.kept = append(slices.Clip(kept), v)
			return core.Accepted
		}
	})},
	{"counts, then puts", "concurrent offers", lying(func(l *liar, _ *sinktest.Subject) {
		l.offer = func(s *shelf, v int) core.Verdict {
			if held, capacity := s.Held(); held == capacity {
				return core.Full
			}
			runtime.Gosched()
			s.mu.Lock()
			defer s.mu.Unlock()
			s.kept = append(s.kept, v)
			return core.Accepted
		}
	})},
	{"keeps what it refuses to two at once", "concurrent offers", lying(func(l *liar, _ *sinktest.Subject) {
		var inside atomic.Int32
		l.offer = func(s *shelf, v int) core.Verdict {
			defer inside.Add(-1)
			alone := inside.Add(1) == 1
			runtime.Gosched()
			verdict := s.Offer(v)
			if verdict == core.Full && !alone {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.kept = append(s.kept, v)
			}
			return verdict
		}
	})},
	{"always empty", "the Gauge tells the truth", lying(func(l *liar, s *sinktest.Subject) { s.Sink = falseGauge{l.shelf} })},
	{"loses and doesn't say", "Lost is exact", lying(func(l *liar, s *sinktest.Subject) {
		s.Sink, s.Lossy, l.lossy = uncounted{l.shelf}, true, true
	})},
	{"keeps the oldest", "Lost is exact", lying(func(l *liar, s *sinktest.Subject) {
		s.Lossy = true
		l.offer = func(s *shelf, v int) core.Verdict {
			if s.Offer(v) == core.Full {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.lost++
			}
			return core.Accepted
		}
	})},
	{"Offer takes none", "Chan agrees with Offer", func() sinktest.Subject {
		p := make(pipe, 8)
		return sinktest.Subject{Sink: otherOffer{p}, Capacity: 8, Received: p.take}
	}},
	{"registers itself for good", "nothing retained after close", lying(func(l *liar, _ *sinktest.Subject) { everKept.Store(l, true) })},
}

// TestLiars: each liar is caught by its clause, and by no other.
func TestLiars(t *testing.T) {
	for _, l := range liars {
		t.Run(l.name, func(t *testing.T) { caught(t, l.clause, l.open) })
	}
}

// TestThoseWhoBlock: a sink that blocks is said to, and costs the kit a goroutine until it goes on.
func TestThoseWhoBlock(t *testing.T) {
	goOn := make(chan struct{})
	t.Cleanup(func() { close(goOn) })
	t.Run("when full", func(t *testing.T) {
		t.Parallel()
		caught(t, "never blocks", lying(func(l *liar, _ *sinktest.Subject) {
			l.offer = func(s *shelf, v int) core.Verdict {
				if s.Offer(v) == core.Full {
					<-goOn
					return core.Full
				}
				return core.Accepted
			}
		}))
	})
	t.Run("in Close", func(t *testing.T) {
		t.Parallel()
		caught(t, "Close returns soon", lying(func(l *liar, _ *sinktest.Subject) {
			l.onClose = func(*shelf, error) { <-goOn }
		}))
	})
}

func caught(t *testing.T, clause string, open func() sinktest.Subject) {
	t.Helper()
	err := sinktest.Check(open)
	var broken *sinktest.ClauseError
	if !errors.As(err, &broken) {
		t.Fatalf("Check = %v; want clause %q broken", err, clause)
	}
	if joined := err.(interface{ Unwrap() []error }).Unwrap(); len(joined) != 1 || broken.Clause != clause {
		t.Errorf("caught by %v; want clause %q alone", err, clause)
	}
	t.Log(err)
}

// TestEveryClauseHasItsLiar: a clause that nobody can break checks nothing.
func TestEveryClauseHasItsLiar(t *testing.T) {
	has := map[string]bool{"never blocks": true, "Close returns soon": true} // TestThoseWhoBlock
	for _, l := range liars {
		has[l.clause] = true
	}
	for _, clause := range sinktest.Clauses() {
		if !has[clause] {
			t.Errorf("no liar breaks %q", clause)
		}
		delete(has, clause)
	}
	for clause := range has {
		t.Errorf("%q is no clause", clause)
	}
}
