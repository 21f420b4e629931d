package region

import (
	"cmp"
	"fmt"
)

// A Position is an event's place in the causal graph.
type Position struct {
	WallMS   uint64 // hybrid logical clock, milliseconds
	Counter  uint16 // its tie-breaker
	Depth    uint32 // generations since a root
	Lane     uint32 // a numbered branch of the graph
	Sequence uint32 // the entity's own clock
}

// IsAncestorOf tells whether p comes before q on one lane, at one depth.
func (p Position) IsAncestorOf(q Position) bool {
	return p.Lane == q.Lane && p.Depth == q.Depth && p.Sequence < q.Sequence
}

// Compare returns -1, 0 or +1 where the two Positions are in one order: on one lane, at one depth, by
// Sequence. Equal Sequences are equal if the clocks are. Otherwise ok is false.
func (p Position) Compare(q Position) (order int, ok bool) {
	if p.Lane != q.Lane || p.Depth != q.Depth {
		return 0, false
	}
	if order = cmp.Compare(p.Sequence, q.Sequence); order != 0 {
		return order, true
	}
	return 0, p.WallMS == q.WallMS && p.Counter == q.Counter
}

// String returns "depth:lane:sequence@wall_ms.counter", in decimal.
func (p Position) String() string {
	return fmt.Sprintf("%d:%d:%d@%d.%d", p.Depth, p.Lane, p.Sequence, p.WallMS, p.Counter)
}

// ParsePosition is the inverse of String; it takes nothing else. An error is a *SyntaxError, or ErrRange.
func ParsePosition(s string) (Position, error) {
	t := scanner{text: s, what: "position"}
	p := Position{
		Depth:    uint32(t.number(32, ":")),
		Lane:     uint32(t.number(32, ":")),
		Sequence: uint32(t.number(32, "@")),
		WallMS:   t.number(64, "."),
		Counter:  uint16(t.number(16, "")),
	}
	if t.err != nil {
		return Position{}, t.err
	}
	return p, nil
}
