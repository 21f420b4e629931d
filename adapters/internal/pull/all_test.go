package pull_test

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/spillwayhq/spillway/adapters/internal/pull"
)

var errOver = errors.New("over")

// three returns 1, 2 and 3, and then errOver.
func three() func(context.Context) (int, error) {
	n := 0
	return func(context.Context) (int, error) {
		if n == 3 {
			return 0, errOver
		}
		n++
		return n, nil
	}
}

// The error comes last, once, with a zero event, and who has reached the end cancels nothing.
func TestAllToTheEnd(t *testing.T) {
	sum, ends := 0, 0
	for v, err := range pull.All(three(), func() { t.Error("cancelled") }) {
		if err != nil {
			ends++
			if err != errOver || v != 0 || sum != 6 {
				t.Errorf("the end: %d, %v, after a sum of %d", v, err, sum)
			}
		}
		sum += v
	}
	if ends != 1 {
		t.Errorf("%d ends, want 1", ends)
	}
}

// A loop that is left with the error in hand is at its end too.
func TestAllLeftAtTheEnd(t *testing.T) {
	for _, err := range pull.All(three(), func() { t.Error("cancelled") }) {
		if err != nil {
			break
		}
	}
}

// However the body leaves early, that is a cancel.
func TestAllLeftEarlyCancels(t *testing.T) {
	for name, leave := range map[string]func() bool{
		"break":  func() bool { return true },
		"panic":  func() bool { panic("the body's") },
		"Goexit": func() bool { runtime.Goexit(); return true },
	} {
		cancelled, done := 0, make(chan struct{})
		go func() {
			defer close(done)
			defer func() { _ = recover() }()
			for _, err := range pull.All(three(), func() { cancelled++ }) {
				if err != nil {
					t.Errorf("%s: got %v", name, err)
				}
				if leave() {
					break
				}
			}
		}()
		<-done
		if cancelled != 1 {
			t.Errorf("%s: cancelled %d times, want once", name, cancelled)
		}
	}
}
