package fuzz_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/spillwayhq/spillway/adapters/latest"
	"github.com/spillwayhq/spillway/core"
)

// A chart is a latest beside what it must be like: the newest event of each key, and the keys that wait.
type chart struct {
	sub     *latest.Subscription[event, float64]
	keys    int // event.key counted round; one more is no number
	maxKeys int
	leased  bool
	pending bool // a goroutine waits in Next
	reads   chan read

	seen    map[float64]bool
	newest  map[float64]event
	waiting []float64

	offered, received, refused int
	lost                       uint64

	over   bool
	cause  error   // why, but for a prune
	missed []event // one of these pruned it
}

func (s *chart) keyOf(e event) float64 {
	if k := e.key % (s.keys + 1); k < s.keys {
		return float64(k)
	}
	return math.NaN()
}

func (s *chart) end(cause error) {
	if !s.over {
		s.over, s.cause = true, cause
	}
}

// accept does what an offer does; false where that ended it.
func (s *chart) accept(e event) bool {
	k := s.keyOf(e)
	s.offered++
	if math.IsNaN(k) || !s.seen[k] && len(s.seen) == s.maxKeys {
		s.over, s.missed, s.refused = true, []event{e}, 1
		return false
	}
	if slices.Contains(s.waiting, k) {
		s.lost++
	} else {
		s.waiting = append(s.waiting, k)
	}
	s.seen[k], s.newest[k] = true, e
	return true
}

// note takes down what was read after a batch, if it may have been, and returns how many of that were accepted.
func (s *chart) note(batch [][]event, got []event) (accepted int, err error) {
	old := len(s.waiting)
	mine := make(map[float64][]event) // the keys of the batch; each key's last event of each writer
	keys, prunes := maps.Clone(s.seen), false
	for _, of := range batch {
		last := make(map[float64]event)
		for _, e := range of {
			if k := s.keyOf(e); math.IsNaN(k) {
				prunes = true
			} else {
				last[k], keys[k] = e, true
			}
		}
		for k, e := range last {
			mine[k] = append(mine[k], e)
		}
	}
	exact := !prunes
	prunes = prunes || len(keys) > s.maxKeys
	for i, e := range got {
		k := s.keyOf(e)
		last, batched := mine[k]
		switch {
		case i < old && k != s.waiting[i] || i >= old && slices.Contains(s.waiting, k):
			return 0, fmt.Errorf("read %v after %v; %v waited before that", got, batch, s.waiting)
		case i < old && e == s.newest[k] && (prunes || !batched), slices.Contains(last, e):
		case prunes && batched && slices.Contains(slices.Concat(batch...), e): // others may have been refused
		default:
			return 0, fmt.Errorf("read %v after %v; the newest of key %v is one of %v, or was %v", got, batch, k, last, s.newest[k])
		}
		if slices.ContainsFunc(got[:i], func(e event) bool { return s.keyOf(e) == k }) {
			return 0, fmt.Errorf("read key %v twice: %v after %v", k, got, batch)
		}
		if batched {
			s.seen[k] = true
		}
		if i > old && len(last) == 1 && len(mine[s.keyOf(got[i-1])]) == 1 && got[i-1].writer == e.writer && s.firstOf(batch, got[i-1]) > s.firstOf(batch, e) {
			return 0, fmt.Errorf("read %v after %v; key %v changed before the one before it, by the same writer", got, batch, k)
		}
	}
	switch {
	case len(got) < old || !prunes && len(s.seen) != len(keys):
		return 0, fmt.Errorf("read %v after %v; %v waited before that", got, batch, s.waiting)
	case len(s.seen) > s.maxKeys || prunes && exact && len(s.seen) != s.maxKeys:
		return 0, fmt.Errorf("%d keys were accepted, and one refused: %v after %v; want %d", len(s.seen), got, batch, s.maxKeys)
	}
	lost := s.sub.Lost()
	accepted = len(got) - old + int(lost-s.lost)
	if all := count(batch); accepted < len(got)-old || accepted > all || accepted < all && !prunes {
		return 0, fmt.Errorf("%d were accepted of %v: read %v, lost %d more", accepted, batch, got, lost-s.lost)
	}
	if prunes {
		s.over, s.missed, s.refused = true, slices.Concat(batch...), 1
	}
	s.offered += accepted + s.refused
	s.received += len(got)
	s.lost, s.waiting = lost, nil
	return accepted, nil
}

// firstOf returns where among the events of e's writer the first of its key is.
func (s *chart) firstOf(batch [][]event, e event) int {
	return slices.IndexFunc(batch[e.writer], func(o event) bool { return s.keyOf(o) == s.keyOf(e) })
}

// check compares what was read with what there was to be read.
func (s *chart) check(got read, whenNothing error) error {
	var want event
	switch {
	case len(s.waiting) > 0:
		want = s.newest[s.waiting[0]]
		if got.err != nil {
			return fmt.Errorf("read %w; want %+v", got.err, want)
		}
		s.waiting = s.waiting[1:]
		s.received++
	case s.over:
		if got.err == nil || got.err != s.sub.Err() {
			return fmt.Errorf("read %v, %w; it had ended with %w", got.events, got.err, s.sub.Err())
		}
	case !errors.Is(got.err, whenNothing) || whenNothing == nil:
		return fmt.Errorf("read %v, %w; nothing was there", got.events, got.err)
	}
	if got.events[0] != want {
		return fmt.Errorf("read %+v, %w; want %+v", got.events[0], got.err, want)
	}
	return nil
}

// checkEnd looks whether the end is told as it was.
func (s *chart) checkEnd() error {
	closed, err := false, s.sub.Err()
	select {
	case <-s.sub.Done():
		closed = true
	default:
	}
	switch {
	case closed != s.over || (err != nil) != s.over:
		return fmt.Errorf("over: %v; Done is closed: %v, Err is %w", s.over, closed, err)
	case !s.over:
		return nil
	case s.missed == nil:
		return checkCause(err, s.cause)
	}
	var pruned *core.PrunedError
	isMissed := func(e event) bool { return e.sequence == pruned.Missed }
	if !errors.As(err, &pruned) || pruned.Verdict != core.Full || !pruned.HasMissed || !slices.ContainsFunc(s.missed, isMissed) {
		return fmt.Errorf("Err is %w; one of %v was refused", err, s.missed)
	}
	return nil
}
