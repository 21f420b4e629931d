package disklog

import (
	"errors"
	"fmt"

	"github.com/spillwayhq/spillway/cursor"
)

// ErrLocked is the error of an Open of a Log that is open already, in this process or in another.
var ErrLocked = errors.New("spillway/disklog: the log is open already")

// ErrNoLog is the error of an Open that is to make no Log, where there is none.
var ErrNoLog = errors.New("spillway/disklog: there is no log")

// ErrReadOnly is the error of whatever would add something to a Log that was opened with Options.ReadOnly, or wait for it. errors.Is(err,
// cursor.ErrFailed) holds for it, since to a Journal or a Follower it is the same: it appends nothing until it is opened again.
var ErrReadOnly error = readOnlyError{}

type readOnlyError struct{}

func (readOnlyError) Error() string { return "spillway/disklog: the log was opened read only" }

// Is makes errors.Is(err, cursor.ErrFailed) true.
func (readOnlyError) Is(target error) bool { return target == cursor.ErrFailed }

// A CorruptError says what on the disk is not what was written, and where. It comes from Open, Append, Read and Verify.
// errors.Is(err, cursor.ErrCorrupt) holds for it.
type CorruptError struct {
	Path  string // the folder, or the file where that is known
	Place string // what is there, and which: "the block at sequence 7"
	Err   error  // what is wrong with it
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("spillway/disklog: %s: %s: %v", e.Path, e.Place, e.Err)
}

// Is makes errors.Is(err, cursor.ErrCorrupt) true.
func (e *CorruptError) Is(target error) bool { return target == cursor.ErrCorrupt }

// Unwrap returns Err.
func (e *CorruptError) Unwrap() error { return e.Err }

// A FailedError says which write or fsync of the disk failed first. Nothing more is appended; what was durable can be read. Closing
// the Log and opening it again shows what is there. errors.Is(err, cursor.ErrFailed) holds for it.
type FailedError struct{ Err error }

func (e *FailedError) Error() string { return fmt.Sprintf("%v: %v", cursor.ErrFailed, e.Err) }

// Is makes errors.Is(err, cursor.ErrFailed) true.
func (e *FailedError) Is(target error) bool { return target == cursor.ErrFailed }

// Unwrap returns Err.
func (e *FailedError) Unwrap() error { return e.Err }
