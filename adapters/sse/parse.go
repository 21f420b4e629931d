package sse

import (
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// parsed is what ParseJSON reads. Fields that are not named are passed over, so that a later version may add some.
type parsed struct {
	Sequence    uint64          `json:"sequence"`
	ID          string          `json:"id"`
	Correlation string          `json:"correlation"`
	Causation   string          `json:"causation"`
	Entity      string          `json:"entity"`
	Scope       string          `json:"scope"`
	Kind        string          `json:"kind"`
	Lane        uint32          `json:"lane"`
	Depth       uint32          `json:"depth"`
	Time        uint64          `json:"time"`
	Clock       uint32          `json:"clock"`
	WallMS      uint64          `json:"wall_ms"`
	Counter     uint16          `json:"counter"`
	Payload     json.RawMessage `json:"payload"`
	Bytes       []byte          `json:"payload_base64"`
}

// ParseJSON is the inverse of AppendJSON. A payload that is a string is its text, any other its JSON. It keeps nothing of data.
func ParseJSON(data []byte) (core.Envelope, error) {
	var p parsed
	if err := json.Unmarshal(data, &p); err != nil {
		return core.Envelope{}, fmt.Errorf("spillway/sse: not an event's JSON: %w", err)
	}
	e, err := p.envelope()
	if err != nil {
		return core.Envelope{}, fmt.Errorf("spillway/sse: not an event's JSON: %w", err)
	}
	return e, nil
}

func (p *parsed) envelope() (e core.Envelope, err error) {
	if e.Coordinate, err = region.NewCoordinate(p.Entity, p.Scope); err != nil {
		return e, err
	}
	if e.Kind, err = region.ParseKind(p.Kind); err != nil {
		return e, err
	}
	for _, f := range []struct {
		name, text string
		id         *core.ID
	}{{"id", p.ID, &e.EventID}, {"correlation", p.Correlation, &e.CorrelationID}, {"causation", p.Causation, &e.CausationID}} {
		if f.text == "" {
			continue
		}
		if n, err := hex.Decode(f.id[:], []byte(f.text[:min(len(f.text), 2*len(f.id))])); err != nil || 2*n != len(f.text) || n != len(f.id) {
			return e, fmt.Errorf("%s: want 32 hexadecimal digits", f.name)
		}
	}
	e.Sequence, e.Time = p.Sequence, p.Time
	e.Position = region.Position{WallMS: p.WallMS, Counter: p.Counter, Depth: p.Depth, Lane: p.Lane, Sequence: p.Clock}
	switch {
	case len(p.Bytes) > 0:
		e.Payload = p.Bytes
	case len(p.Payload) == 0 || string(p.Payload) == "null":
	case p.Payload[0] == '"':
		var text string
		if err := json.Unmarshal(p.Payload, &text); err != nil {
			return e, err
		}
		e.Payload = []byte(text)
	default:
		e.Payload = p.Payload
	}
	return e, nil
}
