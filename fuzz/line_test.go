package fuzz_test

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spillwayhq/spillway/core"
)

// A line is what waits for one reader, in plain lists: events in their order, but for those that were broadcast at the
// same time. Of such only each writer's order is known.
type line struct{ groups []*group }

// A group is events that were broadcast at the same time, by writer; what was read is taken out.
type group struct {
	writers [][]event
	left    int // are to be read
	lost    int // were overwritten, before what is left; which of them, nobody can say
}

func (l *line) len() (n int) {
	for _, g := range l.groups {
		n += g.left
	}
	return n
}

// put appends what was broadcast at the same time, of which so many were accepted.
func (l *line) put(batch [][]event, accepted int) *group {
	g := &group{writers: slices.Clone(batch), left: accepted}
	if accepted > 0 {
		l.groups = append(l.groups, g)
	}
	return g
}

// lose takes out the n oldest.
func (l *line) lose(n int) {
	for n > 0 {
		g := l.groups[0]
		k := min(n, g.left)
		g.left -= k
		g.lost += k
		n -= k
		l.tidy()
	}
}

func (l *line) tidy() {
	for len(l.groups) > 0 && l.groups[0].left == 0 {
		l.groups = l.groups[1:]
	}
}

// take takes out e, which was read, if its turn has come.
func (l *line) take(e event) error {
	if len(l.groups) == 0 {
		return fmt.Errorf("%+v was read, and nothing waited", e)
	}
	g := l.groups[0]
	if e.writer >= len(g.writers) {
		return fmt.Errorf("%+v was read, and %v came before it", e, g.writers)
	}
	of := g.writers[e.writer]
	i := slices.Index(of, e)
	if i < 0 || i > g.lost {
		return fmt.Errorf("%+v was read; next of each writer is %v, %d of them overwritten", e, g.writers, g.lost)
	}
	g.lost -= i
	g.left--
	g.writers[e.writer] = of[i+1:]
	l.tidy()
	return nil
}

// A seat is what a subscription with one line must be like. Its ends are over at once.
type seat struct {
	line       line
	limit      int
	overwrites bool
	leased     bool // it has the hall's context

	offered, received, refused int
	lost                       uint64

	over  bool
	cause error  // why it is over, but for a prune
	last  *group // what it was pruned by is in here, unread
}

// offer does what an offer of each event of the batch does, all at the same time.
func (s *seat) offer(batch [][]event) (out core.Outcome) {
	if s.over {
		return out
	}
	n, room := count(batch), s.limit-s.line.len()
	switch {
	case n <= room:
		s.line.put(batch, n)
	case s.overwrites:
		s.line.put(batch, n)
		s.line.lose(n - room)
		s.lost += uint64(n - room)
	default:
		s.last = s.line.put(batch, room)
		s.over, s.refused, n = true, 1, room
	}
	s.offered += n + s.refused
	return core.Outcome{Matched: n + s.refused, Accepted: n, Pruned: s.refused}
}

// end ends it, unless it is over.
func (s *seat) end(cause error) {
	if !s.over {
		s.over, s.cause = true, cause
	}
}

// take takes out what was read.
func (s *seat) take(es ...event) error {
	for _, e := range es {
		s.received++
		if err := s.line.take(e); err != nil {
			return err
		}
	}
	return nil
}

// checkAccount is conservation: what was offered has been received, is held, is lost or was refused.
func (s *seat) checkAccount(held int, lost uint64) error {
	if held != s.line.len() || lost != s.lost {
		return fmt.Errorf("it holds %d and lost %d; want %d and %d", held, lost, s.line.len(), s.lost)
	}
	if s.received+held+int(lost)+s.refused != s.offered {
		return fmt.Errorf("offered %d; received %d, holds %d, lost %d, refused %d", s.offered, s.received, held, lost, s.refused)
	}
	return nil
}

// checkEnd looks whether the seat's end is told as it was.
func (s *seat) checkEnd(err error, done <-chan struct{}) error {
	closed := false
	select {
	case <-done:
		closed = true
	default:
	}
	switch {
	case closed != s.over || (err != nil) != s.over:
		return fmt.Errorf("over: %v; Done is closed: %v, Err is %w", s.over, closed, err)
	case !s.over:
		return nil
	case s.last == nil:
		return checkCause(err, s.cause)
	}
	var pruned *core.PrunedError
	if !errors.As(err, &pruned) {
		return fmt.Errorf("Err is %w; want a prune", err)
	}
	if pruned.Fanout != "fuzz" || pruned.Verdict != core.Full || pruned.Held != s.limit || !pruned.HasMissed {
		return fmt.Errorf("Err is %+v; it was full with %d", pruned, s.limit)
	}
	for _, of := range s.last.writers {
		for _, e := range of {
			if e.sequence == pruned.Missed {
				return nil
			}
		}
	}
	return fmt.Errorf("missed is %d; what was not accepted is among %v", pruned.Missed, s.last.writers)
}

func checkCause(err, cause error) error {
	if !errors.Is(err, cause) || errors.Is(err, core.ErrPruned) {
		return fmt.Errorf("Err is %w; want %w", err, cause)
	}
	return nil
}

func count(batch [][]event) (n int) {
	for _, of := range batch {
		n += len(of)
	}
	return n
}
