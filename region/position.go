package region

import (
	"cmp"
	"fmt"
	"math"
)

// A Position is an event's place in the causal graph: which branch of it, how deep, and how far the entity's
// own clock had come; and, for people, when that was.
type Position struct {
	WallMS   uint64 // hybrid logical clock, milliseconds
	Counter  uint16 // its tie-breaker
	Depth    uint32 // how many generations lie above
	Lane     uint32 // a numbered branch of the graph
	Sequence uint32 // the entity's own clock
}

// IsAncestorOf tells whether p comes before q on one lane, at one depth. No Position is its own ancestor.
func (p Position) IsAncestorOf(q Position) bool {
	return p.Lane == q.Lane && p.Depth == q.Depth && p.Sequence < q.Sequence
}

// Compare returns -1, 0 or +1 and true where p and q have an order: on one lane, at one depth, by Sequence.
// With equal Sequences they are equal if their hybrid logical clocks are, and else events that don't know of
// one another. Without an order ok is false, and order 0 means nothing.
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

// ParsePosition is the inverse of String, and takes nothing that String doesn't write. An error is a
// *TextError: ErrRange for a number that its field cannot hold, else ErrSyntax.
func ParsePosition(s string) (Position, error) {
	var p Position
	t := scanner{what: "position", text: s}
	p.Depth = uint32(t.decimal(math.MaxUint32))
	t.literal(":")
	p.Lane = uint32(t.decimal(math.MaxUint32))
	t.literal(":")
	p.Sequence = uint32(t.decimal(math.MaxUint32))
	t.literal("@")
	p.WallMS = t.decimal(math.MaxUint64)
	t.literal(".")
	p.Counter = uint16(t.decimal(math.MaxUint16))
	t.end()
	if t.err != nil {
		return Position{}, t.err
	}
	return p, nil
}
