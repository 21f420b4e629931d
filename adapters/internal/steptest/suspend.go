//go:build spillway_steps

package steptest

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/core"
)

const (
	patience = 20 * time.Second
	parks    = "park:said-parked"
)

// A Scene is what a suspension takes place in.
type Scene interface {
	// Others returns what everybody else does while the victim is stopped: each of it must return.
	Others() []func()
	// Settle ends everything when the victim has returned, and looks whether the accounts are exact.
	Settle()
}

// An Operation is what the victim does, and the steps at which it is stopped.
type Operation[S Scene] struct {
	Name  string
	Do    func(S)
	Steps []string

	// Open makes the Scene. The channel is closed when somebody says that it is parked.
	Open func(t *testing.T, parked <-chan struct{}) S

	// Before is run before the victim starts, Meanwhile by the victim itself when it says that it is parked: the
	// steps that it comes to in there don't count.
	Before, Meanwhile func(S)
}

// Suspend stops one goroutine at every step of every Operation in turn; everything that the others do still
// finishes. A lock of any sort in their way fails the test, and so does a step in the source in dirs where nobody is stopped.
func Suspend[S Scene](t *testing.T, operations []Operation[S], dirs ...string) {
	t.Helper()
	defer core.OnStep(nil)
	reached := make(map[string]bool)
	for _, op := range operations {
		for _, step := range op.Steps {
			reached[step] = true
			if !t.Run(op.Name+"/"+step, func(t *testing.T) { suspend(t, op, step) }) {
				return // the rest would wait as long
			}
		}
	}
	for _, step := range inSource(t, dirs) {
		if !reached[step] {
			t.Errorf("there is the step %q, and nobody is stopped there: add it to an operation", step)
		}
		delete(reached, step)
	}
	for step := range reached {
		t.Errorf("nobody can be stopped at %q: there is no such step", step)
	}
}

// inSource returns the names of the steps in the source in dirs.
func inSource(t *testing.T, dirs []string) (steps []string) {
	t.Helper()
	call := regexp.MustCompile(`\bstep\.At\("([^"]+)"\)`)
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		before := len(steps)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range call.FindAllStringSubmatch(string(text), -1) {
				steps = append(steps, m[1])
			}
		}
		if len(steps) == before {
			t.Fatalf("no step found in the source in %s: has step.At been renamed?", dir)
		}
	}
	slices.Sort(steps)
	return slices.Compact(steps)
}

// suspend stops the Operation at the step, and looks whether the others get on.
func suspend[S Scene](t *testing.T, op Operation[S], at string) {
	t.Helper()
	isParked, stopped, release := make(chan struct{}), make(chan struct{}), make(chan struct{})
	parked := sync.OnceFunc(func() { close(isParked) })
	free := sync.OnceFunc(func() { close(release) })
	defer free()
	c := op.Open(t, isParked)
	others := c.Others()
	begun, victim, done := new(atomic.Bool), new(atomic.Bool), new(atomic.Bool) // done: with what it does meanwhile
	core.OnStep(func(name string) {
		if name == parks {
			parked()
		}
		if !begun.Load() {
			return
		}
		if name == parks && op.Meanwhile != nil && victim.CompareAndSwap(false, true) {
			op.Meanwhile(c)
			victim.Store(false)
			done.Store(true)
		}
		if name == at && (op.Meanwhile == nil || done.Load()) && victim.CompareAndSwap(false, true) {
			close(stopped)
			<-release
		}
	})
	if op.Before != nil {
		op.Before(c)
	}
	begun.Store(true)
	returned := make(chan struct{})
	go func() { defer close(returned); op.Do(c) }()
	await(t, stopped, "the victim never came to its step")

	finished := make(chan struct{})
	var wg sync.WaitGroup
	for _, do := range others {
		wg.Go(do)
	}
	go func() { wg.Wait(); close(finished) }()
	await(t, finished, "what the others do does not finish while one goroutine is stopped here")

	free()
	await(t, returned, "the victim's operation does not finish")
	c.Settle()
}

// await fails the test where c isn't closed in good time. What is stopped is let go by the caller's defer.
func await(t *testing.T, c <-chan struct{}, otherwise string) {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c:
	case <-timer.C:
		t.Fatal(otherwise)
	}
}
