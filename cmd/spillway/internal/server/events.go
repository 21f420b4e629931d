package server

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/ingest"
	"github.com/spillwayhq/spillway/cmd/spillway/internal/problem"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
)

// accepted is what is answered when events are durable. Its JSON is a promise to clients.
type accepted struct {
	Accepted int     `json:"accepted"`
	First    *uint64 `json:"first,omitempty"` // the sequence of the first event of the body
	Last     *uint64 `json:"last,omitempty"`  // and of the last
}

func (a *accepted) add(made []core.Envelope) {
	if len(made) == 0 {
		return
	}
	if a.First == nil {
		a.First = &made[0].Sequence
	}
	a.Last = &made[len(made)-1].Sequence
	a.Accepted += len(made)
}

// refusal returns a problem that says what was accepted before.
func (a *accepted) refusal(p *problem.Problem) *problem.Problem {
	p.Accepted, p.First, p.Last = &a.Accepted, a.First, a.Last
	return p
}

// An upload is one request that brings events.
type upload struct {
	s       *Server
	r       *http.Request
	control *http.ResponseController
	stream  bool // of lines: what comes before a line at fault is appended
	accepted
}

// postEvents appends the events of a body, and answers when they are durable.
func (s *Server) postEvents(w http.ResponseWriter, r *http.Request) {
	if _, p := query(r); p != nil {
		refuse(w, r, p)
		return
	}
	u := &upload{s: s, r: r, control: http.NewResponseController(w)}
	leave, p := s.ingests.enter(r, u.control)
	if p == nil {
		defer leave() // when it is answered: Shutdown waits for that
		p = u.run()
	}
	_ = u.control.SetWriteDeadline(time.Now().Add(s.o.Bounds.Write)) // reading has taken as long as it may
	if p == nil {
		answer(w, u.accepted)
	} else {
		if p.Status == http.StatusUnsupportedMediaType {
			w.Header().Set("Accept-Post", ingest.Types)
			w.Header().Set("Accept-Encoding", "gzip")
		}
		u.refusal(p).Write(w)
	}
	_ = u.control.Flush() // if that fails there is nobody to tell
}

// run appends them, and returns what is wrong with the rest.
func (u *upload) run() *problem.Problem {
	if err := u.s.ingests.deadline(u.control, u.s.o.Bounds.Body); err != nil {
		return u.broken(err)
	}
	body, p := u.body()
	if p != nil {
		return p
	}
	reader, err := ingest.NewReader(u.r.Header, body, u.s.o.Bounds.Ingest)
	if err != nil {
		return u.broken(err)
	}
	if drafts, whole := reader.Whole(); whole {
		return u.append(drafts, 0)
	}
	u.stream = true
	return u.lines(reader)
}

// body returns what was sent, decompressed.
func (u *upload) body() (io.Reader, *problem.Problem) {
	switch encoding := u.r.Header.Values("Content-Encoding"); {
	case len(encoding) == 0, len(encoding) == 1 && strings.EqualFold(encoding[0], "identity"):
		return u.r.Body, nil
	case len(encoding) == 1 && strings.EqualFold(encoding[0], "gzip"):
		body, err := gzip.NewReader(u.r.Body)
		if err != nil {
			return nil, u.broken(err)
		}
		return body, nil
	}
	return nil, problem.New(http.StatusUnsupportedMediaType, "encoding", "The body's Content-Encoding is not read here. Send it as it is, or by gzip.")
}

// How many events of a stream are appended together at most, and bytes of their payloads. A stream that has no more at the moment doesn't
// wait for as many.
const (
	mostTogether      = 1000
	mostTogetherBytes = megabyte
)

// lines appends the events of a stream, some at a time.
func (u *upload) lines(reader *ingest.Reader) *problem.Problem {
	limits := u.s.o.Log.Limits()
	most, mostBytes := mostTogether, mostTogetherBytes
	if limits.Batch > 0 {
		most = min(most, limits.Batch)
	}
	if limits.BatchBytes > 0 {
		mostBytes = min(mostBytes, limits.BatchBytes)
	}
	var drafts []cursor.Draft
	bytes, before := 0, 0 // of the body, events before the first of drafts
	commit := func() *problem.Problem {
		if p := u.append(drafts, before); p != nil {
			return p
		}
		before += len(drafts)
		drafts, bytes = nil, 0 // the journal has those
		return nil
	}
	for {
		if !reader.Ready() {
			if p := commit(); p != nil {
				return p
			}
			if err := u.await(reader); err != nil {
				return u.broken(err)
			}
		}
		d, err := reader.Next()
		if err != nil {
			if p := commit(); p != nil {
				return p
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			return u.broken(err)
		}
		if len(drafts) > 0 && (len(drafts) == most || bytes+len(d.Payload) > mostBytes) {
			if p := commit(); p != nil {
				return p
			}
		}
		drafts = append(drafts, d)
		bytes += len(d.Payload)
	}
}

// await waits for a line to begin, and gives it its time.
func (u *upload) await(reader *ingest.Reader) error {
	if err := u.s.ingests.deadline(u.control, u.s.o.Bounds.Idle); err != nil {
		return err
	}
	if err := reader.Await(); err != nil {
		return err
	}
	return u.s.ingests.deadline(u.control, u.s.o.Bounds.Body)
}

// append appends a batch, of whose events so many of the body come before. Of a stream's, what comes before the one at fault is in the
// log. What was read is appended, whether or not the client waits for the answer.
func (u *upload) append(drafts []cursor.Draft, before int) *problem.Problem {
	if len(drafts) == 0 {
		return nil
	}
	made, err := u.s.journal.Append(context.WithoutCancel(u.r.Context()), drafts)
	if err == nil {
		u.add(made)
		return nil
	}
	fault, ok := errors.AsType[*cursor.DraftError](err)
	if !ok || errors.Is(err, cursor.ErrUnknown) {
		return unappended(err)
	}
	if u.stream && fault.Index > 0 {
		if p := u.append(drafts[:fault.Index], before); p != nil {
			return p
		}
	}
	return unappended(err).At(before + fault.Index + 1)
}

// broken says why a body can't be read on.
func (u *upload) broken(err error) *problem.Problem {
	if p, ok := errors.AsType[*problem.Problem](err); ok {
		return p
	}
	switch {
	case u.s.ingests.stops():
		return stopped()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return problem.New(http.StatusRequestTimeout, "slow", "The body took too long. Send it sooner; what has an id may be sent twice.")
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		return problem.New(http.StatusBadRequest, "gzip", "The body is not gzip, as its Content-Encoding says.")
	}
	return problem.New(http.StatusBadRequest, "body", "The body ends too soon, or is not as HTTP has it. Send it again; what has an id may be sent twice.")
}

// unappended says why the log didn't take a batch.
func unappended(err error) *problem.Problem {
	var (
		conflict  *cursor.ConflictError
		duplicate *cursor.DuplicateError
		limit     *cursor.LimitError
		draft     *cursor.DraftError
	)
	switch {
	case errors.Is(err, cursor.ErrUnknown):
		return problem.New(http.StatusServiceUnavailable, "unknown",
			"It is not known whether the events are in the log. Send them again, under the same ids.").After(retry)
	case errors.Is(err, cursor.ErrJournalClosed):
		return stopped()
	case errors.Is(err, cursor.ErrJournalFailed):
		return problem.New(http.StatusServiceUnavailable, "failed",
			"The log takes nothing more until the server is started again: its disk has failed. What was accepted can be read.")
	case errors.As(err, &conflict):
		return problem.New(http.StatusConflict, "clock", "The clock of %s is %d, and %d was expected. Read what has happened to it, and decide anew.",
			conflict.Coordinate, conflict.Actual, conflict.Expected)
	case errors.As(err, &duplicate):
		return problem.New(http.StatusConflict, "id", "Another event has the id %s, at sequence %d. Give this one an id of its own.",
			duplicate.EventID, duplicate.Sequence)
	case errors.As(err, &limit) && errors.As(err, &draft): // its payload is none too large, or it would not be here
		return problem.New(http.StatusUnprocessableEntity, "entities", "%d %s: the log knows %d at most. Name another.", limit.Got, limit.Limit, limit.Most)
	case errors.As(err, &limit):
		return problem.New(http.StatusRequestEntityTooLarge, "limit", "%d %s: the log takes %d at most. Send less at once.", limit.Got, limit.Limit, limit.Most)
	}
	return problem.New(http.StatusServiceUnavailable, "log", "The log has not taken the events. Send them again, under the same ids.").After(retry)
}
