// Package kit judges an implementation of an interface, clause by clause: it is what cursor/logtest and
// cursor/checkpointtest have in common. adapters/sinktest is on the other side of the picture in docs/design.md, and has its own.
package kit

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// Patience is how long a clause may take before it is said to hang. What hangs is left where it is, with its goroutine.
const Patience = time.Minute

// Clauses are rules for what subjects of type S are, in the order in which they are checked.
type Clauses[S any] []Clause[S]

// A Clause is a rule, and how it is checked.
type Clause[S any] struct {
	Name  string
	Needs []string                  // the clauses that must hold for Check to mean anything
	Check func(open func() S) error // on a subject of its own, or more
	Says  func(name string, err error) error
}

// Names returns the clauses' names.
func (cs Clauses[S]) Names() []string {
	names := make([]string, len(cs))
	for i, c := range cs {
		names[i] = c.Name
	}
	return names
}

// Run judges each clause in a subtest.
func (cs Clauses[S]) Run(t *testing.T, open func() S) {
	t.Helper()
	var broken []string
	for _, c := range cs {
		t.Run(c.Name, func(t *testing.T) {
			if on := c.restsOn(broken); on != "" {
				broken = append(broken, c.Name)
				t.Skipf("not judged: it rests on %q", on)
			}
			if err := c.judge(open); err != nil {
				broken = append(broken, c.Name)
				t.Error(err)
			}
		})
	}
}

// Judge is Run for where there is no test: nil, or what Says makes of each clause that is broken, joined.
func (cs Clauses[S]) Judge(open func() S) error {
	var broken []string
	var errs []error
	for _, c := range cs {
		if c.restsOn(broken) != "" {
			broken = append(broken, c.Name)
			continue
		}
		if err := c.judge(open); err != nil {
			broken = append(broken, c.Name)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// restsOn returns the first of broken that the clause needs, or "".
func (c Clause[S]) restsOn(broken []string) string {
	for _, need := range c.Needs {
		if slices.Contains(broken, need) {
			return need
		}
	}
	return ""
}

func (c Clause[S]) judge(open func() S) error {
	done := make(chan error, 1)
	go func() {
		err := errors.New("called runtime.Goexit")
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("panicked: %v", r)
			}
			done <- err
		}()
		err = c.Check(open)
	}()
	const grace = 5 * time.Second // for a Check that ends what it waits for by itself
	late := time.NewTimer(Patience + grace)
	defer late.Stop()
	var err error
	select {
	case err = <-done:
	case <-late.C:
		err = fmt.Errorf("has not returned after %v", Patience)
	}
	if err != nil {
		return c.Says(c.Name, err)
	}
	return nil
}
