package disklog

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// What the bytes are is drawn in docs/formats/disklog.md.
const (
	version    = 1
	blockHead  = 1 + 8 + 4 + 8 + 8 + 8 // version, first, count, previous sum, entities, bytes
	recordHead = 4                     // its length
	recordFix  = 3*16 + 2 + 4*3 + 8 + 2 + 8 + 2 + 2
	sumSize    = 8

	// Where a block ends: after the record that reaches so many bytes, or so many records. A Read of one event reads a block.
	blockBytes  = 8 << 10
	blockEvents = 64
)

// A block is some records that follow each other, as they are kept under the sequence of the first.
type block struct {
	first    uint64
	count    uint32
	previous uint64 // the sum of the block before; 0 of the first of all
	entities uint64 // that the Log knew before it
	bytes    uint64 // of the payloads of all events before it
	sum      uint64
	records  []byte
}

// end returns the sequence after the block's last.
func (b *block) end() uint64 { return b.first + uint64(b.count) }

// sumOf returns the checksum of a value under its key in the Log of an id.
func sumOf(id cursor.LogID, key, body []byte) uint64 {
	var d xxhash.Digest
	d.Reset()
	_, _ = d.Write(id[:])
	_, _ = d.Write(key)
	_, _ = d.Write(body)
	return d.Sum64()
}

// seal appends the checksum of body, which is to be kept under key.
func seal(id cursor.LogID, key, body []byte) []byte {
	return binary.BigEndian.AppendUint64(body, sumOf(id, key, body))
}

var (
	errShort    = errors.New("it is too short")
	errChecksum = errors.New("its checksum is wrong")
	errVersion  = errors.New("its version is not known")
	errContents = errors.New("its contents make no sense")
)

// unseal returns what was sealed.
func unseal(id cursor.LogID, key, value []byte) (body []byte, sum uint64, err error) {
	n := len(value) - sumSize
	if n < 0 {
		return nil, 0, errShort
	}
	sum = binary.BigEndian.Uint64(value[n:])
	if sum != sumOf(id, key, value[:n]) {
		return nil, 0, errChecksum
	}
	return value[:n], sum, nil
}

// begin appends the head of a block, to be completed by end.
func (b *block) begin(dst []byte) []byte {
	dst = append(dst, version)
	dst = binary.BigEndian.AppendUint64(dst, b.first)
	dst = binary.BigEndian.AppendUint32(dst, 0)
	dst = binary.BigEndian.AppendUint64(dst, b.previous)
	dst = binary.BigEndian.AppendUint64(dst, b.entities)
	return binary.BigEndian.AppendUint64(dst, b.bytes)
}

// finish writes the count, and appends the sum, which it returns.
func finish(id cursor.LogID, key, value []byte, count uint32) ([]byte, uint64) {
	binary.BigEndian.PutUint32(value[9:], count)
	value = seal(id, key, value)
	return value, binary.BigEndian.Uint64(value[len(value)-sumSize:])
}

// appendRecord appends the bytes of an event, less what the block says.
func appendRecord(dst []byte, e *core.Envelope) []byte {
	entity, scope := e.Coordinate.Entity(), e.Coordinate.Scope()
	dst = binary.BigEndian.AppendUint32(dst, uint32(recordFix+len(entity)+len(scope)+len(e.Payload)))
	dst = append(dst, e.EventID[:]...)
	dst = append(dst, e.CorrelationID[:]...)
	dst = append(dst, e.CausationID[:]...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(e.Kind))
	dst = binary.BigEndian.AppendUint32(dst, e.Position.Lane)
	dst = binary.BigEndian.AppendUint32(dst, e.Position.Depth)
	dst = binary.BigEndian.AppendUint32(dst, e.Position.Sequence)
	dst = binary.BigEndian.AppendUint64(dst, e.Position.WallMS)
	dst = binary.BigEndian.AppendUint16(dst, e.Position.Counter)
	dst = binary.BigEndian.AppendUint64(dst, e.Time)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(entity)))
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(scope)))
	dst = append(dst, entity...)
	dst = append(dst, scope...)
	return append(dst, e.Payload...)
}

// openBlock checks the sum and the head of what is kept under a block's key. The records are value's.
func openBlock(id cursor.LogID, key, value []byte) (b block, err error) {
	body, sum, err := unseal(id, key, value)
	switch {
	case err != nil:
		return b, err
	case len(body) < blockHead:
		return b, errShort
	case body[0] != version:
		return b, fmt.Errorf("%w: %d", errVersion, body[0])
	}
	b = block{
		first:    binary.BigEndian.Uint64(body[1:]),
		count:    binary.BigEndian.Uint32(body[9:]),
		previous: binary.BigEndian.Uint64(body[13:]),
		entities: binary.BigEndian.Uint64(body[21:]),
		bytes:    binary.BigEndian.Uint64(body[29:]),
		sum:      sum,
		records:  body[blockHead:],
	}
	if len(key) != 10 || key[9] != ofBlock || b.first != binary.BigEndian.Uint64(key[1:]) || b.count == 0 || b.end() < b.first {
		return b, errContents
	}
	return b, nil
}

// nextRecord cuts the first record off, its length left out.
func nextRecord(records []byte) (record, rest []byte, err error) {
	if len(records) < recordHead {
		return nil, nil, errShort
	}
	n := binary.BigEndian.Uint32(records)
	records = records[recordHead:]
	if n < recordFix || uint64(n) > uint64(len(records)) {
		return nil, nil, errContents
	}
	return records[:n:n], records[n:], nil
}

// events returns all events of a block. Their payloads are the block's.
func (b *block) events(names *names) (es events, err error) {
	es = make(events, 0, min(b.count, blockEvents))
	rest := b.records
	for seq := b.first; seq < b.end(); seq++ {
		var record []byte
		if record, rest, err = nextRecord(rest); err != nil {
			return nil, err
		}
		var e core.Envelope
		if e.Payload, err = decodeInto(&e, seq, record, names); err != nil {
			return nil, err
		}
		es = append(es, e)
	}
	if len(rest) > 0 {
		return nil, errContents
	}
	return es, nil
}

// decodeInto writes an event of a sequence, all but its payload, which it returns as it is in the record.
func decodeInto(e *core.Envelope, seq uint64, record []byte, names *names) (payload []byte, err error) {
	copy(e.EventID[:], record)
	copy(e.CorrelationID[:], record[16:])
	copy(e.CausationID[:], record[32:])
	at := record[48:]
	e.Kind = region.Kind(binary.BigEndian.Uint16(at))
	e.Position = region.Position{
		Lane:     binary.BigEndian.Uint32(at[2:]),
		Depth:    binary.BigEndian.Uint32(at[6:]),
		Sequence: binary.BigEndian.Uint32(at[10:]),
		WallMS:   binary.BigEndian.Uint64(at[14:]),
		Counter:  binary.BigEndian.Uint16(at[22:]),
	}
	e.Time = binary.BigEndian.Uint64(at[24:])
	entity, scope := int(binary.BigEndian.Uint16(at[32:])), int(binary.BigEndian.Uint16(at[34:]))
	at = at[36:]
	if entity+scope > len(at) {
		return nil, errContents
	}
	e.Sequence = seq
	if e.Coordinate, err = names.coordinate(at[:entity], at[entity:entity+scope]); err != nil {
		return nil, err
	}
	return at[entity+scope:], nil
}
