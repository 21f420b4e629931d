package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A decoder turns the lines of an input into events, in two steps; it knows one format, and what the lines before said.
type decoder interface {
	// parse returns what a line says. It keeps nothing of the line, and is called by several goroutines at once.
	parse(line []byte) (said any, err error)

	// event returns the event of what parse returned, line after line.
	event(said any) (*core.Envelope, error)
}

// decode takes both steps.
func decode(d decoder, line []byte) (*core.Envelope, error) {
	said, err := d.parse(line)
	if err != nil {
		return nil, err
	}
	return d.event(said)
}

// newDecoder returns the decoder of a format; where that is auto, of the one that the line is in.
func newDecoder(format string, line []byte) (decoder, error) {
	if format == "auto" {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(line, &fields); err != nil {
			return nil, notJSON(err)
		}
		format = formatOf(fields)
	}
	switch format {
	case "git":
		return newGitDecoder(), nil
	case "spillway":
		return &spillwayDecoder{names: make(names), newID: numbered}, nil
	}
	return nil, errors.New(`neither the field "entity" of format spillway nor "commit" of format git; --format says which it is`)
}

// formatOf tells a format by its own field; where a line has those of both, by the other fields that it has. It is
// "" where the line has neither.
func formatOf(fields map[string]json.RawMessage) string {
	entity, commit := fields["entity"] != nil, fields["commit"] != nil
	switch {
	case entity && commit && fields["scope"] == nil && fields["op"] != nil, commit && !entity:
		return "git"
	case entity:
		return "spillway"
	}
	return ""
}

// notJSON says why a line was not understood.
func notJSON(err error) error {
	var typed *json.UnmarshalTypeError
	switch {
	case !errors.As(err, &typed):
		return fmt.Errorf("not a JSON object: %w", err)
	case typed.Field == "":
		return fmt.Errorf("not a JSON object, but a JSON %s", typed.Value)
	}
	return fmt.Errorf("the field %q can't be a JSON %s", typed.Field, typed.Value)
}

func missing(field string) error { return fmt.Errorf("the field %q is missing", field) }

// names gives equal names the same memory: an input has few, and says them often.
type names map[string]string

func (n names) intern(s string) string {
	if kept, ok := n[s]; ok {
		return kept
	}
	s = strings.Clone(s)
	n[s] = s
	return s
}

// numbered returns an ID that says which event of the input it is, from 1.
func numbered(n uint64) (id core.ID) {
	for i := range 8 {
		id[15-i] = byte(n >> (8 * i))
	}
	return id
}

// commitID returns a commit's first 32 hexadecimal digits as an ID.
func commitID(s string) (id core.ID, err error) {
	if len(s) != 2*len(id) {
		return id, fmt.Errorf("%q is not a commit: want its first 32 hexadecimal digits", s)
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return id, fmt.Errorf("%q is not a commit: %w", s, err)
	}
	return id, nil
}

// A spillwayDecoder reads lines of {"entity","scope","kind","lane","time","payload"}; the last three may
// be absent. A payload that is a string is its text, any other its JSON. What an eventLine has besides is read, where
// an input can say it.
type spillwayDecoder struct {
	names names
	count uint64
	newID func(n uint64) core.ID // of the nth event, where its line has none
}

type spillwayLine struct {
	Entity  *string         `json:"entity"`
	Scope   *string         `json:"scope"`
	Kind    *string         `json:"kind"`
	Lane    uint32          `json:"lane"`
	Time    uint64          `json:"time"`
	Payload json.RawMessage `json:"payload"`

	// These are of what was dumped from a log.
	ID          string `json:"id"`
	Correlation string `json:"correlation"`
	Causation   string `json:"causation"`
	Depth       uint32 `json:"depth"`
	Bytes       []byte `json:"payload_base64"` // a payload that is no text
}

func (d *spillwayDecoder) parse(line []byte) (any, error) {
	l := new(spillwayLine)
	if err := json.Unmarshal(line, l); err != nil {
		return nil, notJSON(err)
	}
	return l, nil
}

func (d *spillwayDecoder) event(said any) (*core.Envelope, error) {
	l := said.(*spillwayLine)
	switch {
	case l.Entity == nil:
		return nil, missing("entity")
	case l.Scope == nil:
		return nil, missing("scope")
	case l.Kind == nil:
		return nil, missing("kind")
	}
	name, err := region.NewCoordinate(d.names.intern(*l.Entity), d.names.intern(*l.Scope))
	if err != nil {
		return nil, err
	}
	kind, err := region.ParseKind(*l.Kind)
	if err != nil {
		return nil, err
	}
	d.count++
	e := &core.Envelope{Time: l.Time}
	e.EventID, e.Coordinate, e.Kind = d.newID(d.count), name, kind
	e.Position = region.Position{WallMS: l.Time, Depth: l.Depth, Lane: l.Lane}
	if err := l.ids(e); err != nil {
		return nil, err
	}
	if len(l.Payload) > 0 && l.Payload[0] == '"' {
		var text string
		if err := json.Unmarshal(l.Payload, &text); err != nil {
			return nil, notJSON(err)
		}
		e.Payload = []byte(text)
	} else if string(l.Payload) != "null" {
		e.Payload = l.Payload
	}
	if l.Bytes != nil {
		if e.Payload != nil {
			return nil, errors.New(`the fields "payload" and "payload_base64" are both there`)
		}
		e.Payload = l.Bytes
	}
	return e, nil
}

// ids has an event have the ids that its line says.
func (l *spillwayLine) ids(e *core.Envelope) error {
	for _, f := range []struct {
		name, text string
		id         *core.ID
	}{{"id", l.ID, &e.EventID}, {"correlation", l.Correlation, &e.CorrelationID}, {"causation", l.Causation, &e.CausationID}} {
		if f.text == "" {
			continue
		}
		if len(f.text) != 2*len(f.id) {
			return fmt.Errorf("the field %q is %q: want 32 hexadecimal digits", f.name, f.text)
		}
		if _, err := hex.Decode(f.id[:], []byte(f.text)); err != nil {
			return fmt.Errorf("the field %q is %q: %w", f.name, f.text, err)
		}
	}
	return nil
}
