package cursor

import (
	"errors"
	"fmt"
)

// Why a Follower ends, besides ErrCompacted, ErrBeyond, ErrClosed, ErrCorrupt and core.ErrCancelled.
var (
	// ErrNoFeed: FollowOptions.Feed is nil, or returned neither a Feed nor an error.
	ErrNoFeed = errors.New("spillway/cursor: there is no feed to follow by; set FollowOptions.Feed")
	// ErrNoLocate: the Fanout can't tell where its events are.
	ErrNoLocate = errors.New("spillway/cursor: the fan-out doesn't locate its events; set core.Config.Locate to core.Envelope.Point")
	// ErrReplaced: the Log is not the one that the Follower began with. The error is a *ReplacedError.
	ErrReplaced = errors.New("spillway/cursor: the log was replaced by another")
	// ErrDisorder: events come otherwise than in the order of the Log. Of a Follower the error is a *DisorderError: its Fanout is not
	// written as by a Journal. A Merge ends with it too, where one of its sources goes back.
	ErrDisorder = errors.New("spillway/cursor: events are not in the order of the log")
)

// A ReplacedError says which Log is where another was. errors.Is(err, ErrReplaced) holds for it.
type ReplacedError struct{ Was, Is LogID }

func (e *ReplacedError) Error() string {
	return fmt.Sprintf("%v: it was %s and is %s", ErrReplaced, e.Was, e.Is)
}

// Unwrap returns ErrReplaced.
func (e *ReplacedError) Unwrap() error { return ErrReplaced }

// A DisorderError says which event was broadcast after a later one, or twice. The Follower can't tell which, or hand it
// out in its place: it ends. Whoever goes on does so from Sequence, or from a place that was saved below it: one that is above was handed out
// without it. errors.Is(err, ErrDisorder) holds for it.
type DisorderError struct {
	Sequence uint64 // of that event
	Next     uint64 // what was to come, at least
}

func (e *DisorderError) Error() string {
	return fmt.Sprintf("%v: event %d was broadcast where %d or a later one was to be; let a Journal write the fan-out", ErrDisorder, e.Sequence, e.Next)
}

// Unwrap returns ErrDisorder.
func (e *DisorderError) Unwrap() error { return ErrDisorder }
