package disklog

import (
	"errors"
	"fmt"

	"github.com/spillwayhq/spillway/cursor"
)

// Why there is no Log, or no more of it.
var (
	// ErrLocked: the Log is open already, in this process or in another. From Open.
	ErrLocked = errors.New("spillway/disklog: the log is open already")
	// ErrCorrupt: what is on the disk is not what was written. The error is a *CorruptError. From Open, Append, Read and
	// Verify. It is cursor.ErrCorrupt, too.
	ErrCorrupt = errors.New("spillway/disklog: the log is damaged")
	// ErrFailed: the disk has failed the Log: a write or an fsync. Nothing more is appended; what was durable can be
	// read. Closing the Log and opening it again shows what is there. The error is a *FailedError, and cursor.ErrFailed, too.
	ErrFailed = errors.New("spillway/disklog: the log has failed, and must be opened again")
)

// A CorruptError says what is damaged, and where. errors.Is(err, ErrCorrupt) and errors.Is(err, cursor.ErrCorrupt) hold for it.
type CorruptError struct {
	Path  string // the folder, or the file where that is known
	Place string // what is there, and which: "the block at sequence 7"
	Err   error  // what is wrong with it
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("spillway/disklog: %s: %s: %v", e.Path, e.Place, e.Err)
}

// Is makes errors.Is true for ErrCorrupt and cursor.ErrCorrupt.
func (e *CorruptError) Is(target error) bool {
	return target == ErrCorrupt || target == cursor.ErrCorrupt
}

// Unwrap returns Err.
func (e *CorruptError) Unwrap() error { return e.Err }

// A FailedError says what failed first. errors.Is(err, ErrFailed) and errors.Is(err, cursor.ErrFailed) hold for it.
// A FailedError says which write or fsync of the disk failed first. Nothing more is appended; what was durable can be read. Closing
// the Log and opening it again shows what is there. errors.Is(err, cursor.ErrFailed) holds for it.
type FailedError struct{ Err error }

func (e *FailedError) Error() string { return fmt.Sprintf("%v: %v", cursor.ErrFailed, e.Err) }

// Is makes errors.Is true for ErrFailed and cursor.ErrFailed.
func (e *FailedError) Is(target error) bool { return target == ErrFailed || target == cursor.ErrFailed }
// Is makes errors.Is(err, cursor.ErrFailed) true.
func (e *FailedError) Is(target error) bool { return target == cursor.ErrFailed }

// Unwrap returns Err.
func (e *FailedError) Unwrap() error { return e.Err }
