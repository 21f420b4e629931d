// Package logtest checks that a cursor.Log does what the interface says, within the Limits that it states itself.
//
//	func TestKit(t *testing.T) {
//		logtest.Run(t, func() logtest.Subject {
//			log, err := mylog.Open(t.TempDir())
//			if err != nil {
//				t.Fatal(err)
//			}
//			return logtest.Subject{Log: log, Compact: log.Compact}
//		})
//	}
//
// The rules are clauses, each with a name, each checked on a Log of its own. A clause that rests on another is not judged
// where that one failed: what is reported is what to mend first. Nothing is skipped: what an engine bounds is tested up
// to its bound, and one step further, so that it is best opened with small ones.
package logtest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/internal/kit"
)

// A Subject is a new Log, and what the kit has to be able to do to it besides.
type Subject struct {
	// Log is what is checked. It is empty, and has room for 20,000 events and 16 entities. The kit closes it.
	Log cursor.Log

	// Compact has the Log drop all events below first, as its retention would.
	Compact func(ctx context.Context, first uint64) error

	// Join opens the Log once more while it is open, as another node does that appends to it, too. The kit closes what it
	// returns. nil: nobody else can.
	Join func() (cursor.Log, error)

	// Reopen opens the Log again after the kit has closed it, as the next process would. nil: with the Log its events are gone.
	Reopen func() (cursor.Log, error)
}

func (s Subject) validate() error {
	switch {
	case s.Log == nil:
		return errors.New("Subject.Log is nil")
	case s.Compact == nil:
		return errors.New("Subject.Compact is nil")
	}
	l := s.Log.Limits()
	for _, f := range []struct {
		name        string
		value, want int
	}{
		{"Batch", l.Batch, 4},
		{"BatchBytes", l.BatchBytes, 64},
		{"Payload", l.Payload, 16},
		{"Entities", l.Entities, 16},
		{"Repeats", l.Repeats, 16},
	} {
		if f.value != 0 && f.value < f.want {
			return fmt.Errorf("the limit %s is %d; want 0 for no limit, or %d at least", f.name, f.value, f.want)
		}
	}
	switch {
	case l.RepeatsFor != 0 && l.RepeatsFor < kit.Patience:
		return fmt.Errorf("the limit RepeatsFor is %v; want 0 for no limit, or %v at least", l.RepeatsFor, kit.Patience)
	case l.Clocks == cursor.OrderPerNode && s.Join == nil:
		return errors.New("the limit Clocks is OrderPerNode, and Subject.Join is nil: nothing of it can be checked")
	}
	return nil
}

// A ClauseError says which clause a Log breaks, and how.
type ClauseError struct {
	Clause string // one of Clauses
	Err    error  // what was seen, and what should have been
}

func (e *ClauseError) Error() string {
	return fmt.Sprintf("logtest: %s: %v", e.Clause, e.Err)
}

// Unwrap returns what was seen.
func (e *ClauseError) Unwrap() error { return e.Err }

// Clauses returns the clauses' names, in the order in which they are checked.
func Clauses() []string { return judged().Names() }

// Run checks what open returns, a clause a subtest. Each call of open returns a Log that nobody has used.
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

// patience is how long a single wait may take before it is said to hang.
const patience = 5 * time.Second

// try checks the clause on a new Log.
func (c clause) try(open func() Subject) error {
	t, err := begin(open)
	if err != nil {
		return err
	}
	defer t.end()
	return c.check(t)
}
