package block

import (
	"encoding/binary"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A Record is the bytes of an event in a block, without their length. What most events don't have is there only where its flag is
// set, and is not zero then: an event is encoded in one way.
type Record []byte

const (
	recordHead = 4 // its length
	recordFix  = 1 + 16 + 2 + 4 + 8 + 2 + 2 + 2

	hasCorrelation = 1 << 0
	hasCausation   = 1 << 1
	hasTime        = 1 << 2
	hasLane        = 1 << 3
	hasDepth       = 1 << 4
	flagsKnown     = 1<<5 - 1
)

// optional is how many bytes the flags add to a record.
func optional(flags byte) (n int) {
	for flag, size := range [...]int{16, 16, 8, 4, 4} {
		n += size * int(flags>>flag&1)
	}
	return n
}

func flagsOf(e *core.Envelope) (flags byte) {
	if e.CorrelationID != (core.ID{}) {
		flags |= hasCorrelation
	}
	if e.CausationID != (core.ID{}) {
		flags |= hasCausation
	}
	if e.Time != 0 {
		flags |= hasTime
	}
	if e.Position.Lane != 0 {
		flags |= hasLane
	}
	if e.Position.Depth != 0 {
		flags |= hasDepth
	}
	return flags
}

// AppendRecord appends the bytes of an event, less what the block says.
func AppendRecord(dst []byte, e *core.Envelope) []byte {
	entity, scope, flags := e.Coordinate.Entity(), e.Coordinate.Scope(), flagsOf(e)
	dst = binary.BigEndian.AppendUint32(dst, uint32(recordFix+optional(flags)+len(entity)+len(scope)+len(e.Payload)))
	dst = append(dst, flags)
	dst = append(dst, e.EventID[:]...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(e.Kind))
	dst = binary.BigEndian.AppendUint32(dst, e.Position.Sequence)
	dst = binary.BigEndian.AppendUint64(dst, e.Position.WallMS)
	dst = binary.BigEndian.AppendUint16(dst, e.Position.Counter)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(entity)))
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(scope)))
	if flags&hasCorrelation != 0 {
		dst = append(dst, e.CorrelationID[:]...)
	}
	if flags&hasCausation != 0 {
		dst = append(dst, e.CausationID[:]...)
	}
	if flags&hasTime != 0 {
		dst = binary.BigEndian.AppendUint64(dst, e.Time)
	}
	if flags&hasLane != 0 {
		dst = binary.BigEndian.AppendUint32(dst, e.Position.Lane)
	}
	if flags&hasDepth != 0 {
		dst = binary.BigEndian.AppendUint32(dst, e.Position.Depth)
	}
	dst = append(dst, entity...)
	dst = append(dst, scope...)
	return append(dst, e.Payload...)
}

// Next cuts the first record off, its length left out.
func Next(records []byte) (r Record, rest []byte, err error) {
	if len(records) < recordHead {
		return nil, nil, ErrShort
	}
	n := binary.BigEndian.Uint32(records)
	records = records[recordHead:]
	if n < recordFix || uint64(n) > uint64(len(records)) {
		return nil, nil, ErrContents
	}
	return records[:n:n], records[n:], nil
}

// names returns how long the entity's name and the scope are.
func (r Record) names() (entity, scope int) {
	return int(binary.BigEndian.Uint16(r[recordFix-4:])), int(binary.BigEndian.Uint16(r[recordFix-2:]))
}

// PayloadSize returns how many bytes of a record are its payload.
func (r Record) PayloadSize() uint64 {
	entity, scope := r.names()
	return uint64(max(0, len(r)-recordFix-optional(r[0])-entity-scope))
}

// WallMS returns when the event was appended.
func (r Record) WallMS() uint64 { return binary.BigEndian.Uint64(r[23:]) }

// Decode writes an event of a sequence, all but its payload, which it returns as it is in the record.
func (r Record) Decode(e *core.Envelope, seq uint64, names *Names) (payload []byte, err error) {
	flags := r[0]
	copy(e.EventID[:], r[1:])
	e.Kind = region.Kind(binary.BigEndian.Uint16(r[17:]))
	e.Position = region.Position{
		Sequence: binary.BigEndian.Uint32(r[19:]),
		WallMS:   r.WallMS(),
		Counter:  binary.BigEndian.Uint16(r[31:]),
	}
	entity, scope := r.names()
	at := r[recordFix:]
	if flags&^flagsKnown != 0 || optional(flags)+entity+scope > len(at) {
		return nil, ErrContents
	}
	if flags&hasCorrelation != 0 {
		at = at[copy(e.CorrelationID[:], at):]
	}
	if flags&hasCausation != 0 {
		at = at[copy(e.CausationID[:], at):]
	}
	if flags&hasTime != 0 {
		e.Time, at = binary.BigEndian.Uint64(at), at[8:]
	}
	if flags&hasLane != 0 {
		e.Position.Lane, at = binary.BigEndian.Uint32(at), at[4:]
	}
	if flags&hasDepth != 0 {
		e.Position.Depth, at = binary.BigEndian.Uint32(at), at[4:]
	}
	if flagsOf(e) != flags {
		return nil, ErrContents
	}
	e.Sequence = seq
	if e.Coordinate, err = names.coordinate(at[:entity], at[entity:entity+scope]); err != nil {
		return nil, err
	}
	return at[entity+scope:], nil
}
