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
	"testing"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/internal/kit"
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
func Clauses() []string { return judged().Names() }

// Run checks what open returns, a clause a subtest. Each call of open returns a store that nobody has used.
func Run(t *testing.T, open func() Subject) {
	t.Helper()
	judged().Run(t, open)
}

// Check is Run for where there is no test: nil, or a *ClauseError for each clause that is broken, joined.
func Check(open func() Subject) error { return judged().Judge(open) }

// A clause is a rule, and how it is checked.
type clause struct {
	name  string
	needs []string // what must hold for check to mean anything
	check func(t *trial) error
}

// judged returns the clauses.
func judged() kit.Clauses[Subject] {
	cs := make(kit.Clauses[Subject], len(clauses))
	for i, c := range clauses {
		cs[i] = kit.Clause[Subject]{Name: c.name, Needs: c.needs, Check: c.try, Says: func(name string, err error) error {
			return &ClauseError{Clause: name, Err: err}
		}}
	}
	return cs
}

// try checks the clause on a new store.
func (c clause) try(open func() Subject) error {
	ctx, cancel := context.WithTimeout(context.Background(), kit.Patience)
	defer cancel()
	s := open()
	if s.Checkpoints == nil {
		return errors.New("Subject.Checkpoints is nil")
	}
	return c.check(&trial{Subject: s, ctx: ctx})
}
