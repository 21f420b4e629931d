package sse

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"
)

// Why Follow ends by itself.
var (
	// ErrReplaced: the place is another log's, or the log has lost its end. The error is a *StatusError.
	ErrReplaced = errors.New("spillway/sse: the place is not the log's")
	// ErrDenied: the server wants another token, or none of this caller's. The error is a *StatusError.
	ErrDenied = errors.New("spillway/sse: the server denies it")
	// ErrStopped: the server has said that there is nothing more to come back for. The error is a *StatusError.
	ErrStopped = errors.New("spillway/sse: the server wants no one back")
	// ErrGap: retention has dropped events that were not read. The error is a *GapError.
	ErrGap = errors.New("spillway/sse: events were dropped before they were read")
	// ErrLost: the stream has no log, and what came meanwhile can't be read again. The error is a *LostError.
	ErrLost = errors.New("spillway/sse: what comes meanwhile is lost")
	// ErrTooLong: an event is longer than FollowOptions.MaxEvent.
	ErrTooLong = errors.New("spillway/sse: an event is longer than MaxEvent")
	// ErrNoStream: what the server answers with is no stream of events.
	ErrNoStream = errors.New("spillway/sse: the server answers with something else")
)

// A StatusError is an answer that is no stream.
type StatusError struct {
	Status     int           // of HTTP
	Title      string        // as the server says it, in short
	Detail     string        // and what to do about it
	RetryAfter time.Duration // as the server says; 0: it doesn't
}

func (e *StatusError) Error() string {
	s := fmt.Sprintf("spillway/sse: the server answers %d %s", e.Status, http.StatusText(e.Status))
	if e.Title != "" {
		s += ": " + e.Title
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// Is makes errors.Is true of ErrReplaced, ErrDenied and ErrStopped.
func (e *StatusError) Is(target error) bool {
	switch e.Status {
	case http.StatusGone:
		return target == ErrReplaced
	case http.StatusUnauthorized, http.StatusForbidden:
		return target == ErrDenied
	case http.StatusNoContent:
		return target == ErrStopped
	}
	return false
}

// A GapError says what was asked for, and from where on a log can still be read. errors.Is(err, ErrGap) holds for it.
type GapError struct{ Asked, Left uint64 }

func (e *GapError) Error() string {
	return fmt.Sprintf("%v: sequence %d was asked for, and the first that is left is %d", ErrGap, e.Asked, e.Left)
}

// Is makes errors.Is(err, ErrGap) true.
func (e *GapError) Is(target error) bool { return target == ErrGap }

// A LostError says how a stream without a log ended. errors.Is(err, ErrLost) holds for it.
type LostError struct {
	Reason string
	Missed *uint64 // the first sequence that didn't come; nil: that isn't known
}

func (e *LostError) Error() string {
	s := fmt.Sprintf("%v: %s", ErrLost, e.Reason)
	if e.Missed != nil {
		s += fmt.Sprintf("; first missed: sequence %d", *e.Missed)
	}
	return s
}

// Is makes errors.Is(err, ErrLost) true.
func (e *LostError) Is(target error) bool { return target == ErrLost }

// A permanentError would come again.
type permanentError struct{ error }

func (e *permanentError) Unwrap() error { return e.error }

// final tells whether it is for nothing to come back after err.
func final(err error) bool {
	if status, ok := errors.AsType[*StatusError](err); ok {
		return status.Status < http.StatusInternalServerError &&
			status.Status != http.StatusTooManyRequests && status.Status != http.StatusRequestTimeout
	}
	if _, ok := errors.AsType[*permanentError](err); ok {
		return true
	}
	for _, end := range []error{ErrGap, ErrLost, ErrTooLong, ErrNoStream} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// tooLong names the parser's error.
func tooLong(err error) error {
	if errors.Is(err, bufio.ErrTooLong) {
		return ErrTooLong
	}
	return fmt.Errorf("spillway/sse: the connection is lost: %w", err)
}

// mostProblem is how much of an answer is read that is no stream.
const mostProblem = 1 << 14

// checkStream returns why an answer is no stream.
func checkStream(res *http.Response) error {
	if res.StatusCode == http.StatusOK {
		media, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
		if err != nil || media != mediaType {
			return fmt.Errorf("%w: %q", ErrNoStream, excerpt(res.Header.Get("Content-Type")))
		}
		return nil
	}
	status := &StatusError{Status: res.StatusCode}
	if s, err := strconv.ParseUint(res.Header.Get("Retry-After"), 10, 20); err == nil {
		status.RetryAfter = time.Duration(s) * time.Second
	}
	var p problem
	if text, err := io.ReadAll(io.LimitReader(res.Body, mostProblem)); err == nil && json.Unmarshal(text, &p) == nil {
		status.Title, status.Detail = excerpt(p.Title), p.Detail
	}
	return status
}
