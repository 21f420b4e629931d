package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"text/template"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spillwayhq/spillway/core"
)

// A watchedEvent is an event as a template sees it. Its fields are a promise to scripts.
type watchedEvent struct {
	Sequence               uint64
	ID                     string
	Correlation, Causation string // "" where it has none
	Entity, Scope, Kind    string
	Lane, Depth, Clock     uint32
	Time                   time.Time // its source's; where that gave none, the log's
	Payload                string

	line []byte // as the server sent it
}

func newWatchedEvent(e *core.Envelope, line []byte) *watchedEvent {
	w := &watchedEvent{
		Sequence: e.Sequence, ID: e.EventID.String(),
		Entity: e.Coordinate.Entity(), Scope: e.Coordinate.Scope(), Kind: e.Kind.String(),
		Lane: e.Position.Lane, Depth: e.Position.Depth, Clock: e.Position.Sequence,
		Time: time.UnixMilli(int64(min(e.Time, 1<<52))), Payload: string(e.Payload), line: line,
	}
	if e.Time == 0 {
		w.Time = time.UnixMilli(int64(min(e.Position.WallMS, 1<<52)))
	}
	if e.CorrelationID != (core.ID{}) {
		w.Correlation = e.CorrelationID.String()
	}
	if e.CausationID != (core.ID{}) {
		w.Causation = e.CausationID.String()
	}
	return w
}

// JSON returns the payload's value, or nil where it is no JSON.
func (e *watchedEvent) JSON() any {
	d := json.NewDecoder(strings.NewReader(e.Payload))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil || d.More() {
		return nil
	}
	return v
}

// templated returns what prints a template of each event, in a line of its own.
func templated(text string) (func(io.Writer, *watchedEvent) error, error) {
	t, err := template.New("--template").Parse(text)
	if err != nil {
		return nil, err
	}
	if err := t.Execute(io.Discard, &watchedEvent{Payload: "{}"}); err != nil {
		return nil, err // a field that there isn't
	}
	return func(w io.Writer, e *watchedEvent) error {
		if err := t.Execute(w, e); err != nil {
			return err
		}
		_, err := io.WriteString(w, "\n")
		return err
	}, nil
}

// oneLineJSON returns the event as JSON in one line, whatever lines its payload has.
func (e *watchedEvent) oneLineJSON() ([]byte, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, e.line); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

func printLine(w io.Writer, e *watchedEvent) error {
	line, err := e.oneLineJSON()
	if err == nil {
		_, err = w.Write(line)
	}
	return err
}

// mostShown is how many runes of a payload a line shows.
const mostShown = 160

// pretty returns what prints an event for people.
func pretty(coloured bool) func(io.Writer, *watchedEvent) error {
	dim, bold, end := "\x1b[2m", "\x1b[1m", "\x1b[0m"
	if !coloured {
		dim, bold, end = "", "", ""
	}
	return func(w io.Writer, e *watchedEvent) error {
		shown := safe(e.Payload)
		if utf8.RuneCountInString(shown) > mostShown {
			shown = string([]rune(shown)[:mostShown]) + "…"
		}
		_, err := fmt.Fprintf(w, "%s%8d  %s%s  %s%s@%s%s  %s  lane %d  %s\n", dim, e.Sequence, e.Time.Format("15:04:05.000"), end,
			bold, safe(e.Entity), safe(e.Scope), end, e.Kind, e.Lane, shown)
		return err
	}
}

// safe returns text that somebody else wrote, for a terminal: in one line, and none of it is taken for an order.
func safe(s string) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, unsafe) < 0 {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 || unsafe(r) {
			b.WriteString(strings.Trim(strconv.QuoteToASCII(s[:size]), `"`))
		} else {
			b.WriteRune(r)
		}
		s = s[size:]
	}
	return b.String()
}

// unsafe tells whether a rune may be more than a sign on the screen: those that turn the direction of text, too.
func unsafe(r rune) bool { return !unicode.IsPrint(r) }

// execute runs a program for the event.
func (e *watchedEvent) execute(ctx context.Context, program string, std stdio) error {
	line, err := e.oneLineJSON()
	if err != nil {
		return err
	}
	c := exec.CommandContext(ctx, program)
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(line), std.out, std.err
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) } // it has an event in hand
	c.WaitDelay = 5 * time.Second
	c.Env = append(os.Environ(),
		"SPILLWAY_EVENT_SEQUENCE="+strconv.FormatUint(e.Sequence, 10), "SPILLWAY_EVENT_ID="+e.ID,
		"SPILLWAY_EVENT_ENTITY="+e.Entity, "SPILLWAY_EVENT_SCOPE="+e.Scope, "SPILLWAY_EVENT_KIND="+e.Kind,
		"SPILLWAY_EVENT_LANE="+strconv.FormatUint(uint64(e.Lane), 10),
		"SPILLWAY_EVENT_TIME="+strconv.FormatInt(e.Time.UnixMilli(), 10),
		"SPILLWAY_EVENT_CLOCK="+strconv.FormatUint(uint64(e.Clock), 10))
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s: %w", program, err)
	}
	return flush(std.out)
}
