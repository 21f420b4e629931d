package core

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/spillwayhq/spillway/region"
)

// Why Subscribe refuses.
var (
	// ErrNilSink: the sink is nil, or its Chan is.
	ErrNilSink = errors.New("spillway/core: the sink is nil")
	// ErrLiveClock: the Region carries a clock, which only a query over a log can answer.
	ErrLiveClock = errors.New("spillway/core: a live subscription cannot ask for a clock range; leave Region.Clock unset")
)

// Why a subscription ended.
var (
	// ErrPruned: its sink refused an event. Err is then a *PrunedError.
	ErrPruned = errors.New("spillway/core: pruned")
	// ErrCancelled: its owner ended it, by Cancel or by its context; the context's cause is in Err too.
	ErrCancelled = errors.New("spillway/core: cancelled")
	// ErrClosed: its Fanout was closed. Subscribe returns it too, afterwards.
	ErrClosed = errors.New("spillway/core: the fan-out is closed")
	// ErrGoexit is the Value of a PanicError where user code called runtime.Goexit instead of panicking.
	ErrGoexit = errors.New("spillway/core: runtime.Goexit was called")
)

// A PrunedError says how a sink came to be pruned, and from where its owner has to read again.
// errors.Is(err, ErrPruned) holds for it.
type PrunedError struct {
	Fanout  string        // Config.Name
	ID      uint64        // the Subscription's
	Region  region.Region // the Subscription's
	Verdict Verdict       // Full or Closed

	// Missed is the least Point.Sequence that the subscription was refused, or that was passed over
	// because it had been: nothing below it was missed. HasMissed is false where Config.Locate is
	// nil, or panicked on an event that was missed.
	Missed    uint64
	HasMissed bool

	Held  int   // events in the sink's buffer at the refusal, where the sink is a Gauge or a channel
	Cause error // a *PanicError where user code panicked; otherwise nil
}

func (e *PrunedError) Error() string {
	s := fmt.Sprintf("spillway/core: fan-out %q pruned subscription %d (%s): its sink was %s with %d events held",
		e.Fanout, e.ID, e.Region, e.Verdict, e.Held)
	if e.HasMissed {
		s += fmt.Sprintf("; first missed: sequence %d", e.Missed)
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Is makes errors.Is(err, ErrPruned) true.
func (e *PrunedError) Is(target error) bool { return target == ErrPruned }

// Unwrap returns Cause.
func (e *PrunedError) Unwrap() error { return e.Cause }

// A PanicError carries what a sink, or a function of the user's, panicked with.
type PanicError struct {
	Value any    // as it was given to panic; ErrGoexit for runtime.Goexit
	Stack []byte // of the panicking goroutine, as runtime/debug.Stack prints it
}

// newPanicError makes the error of a deferred function that has recovered value; nil is Goexit's. It
// is called before the stack unwinds.
func newPanicError(value any) *PanicError {
	if value == nil {
		value = ErrGoexit
	}
	return &PanicError{Value: value, Stack: debug.Stack()}
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("spillway/core: user code panicked: %v", e.Value)
}

// Unwrap returns Value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// A MisuseError is what Spillway panics with when a caller broke a promise it gave.
type MisuseError struct{ what string }

func (e *MisuseError) Error() string { return "spillway/core: " + e.what }

// contextError is the end by a context: ErrCancelled and the context's cause, both.
type contextError struct{ cause error }

func (e *contextError) Error() string {
	return ErrCancelled.Error() + " by its context: " + e.cause.Error()
}
func (e *contextError) Unwrap() []error { return []error{ErrCancelled, e.cause} }
