package disklog

import (
	"encoding/binary"

	"github.com/spillwayhq/spillway/region"
)

// The tables, by the first byte of a key. What else is in it is beside.
const (
	tableMeta     = 'm' // nothing
	tableRecords  = 'r' // the sequence of a block's first event
	tableSegments = 's' // the sequence of a segment's first event
	tableIDs      = 'd' // the same
	tableIndex    = 'x' // the same, a dimension, a term
	tableClocks   = 'e' // scope, 0, entity
)

// The dimensions of an index: what a Region can ask for but its clock.
const (
	byEntity   = 'e' // the entity, and each part of it that ends before a colon
	byScope    = 's'
	byKind     = 'k'
	byCategory = 'c'
	byLane     = 'l'
)

func keyOf(table byte, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, 9), table), seq)
}

var metaKey = []byte{tableMeta}

func clockKey(c region.Coordinate) []byte {
	key := append(make([]byte, 0, 2+len(c.Scope())+len(c.Entity())), tableClocks)
	key = append(key, c.Scope()...)
	key = append(key, 0)
	return append(key, c.Entity()...)
}

// A term is a dimension, and what an event has in it.
type term string

func entityTerm(prefix string) term { return term(string(rune(byEntity)) + prefix) }
func scopeTerm(scope string) term   { return term(string(rune(byScope)) + scope) }
func kindTerm(k region.Kind) term {
	return term(binary.BigEndian.AppendUint16([]byte{byKind}, uint16(k)))
}
func categoryTerm(c uint8) term { return term([]byte{byCategory, c}) }
func laneTerm(n uint32) term    { return term(binary.BigEndian.AppendUint32([]byte{byLane}, n)) }

// termsOf returns what lists have to be read for r; none where it asks for nothing but a clock.
func termsOf(r *region.Region) (ts []term) {
	if r.Entity != "" {
		ts = append(ts, entityTerm(r.Entity))
	}
	if r.Scope != "" {
		ts = append(ts, scopeTerm(r.Scope))
	}
	if k, ok := r.Kind.Kind(); ok {
		ts = append(ts, kindTerm(k))
	} else if c, ok := r.Kind.Category(); ok {
		ts = append(ts, categoryTerm(c))
	}
	if n, ok := r.Lane.Lane(); ok {
		ts = append(ts, laneTerm(n))
	}
	return ts
}

func indexKey(segment uint64, t term) []byte {
	key := make([]byte, 0, 9+len(t))
	key = binary.BigEndian.AppendUint64(append(key, tableIndex), segment)
	return append(key, t...)
}
