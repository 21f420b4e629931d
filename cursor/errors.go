package cursor

import (
	"errors"
	"fmt"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// Why a batch was not appended. But for ErrUnknown, nothing of it was.
var (
	// ErrConflict: an entity is not as its Draft expects. The error is a *DraftError with a *ConflictError.
	ErrConflict = errors.New("spillway/cursor: the entity's clock is not the one expected")
	// ErrDuplicate: another event has the Draft's EventID. The error is a *DraftError with a *DuplicateError.
	ErrDuplicate = errors.New("spillway/cursor: another event has this event id")
	// ErrLimit: it is over one of the Log's Limits. The error is a *LimitError, in a *DraftError where it is one Draft's.
	ErrLimit = errors.New("spillway/cursor: over a limit of the log")
	// ErrNoCoordinate: a Draft has no Coordinate. The error is a *DraftError.
	ErrNoCoordinate = errors.New("spillway/cursor: the draft has no coordinate")
	// ErrUnknown: it may have been appended, or may not. The error is an *UnknownError.
	ErrUnknown = errors.New("spillway/cursor: it is not known whether the batch was appended")
)

// Why nothing can be read at a place, or done at all, now or ever.
var (
	// ErrCompacted: retention has passed it. The error is a *CompactedError.
	ErrCompacted = errors.New("spillway/cursor: the sequence is below the first that is kept")
	// ErrBeyond: the Log has not come so far: the place is another Log's, or this Log has lost its end. The error is a
	// *BeyondError.
	ErrBeyond = errors.New("spillway/cursor: the sequence is beyond the end of the log")
	// ErrFailed: the Log has failed for good, by a sync for one, and appends nothing until it is opened again. An engine's error
	// holds it, and the reason; where it may be that something was added it is an *UnknownError, too.
	ErrFailed = errors.New("spillway/cursor: the log has failed for good")
	// ErrCorrupt: what is stored there is not what was written, and will not be. The error is the engine's, and says where.
	ErrCorrupt = errors.New("spillway/cursor: the log is damaged")
	// ErrClosed: the Log was closed. Every method that can fail returns it, afterwards.
	ErrClosed = errors.New("spillway/cursor: the log is closed")
)

// Why a merge ends by itself, besides ErrDisorder.
var (
	// ErrLogs: the Cursors of a merge are of several Logs, whose sequences have nothing to do with each other.
	ErrLogs = errors.New("spillway/cursor: the cursors of a merge are of several logs")
)

// A DraftError says which Draft of a batch is refused, and why. The others are not to blame: a batch without it
// may succeed.
type DraftError struct {
	Index int   // in the batch
	Err   error // a *ConflictError, a *DuplicateError, a *LimitError or ErrNoCoordinate
}

func (e *DraftError) Error() string {
	return fmt.Sprintf("spillway/cursor: draft %d of the batch: %v", e.Index, e.Err)
}

// Unwrap returns Err.
func (e *DraftError) Unwrap() error { return e.Err }

// A ConflictError says what was expected of an entity, and what it is. errors.Is(err, ErrConflict) holds for it.
type ConflictError struct {
	Coordinate region.Coordinate
	Expected   uint32
	Actual     uint32 // with the earlier Drafts of the batch counted
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("spillway/cursor: the clock of %s is %d; %d was expected", e.Coordinate, e.Actual, e.Expected)
}

// Is makes errors.Is(err, ErrConflict) true.
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// A DuplicateError says which event has an EventID already. errors.Is(err, ErrDuplicate) holds for it.
type DuplicateError struct {
	EventID  core.ID
	Sequence uint64 // of the event that has it, or that an earlier Draft of the batch would have made
}

func (e *DuplicateError) Error() string {
	return fmt.Sprintf("spillway/cursor: event id %s is that of another event, at sequence %d", e.EventID, e.Sequence)
}

// Is makes errors.Is(err, ErrDuplicate) true.
func (e *DuplicateError) Is(target error) bool { return target == ErrDuplicate }

// A LimitError says which limit a batch is over, and how far. errors.Is(err, ErrLimit) holds for it.
type LimitError struct {
	Limit string // what is limited
	Got   uint64
	Most  uint64
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("spillway/cursor: %d %s; the log takes %d at most", e.Got, e.Limit, e.Most)
}

// Is makes errors.Is(err, ErrLimit) true.
func (e *LimitError) Is(target error) bool { return target == ErrLimit }

// An UnknownError says why it is not known whether a batch was appended. Whoever gave its Drafts EventIDs appends it
// again. errors.Is(err, ErrUnknown) holds for it.
type UnknownError struct{ Err error }

func (e *UnknownError) Error() string {
	return fmt.Sprintf("%v; append it again under the same event ids: %v", ErrUnknown, e.Err)
}

// Is makes errors.Is(err, ErrUnknown) true.
func (e *UnknownError) Is(target error) bool { return target == ErrUnknown }

// Unwrap returns Err.
func (e *UnknownError) Unwrap() error { return e.Err }

// A CompactedError says from where on a Log can still be read. errors.Is(err, ErrCompacted) holds for it.
type CompactedError struct {
	From  uint64 // what was asked for
	First uint64 // the first that is kept
}

func (e *CompactedError) Error() string {
	return fmt.Sprintf("spillway/cursor: sequence %d is compacted; the first that is kept is %d", e.From, e.First)
}

// Is makes errors.Is(err, ErrCompacted) true.
func (e *CompactedError) Is(target error) bool { return target == ErrCompacted }

// A BeyondError says how far a Log has come. errors.Is(err, ErrBeyond) holds for it.
type BeyondError struct {
	From uint64 // what was asked for
	Next uint64 // the sequence of the event to be appended next
}

func (e *BeyondError) Error() string {
	return fmt.Sprintf("spillway/cursor: sequence %d is beyond the end of the log, whose next is %d", e.From, e.Next)
}

// Is makes errors.Is(err, ErrBeyond) true.
func (e *BeyondError) Is(target error) bool { return target == ErrBeyond }
