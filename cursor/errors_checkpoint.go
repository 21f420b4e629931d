package cursor

import (
	"errors"
	"fmt"
)

// Why there is no place to go on from, or none can be saved.
var (
	// ErrNoCheckpoint: nothing is stored under the name.
	ErrNoCheckpoint = errors.New("spillway/cursor: there is no checkpoint of this name")
	// ErrMismatch: the Checkpoint is another's. The error is a *MismatchError.
	ErrMismatch = errors.New("spillway/cursor: the checkpoint is bound to something else")
	// ErrFenced: the name has another owner by now. The error is a *FencedError.
	ErrFenced = errors.New("spillway/cursor: the checkpoint has another owner")
	// ErrCorruptCheckpoint: what is stored cannot be read. The error is a *CorruptCheckpointError.
	ErrCorruptCheckpoint = errors.New("spillway/cursor: the checkpoint is corrupt")
	// ErrCheckpointVersion: another version of this program has written it. It is always in a *CorruptCheckpointError.
	ErrCheckpointVersion = errors.New("spillway/cursor: the checkpoint is of another version")
	// ErrCheckpointName: it is empty or too long.
	ErrCheckpointName = errors.New("spillway/cursor: this is no name for a checkpoint")
)

// A MismatchError says what a Checkpoint is bound to. errors.Is(err, ErrMismatch) holds for it. Where What is "event" it is
// of the Log's identity, and its owner had another event than the Log has: that has lost its end, and grown again.
type MismatchError struct {
	Name string
	What string // "name", "log", "region", "region hash", "part" or "event"
	Want string // the caller's; of an event, the Log's
	Got  string // that of the Checkpoint
}

func (e *MismatchError) Error() string {
	if e.What == lastEvent {
		return fmt.Sprintf("spillway/cursor: checkpoint %q comes after event %s; the log has %s there: it lost its end, and grew again",
			e.Name, e.Got, e.Want)
	}
	return fmt.Sprintf("spillway/cursor: checkpoint %q is bound to the %s %q; %q was asked for", e.Name, e.What, e.Got, e.Want)
}

// Is makes errors.Is(err, ErrMismatch) true.
func (e *MismatchError) Is(target error) bool { return target == ErrMismatch }

// A FencedError says who owns a Checkpoint. errors.Is(err, ErrFenced) holds for it.
type FencedError struct {
	Name  string
	Epoch uint64 // the caller's
	Owner uint64 // the one that is stored
}

func (e *FencedError) Error() string {
	return fmt.Sprintf("spillway/cursor: checkpoint %q is owned by epoch %d; this is epoch %d", e.Name, e.Owner, e.Epoch)
}

// Is makes errors.Is(err, ErrFenced) true.
func (e *FencedError) Is(target error) bool { return target == ErrFenced }

// A CorruptCheckpointError says why a Checkpoint cannot be read. errors.Is(err, ErrCorruptCheckpoint) holds for it.
type CorruptCheckpointError struct {
	Name string
	Err  error
}

func (e *CorruptCheckpointError) Error() string {
	return fmt.Sprintf("spillway/cursor: checkpoint %q is corrupt: %v", e.Name, e.Err)
}

// Is makes errors.Is(err, ErrCorruptCheckpoint) true.
func (e *CorruptCheckpointError) Is(target error) bool { return target == ErrCorruptCheckpoint }

// Unwrap returns Err.
func (e *CorruptCheckpointError) Unwrap() error { return e.Err }
