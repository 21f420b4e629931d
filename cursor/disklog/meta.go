package disklog

import (
	"encoding/binary"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog/internal/block"
)

// A meta is what the Log was like at the beginning of its tail, and what the first event is that is kept.
type meta struct {
	first    uint64
	sealed   uint64
	entities uint64 // that were known at sealed
	bytes    uint64 // of the payloads below sealed
	sum      uint64 // of the block that ends at sealed
	wallMS   uint64 // of the event before sealed
	counter  uint16
}

const metaSize = 1 + 16 + 6*8 + 2

func (m *meta) encode(id cursor.LogID) []byte {
	dst := append(make([]byte, 0, metaSize+block.SumSize), block.Version)
	dst = append(dst, id[:]...)
	for _, n := range []uint64{m.first, m.sealed, m.entities, m.bytes, m.sum, m.wallMS} {
		dst = binary.BigEndian.AppendUint64(dst, n)
	}
	dst = binary.BigEndian.AppendUint16(dst, m.counter)
	return block.Seal(id, metaKey, dst)
}

// decodeMeta returns what was encoded, of the Log whose id is in it.
func decodeMeta(value []byte) (id cursor.LogID, m meta, err error) {
	if len(value) != metaSize+block.SumSize {
		return id, m, block.ErrShort
	}
	copy(id[:], value[1:])
	body, _, err := block.Unseal(id, metaKey, value)
	if err != nil {
		return id, m, err
	}
	if body[0] != block.Version {
		return id, m, block.ErrVersion
	}
	at := body[17:]
	for i, n := range []*uint64{&m.first, &m.sealed, &m.entities, &m.bytes, &m.sum, &m.wallMS} {
		*n = binary.BigEndian.Uint64(at[8*i:])
	}
	m.counter = binary.BigEndian.Uint16(at[48:])
	return id, m, nil
}
