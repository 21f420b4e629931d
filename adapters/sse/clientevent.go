package sse

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	parser "github.com/tmaxmax/go-sse"
)

// event hands out what came, and keeps where it is in the log. An error ends the connection.
func (f *following) event(in parser.Event, yield func(Event, error) bool) error {
	e := Event{Name: in.Type, Data: []byte(in.Data), LastID: f.after}
	told := in.LastEventID != f.told
	f.told = in.LastEventID
	switch e.Name {
	case EventProgress, EventEnd, EventGap: // their ids are no event's
		return f.own(e, yield)
	}
	if told && in.LastEventID != "" && in.LastEventID != f.after {
		e.ID, e.LastID = in.LastEventID, in.LastEventID
	}
	if e.ID == "" && e.Name == "" && len(e.Data) == 0 {
		return nil // no event: a block that says when to come back, for one
	}
	f.failed = 0
	if e.ID != "" {
		f.after, f.from = e.ID, "" // the caller has it, whatever becomes of the loop
	}
	if !yield(e, nil) {
		return errLeft
	}
	return nil
}

// own goes by what the stream says of itself.
func (f *following) own(e Event, yield func(Event, error) bool) error {
	var said struct {
		Reason string  `json:"reason"`
		From   string  `json:"from"`
		Missed *uint64 `json:"missed"`
		Asked  uint64  `json:"asked"`
		Left   uint64  `json:"left"`
	}
	if err := json.Unmarshal(e.Data, &said); err != nil {
		return fmt.Errorf("spillway/sse: what the server says with %s can't be read: %w", e.Name, err)
	}
	if e.Name == EventGap || e.Name == EventProgress && said.From != f.from { // a server may have nothing but a beginning and an end
		f.failed = 0
	}
	if said.From != "" {
		f.progress(said.From)
	}
	switch {
	case e.Name == EventProgress:
		return nil
	case e.Name == EventGap && !f.o.Gaps:
		return &GapError{Asked: said.Asked, Left: said.Left}
	case e.Name == EventGap:
		f.from = strconv.FormatUint(said.Left, 10)
		if log, _, ok := strings.Cut(f.told, "-"); ok { // or another log, in place of this one, would be gone on with there
			f.from = log + "-" + f.from
		}
		if !yield(e, nil) {
			return errLeft
		}
		f.o.Progress(f.from)
		return nil
	case said.From == "":
		return &LostError{Reason: said.Reason, Missed: said.Missed}
	}
	return fmt.Errorf("%w: %s", errEnded, said.Reason)
}

// watched is a response's body of which each byte counts as a sign of life, and which tells what is said in the field retry: the
// parser keeps that to itself.
type watched struct {
	r     io.Reader
	alive func()
	retry func(time.Duration)
	line  []byte // as far as it may be such a field
	other bool   // it is none
}

const retryField = "retry:"

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if n > 0 {
		w.alive()
		w.look(p[:n])
	}
	return n, err
}

// longestRetry is that of a field that makes sense.
const longestRetry = len(retryField) + 20

// look goes on with the lines.
func (w *watched) look(p []byte) {
	for len(p) > 0 {
		end := bytes.IndexAny(p, "\r\n")
		part := p
		if end >= 0 {
			part = p[:end]
		}
		if room := longestRetry - len(w.line); !w.other {
			w.line = append(w.line, part[:min(len(part), room)]...)
			k := min(len(w.line), len(retryField))
			w.other = len(part) > room || string(w.line[:k]) != retryField[:k]
		}
		if end < 0 {
			return
		}
		if text, ok := bytes.CutPrefix(w.line, []byte(retryField)); ok && !w.other {
			if ms, err := strconv.ParseUint(string(bytes.TrimPrefix(text, []byte(" "))), 10, 32); err == nil {
				w.retry(time.Duration(ms) * time.Millisecond)
			}
		}
		w.line, w.other = w.line[:0], false
		p = p[end+1:]
	}
}
