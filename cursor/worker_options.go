package cursor

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// WorkerOptions say what a Worker does. Name, Checkpoints and one of Handle and HandleBatch are needed.
type WorkerOptions struct {
	Name        string // of its Checkpoint: two Workers of one name do one's work
	Region      region.Region
	Part        Part // of the Region, by entity; see Partition
	Checkpoints Checkpoints
	From        Start // where it begins if nothing is saved under the name

	// Handle is given one event, HandleBatch several, in order, in memory that it may write to and that is the Worker's again when it
	// returns. An error, a panic or a runtime.Goexit says that they were not handled; the Answer is not looked at then. One call is made at
	// a time. Its context ends with the Worker's, and by Stop: an error that is returned then is no failure.
	Handle      func(ctx context.Context, e core.Envelope) (Answer, error)
	HandleBatch func(ctx context.Context, es []core.Envelope) (Answer, error)

	// Batch is how many events are read, and given to HandleBatch, at once. 0: 256.
	Batch int
	// Every is after how many events the place is saved, and Interval after how long; whichever comes first. With both 0 it is
	// saved after each batch, as it is at the Log's end, where no Interval is given.
	Every    int
	Interval time.Duration

	// Attempts is how often an event is begun before it is set aside, crashes counted. 0: 5. A batch that fails is nobody's attempt: its
	// events are begun one by one then. A store or a Log that fails
	// is tried as often before the Worker ends.
	Attempts int
	// FirstPause is how long to wait after the first failure: up to that, and at least half of it, by chance. It is doubled
	// with each failure, up to MostPause. 0: 100 ms, and 30 s.
	FirstPause, MostPause time.Duration

	// Poison says what becomes of an event whose Attempts are used up.
	Poison Poison
	// Skipped is told of each event that is passed over, before the place moves over it: twice, after a crash at the wrong moment.
	// SkipPoison needs it.
	Skipped func(*PoisonError)
	// DeadLetters is where DeadLetterPoison appends.
	DeadLetters Log
}

// An Answer says how to go on after events that were handled.
type Answer uint8

const (
	// Continue goes on.
	Continue Answer = iota
	// Stop ends the Worker, with what was handled saved.
	Stop
	// StopWithRollback ends the Worker with nothing saved since the last time: all since then comes again. It is for handlers that
	// undo what they did since.
	StopWithRollback
)

// A Poison is what becomes of an event that can't be handled.
type Poison uint8

const (
	// StopOnPoison ends the Worker with a *PoisonError. The next one begins with the event, and its Attempts anew.
	StopOnPoison Poison = iota
	// SkipPoison tells Skipped, and goes on.
	SkipPoison
	// DeadLetterPoison appends the event to DeadLetters, caused by the original and once, whatever crashes, and goes on.
	DeadLetterPoison
)

// withDefaults returns o with what is left open filled in.
func (o WorkerOptions) withDefaults() WorkerOptions {
	if o.Batch == 0 {
		o.Batch = 256
	}
	if o.Attempts == 0 {
		o.Attempts = 5
	}
	if o.FirstPause == 0 {
		o.FirstPause = 100 * time.Millisecond
	}
	if o.MostPause == 0 {
		o.MostPause = max(30*time.Second, o.FirstPause)
	}
	return o
}

// validate returns what can't be. The defaults are filled in.
func (o *WorkerOptions) validate(log Log) error {
	if err := CheckName(o.Name); err != nil {
		return err
	}
	if err := o.Region.Validate(); err != nil {
		return err
	}
	for _, f := range []struct {
		bad  bool
		what string
	}{
		{o.Checkpoints == nil, "Checkpoints is nil"},
		{(o.Handle == nil) == (o.HandleBatch == nil), "one of Handle and HandleBatch is needed"},
		{!o.Part.valid(), "there is no part " + o.Part.String()},
		{o.Batch < 1 || o.Every < 0 || o.Interval < 0 || o.Attempts < 1, "a number is negative"},
		{o.FirstPause < 0 || o.MostPause < o.FirstPause, "MostPause is less than FirstPause, or they are negative"},
		{o.Poison > DeadLetterPoison, fmt.Sprintf("there is no Poison %d", o.Poison)},
		{o.Poison == SkipPoison && o.Skipped == nil, "SkipPoison needs Skipped: nothing is skipped in silence"},
		{(o.Poison == DeadLetterPoison) != (o.DeadLetters != nil), "DeadLetterPoison and DeadLetters need each other"},
		{o.DeadLetters != nil && o.DeadLetters.ID() == log.ID(), "DeadLetters is the Log itself"},
	} {
		if f.bad {
			return fmt.Errorf("%w: %s", ErrWorkerOptions, f.what)
		}
	}
	return nil
}

// pause returns how long to wait after n failures. Chance comes after the bound, so that those at the bound don't come back together.
func (o *WorkerOptions) pause(n int) time.Duration {
	d := o.FirstPause
	for ; n > 1 && d < o.MostPause; n-- {
		d *= 2
	}
	d = min(d, o.MostPause)
	return d - rand.N(d/2+1)
}

// longestSpan is how many events are handled at most before the place is saved, whatever is asked for: after a crash all of
// them come one by one.
const longestSpan = 1 << 14

// span is how many events may lie between two saves.
func (o *WorkerOptions) span() int {
	if o.Interval > 0 && o.Every == 0 {
		return longestSpan + o.Batch
	}
	return min(longestSpan, o.Every) + o.Batch
}

// Why a Worker ends, or doesn't begin.
var (
	// ErrWorkerOptions: they can't be.
	ErrWorkerOptions = errors.New("spillway/cursor: the worker's options can't be")
	// ErrPoison: an event's attempts are used up. The error is a *PoisonError.
	ErrPoison = errors.New("spillway/cursor: the event can't be handled")
	// ErrDied is the Err of a PoisonError whose attempts ended with their process.
	ErrDied = errors.New("spillway/cursor: the process ended while it was handled")
	// ErrStopped is the cause of a handler's context that ended by Worker.Stop.
	ErrStopped = errors.New("spillway/cursor: the worker was stopped")
)

// A PoisonError says which event can't be handled. errors.Is(err, ErrPoison) holds for it.
type PoisonError struct {
	Worker   string
	Event    core.Envelope
	Attempts int
	Err      error // what the last attempt of this process returned, a *core.PanicError where it panicked; or ErrDied
}

func (e *PoisonError) Error() string {
	return fmt.Sprintf("spillway/cursor: worker %q can't handle the event at sequence %d, after %d attempts: %v",
		e.Worker, e.Event.Sequence, e.Attempts, e.Err)
}

// Is makes errors.Is(err, ErrPoison) true.
func (e *PoisonError) Is(target error) bool { return target == ErrPoison }

// Unwrap returns Err.
func (e *PoisonError) Unwrap() error { return e.Err }
