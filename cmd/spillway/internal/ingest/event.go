package ingest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/problem"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// An event is what a body says of one. Names are as they were sent.
type event struct {
	id, correlation, causation string
	entity, scope, kind        string
	lane, depth                uint32
	time                       uint64
	expect                     *uint32
	payload                    []byte
}

// skip reads what the log says of an event that was read from it: sent again it is made anew.
func skip([]byte) error { return nil }

// parseEvent reads an event in Spillway's own form, the one in which it gives them out.
func parseEvent(data []byte, l Limits) (cursor.Draft, error) {
	var (
		e          event
		has        string // which payload there is
		expect     uint32
		expected   bool
		setPayload = func(name string, payload []byte) error {
			if has != "" {
				return fmt.Errorf("%s is there too, and an event has one payload", has)
			}
			has, e.payload = name, payload
			return nil
		}
	)
	err := fields(data, l.Nesting, map[string]func([]byte) error{
		"id": toString(&e.id), "correlation": toString(&e.correlation), "causation": toString(&e.causation),
		"entity": toString(&e.entity), "scope": toString(&e.scope), "kind": toString(&e.kind),
		"lane": toNumber(&e.lane, 32), "depth": toNumber(&e.depth, 32), "time": toNumber(&e.time, 64),
		"expect": func(raw []byte) error {
			expected = string(raw) != "null"
			return toNumber(&expect, 32)(raw)
		},
		"payload": func(raw []byte) error {
			payload, err := payloadOf(raw)
			if err != nil || payload == nil {
				return err
			}
			return setPayload("payload", payload)
		},
		"payload_base64": func(raw []byte) error {
			payload, err := fromBase64(raw)
			if err != nil {
				return err
			}
			return setPayload("payload_base64", payload)
		},
		"sequence": skip, "clock": skip, "wall_ms": skip, "counter": skip,
	}, nil)
	if err != nil {
		return cursor.Draft{}, notJSON(err)
	}
	if expected {
		e.expect = &expect
	}
	return e.draft(l)
}

// payloadOf returns the payload that a JSON value is: of a string its text, of null none, and of any other its JSON, in one line.
func payloadOf(raw []byte) ([]byte, error) {
	switch {
	case string(raw) == "null":
		return nil, nil
	case raw[0] == '"':
		s, err := unquote(raw)
		return []byte(s), err
	}
	return bytes.Clone(oneLine(raw)), nil // or it would keep the whole body
}

func fromBase64(raw []byte) ([]byte, error) {
	var s string
	if err := toString(&s)(raw); err != nil {
		return nil, err
	}
	payload, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, errors.New("want base64, with its padding")
	}
	return payload, nil
}

// notJSON is what a text that can't be read is answered with.
func notJSON(err error) *problem.Problem {
	if errors.Is(err, errNesting) {
		return problem.New(http.StatusBadRequest, "nesting", "The event is refused: %v. Send a payload with fewer levels.", err)
	}
	return problem.New(http.StatusBadRequest, "json", "The event can't be read: %v.", err)
}

// invalid is what an event is answered with that can be read, and says what can't be.
func invalid(code, format string, args ...any) *problem.Problem {
	return problem.New(http.StatusUnprocessableEntity, code, format, args...)
}

// draft returns the Draft that the event is.
func (e *event) draft(l Limits) (d cursor.Draft, err error) {
	for _, f := range []struct{ name, value string }{{"entity", e.entity}, {"scope", e.scope}, {"kind", e.kind}} {
		if f.value == "" {
			return d, invalid("missing", "The field %q is missing or empty. An event needs entity, scope and kind.", f.name)
		}
	}
	if len(e.payload) > l.Payload {
		return d, problem.New(http.StatusRequestEntityTooLarge, "payload",
			"The payload has %d bytes, and %d are allowed. Keep it elsewhere, and send where it is.", len(e.payload), l.Payload)
	}
	if d.Coordinate, err = region.NewCoordinate(e.entity, e.scope); err != nil {
		return d, invalid("name", "%s.", strings.TrimPrefix(err.Error(), "spillway/region: "))
	}
	if d.Kind, err = parseKind(e.kind); err != nil {
		return d, err
	}
	for _, f := range []struct {
		name, value string
		id          *core.ID
	}{{"id", e.id, &d.EventID}, {"correlation", e.correlation, &d.CorrelationID}, {"causation", e.causation, &d.CausationID}} {
		if *f.id, err = parseID(f.value); err != nil {
			return d, invalid("id", "The field %q is %v.", f.name, err)
		}
	}
	d.Lane, d.Depth, d.Time, d.Payload = e.lane, e.depth, e.time, e.payload
	if e.expect != nil {
		d.Expect = cursor.ExpectClock(*e.expect)
	}
	return d, nil
}

// parseKind reads a kind of a user's: those of the system are not sent.
func parseKind(s string) (region.Kind, error) {
	k, err := region.ParseKind(s)
	if err == nil {
		k, err = region.NewKind(k.Category(), k.Type())
	}
	if err != nil {
		return 0, invalid("kind", "The kind %.40q is refused: %s. One is written 0x1:0x00a.", s, strings.TrimPrefix(err.Error(), "spillway/region: "))
	}
	return k, nil
}

// parseID reads 32 hexadecimal digits, or the same with a UUID's dashes. No text is no id.
func parseID(s string) (id core.ID, err error) {
	digits := s
	if len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' {
		digits = s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	}
	if s == "" {
		return id, nil
	}
	if len(digits) != 2*len(id) {
		return id, fmt.Errorf("%.40q; want 32 hexadecimal digits, or a UUID", s)
	}
	if _, err := hex.Decode(id[:], []byte(digits)); err != nil {
		return id, fmt.Errorf("%.40q; want 32 hexadecimal digits, or a UUID", s)
	}
	return id, nil
}
