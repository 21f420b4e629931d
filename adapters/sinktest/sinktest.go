// Package sinktest checks that a core.Sink keeps to the rules by which a Fanout may offer it events.
//
//	func TestMine(t *testing.T) {
//		sinktest.Run(t, func() sinktest.Subject {
//			s := NewMine(8)
//			return sinktest.Subject{Sink: s, Capacity: 8, Received: s.Drain}
//		})
//	}
//
// The rules are clauses, each with a name, each checked on fresh sinks that a Fanout drives. Filtering, and that
// nothing is offered after a refusal, are the Fanout's and no clauses. A clause that rests on another is not
// judged where that one failed: what is reported is what to mend first.
//
// docs/writing-an-adapter.md leads to a sink of thirty lines that passes.
package sinktest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/core"
)

// A Subject is a new sink, and how to look at what it got.
type Subject struct {
	// Sink is what is checked. It is subscribed once, by the kit.
	Sink core.Sink[int]

	// Capacity is how many events fit while none is read, exactly. At least 1; from 2 on order shows, and from 4
	// on what goes wrong among several writers.
	Capacity int

	// Received takes what can be read and returns it, oldest first; without waiting, nil where nothing is there. It
	// is called by one goroutine at a time, after the Sink's end too.
	Received func() []int

	// Lossy says that the Sink makes room by overwriting or replacing, and counts what it so loses by a Lost
	// method. It then keeps the newest event, and refuses none of 0, 1, 2 … A sink that is not Lossy refuses
	// the event that does not fit.
	Lossy bool
}

// A ClauseError says which clause a sink breaks, and how.
type ClauseError struct {
	Clause string // one of Clauses
	Err    error  // what was seen, and what should have been
}

func (e *ClauseError) Error() string {
	return fmt.Sprintf("sinktest: %s: %v", e.Clause, e.Err)
}

// Unwrap returns what was seen.
func (e *ClauseError) Unwrap() error { return e.Err }

// Clauses returns the clauses' names, in the order in which they are checked.
func Clauses() []string {
	var names []string
	for _, c := range clauses {
		names = append(names, c.name)
	}
	return names
}

// Run checks what open returns, a clause a subtest. Each call of open returns a sink that nobody has used, and
// keeps no pointer to it.
func Run(t *testing.T, open func() Subject) {
	t.Helper()
	var broken []string
	for _, c := range clauses {
		t.Run(c.name, func(t *testing.T) {
			if on := c.restsOn(broken); on != "" {
				broken = append(broken, c.name)
				t.Skipf("not judged: it rests on %q", on)
			}
			if err := c.judge(open); err != nil {
				broken = append(broken, c.name)
				t.Error(err)
			}
		})
	}
}

// Check is Run for where there is no test: nil, or a *ClauseError for each clause that is broken, joined.
func Check(open func() Subject) error {
	var broken []string
	var errs []error
	for _, c := range clauses {
		if c.restsOn(broken) != "" {
			broken = append(broken, c.name)
			continue
		}
		if err := c.judge(open); err != nil {
			broken = append(broken, c.name)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// A clause is a rule, and how it is checked.
type clause struct {
	name  string
	needs []string // what must hold for check to mean anything
	check func(open func() Subject) error
}

// restsOn returns the first of broken that the clause needs, or "".
func (c clause) restsOn(broken []string) string {
	for _, need := range c.needs {
		if slices.Contains(broken, need) {
			return need
		}
	}
	return ""
}

// How long something that should return soon may take before it is said to block. A sink that does is left where
// it is, with its goroutine.
const (
	patience       = 5 * time.Second
	wholeClause    = time.Minute
	whatWaitsLongs = "has not returned after %v"
)

// judge checks the clause; nil, or a *ClauseError.
func (c clause) judge(open func() Subject) error {
	err := within(wholeClause, func() error { return c.check(open) })
	if err != nil {
		return &ClauseError{Clause: c.name, Err: err}
	}
	return nil
}

// within returns what do returns, or that it panicked, or that it has not returned for so long.
func within(limit time.Duration, do func() error) error {
	done := make(chan error, 1)
	go func() {
		err := errors.New("called runtime.Goexit")
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("panicked: %v", r)
			}
			done <- err
		}()
		err = do()
	}()
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case err := <-done:
		return err
	case <-late.C:
		return fmt.Errorf(whatWaitsLongs, limit)
	}
}
