package disklog

import (
	"encoding/binary"

	"github.com/spillwayhq/spillway/cursor/disklog/internal/block"
	"github.com/spillwayhq/spillway/region"
)

// The tables, by the first byte of a key. What grows with the events is in one, in the order in which it is written, so that
// the engine moves it from level to level without writing it again; and it comes before those that are written all over.
const (
	tableLog         = block.Table // a sequence, what it is, and of lists the term
	tableCheckpoints = 'w'         // the last bit of its generation, its name
	tableClocks      = 'y'         // scope, 0, entity
	tableMeta        = 'z'         // nothing
)

// What is in the first table besides blocks. All of a segment's but those is under its last sequence, after the last block.
const (
	ofSegment = 's'
	ofIDs     = 't'
	ofList    = 'x'
)

// The dimensions of an index: what a Region can ask for but its clock.
const (
	byEntity   = 'e' // the entity, and each part of it that ends before a colon
	byScope    = 's'
	byKind     = 'k'
	byCategory = 'c'
	byLane     = 'l'
)

func keyOf(of byte, seq uint64) []byte {
	return append(binary.BigEndian.AppendUint64(append(make([]byte, 0, 10), tableLog), seq), of)
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

func indexKey(s segment, t term) []byte { return append(keyOf(ofList, s.end-1), t...) }
