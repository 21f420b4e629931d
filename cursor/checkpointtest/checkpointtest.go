// Package checkpointtest checks that a cursor.Checkpoints does what the interface says.
//
//	func TestKit(t *testing.T) {
//		checkpointtest.Run(t, func() checkpointtest.Subject {
//			return checkpointtest.Subject{Checkpoints: mystore.New()}
//		})
//	}
//
// The rules are clauses, each with a name, each checked on a store of its own. A clause that rests on another is not judged
// where that one failed: what is reported is what to mend first.
package checkpointtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/cursor"
)

// A Subject is a new store, and what the kit has to be able to do to it besides.
type Subject struct {
	// Checkpoints is what is checked. It is empty.
	Checkpoints cursor.Checkpoints

	// Reopen returns what another process would see of the store, now. nil: nobody else sees it.
	Reopen func() (cursor.Checkpoints, error)

	// Damage spoils what is stored under a name, all generations of it. nil: nothing can, that is told from it.
	Damage func(name string) error
}

// A ClauseError says which clause a store breaks, and how.
type ClauseError struct {
	Clause string // one of Clauses
	Err    error  // what was seen, and what should have been
}

func (e *ClauseError) Error() string { return fmt.Sprintf("checkpointtest: %s: %v", e.Clause, e.Err) }

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

// Run checks what open returns, a clause a subtest. Each call of open returns a store that nobody has used.
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
	check func(t *trial) error
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

// How long a clause may take before it is said to hang. A store that does is left where it is, with its goroutine.
const wholeClause = time.Minute

// judge checks the clause on a new store; nil, or a *ClauseError.
func (c clause) judge(open func() Subject) error {
	done := make(chan error, 1)
	ctx, cancel := context.WithTimeout(context.Background(), wholeClause)
	defer cancel()
	go func() {
		err := errors.New("called runtime.Goexit")
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("panicked: %v", r)
			}
			done <- err
		}()
		s := open()
		if s.Checkpoints == nil {
			err = errors.New("Subject.Checkpoints is nil")
			return
		}
		err = c.check(&trial{Subject: s, ctx: ctx})
	}()
	late := time.NewTimer(wholeClause + 5*time.Second)
	defer late.Stop()
	select {
	case err := <-done:
		if err != nil {
			return &ClauseError{Clause: c.name, Err: err}
		}
		return nil
	case <-late.C:
		return &ClauseError{Clause: c.name, Err: fmt.Errorf("has not returned after %v", wholeClause)}
	}
}
