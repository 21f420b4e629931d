// Package block is how disklog's events lie in their blocks, and how anything of its is sealed. It knows nothing of the engine.
package block

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
)

// What the bytes are is drawn in docs/formats/disklog.md.
const (
	// Version is that of the format of all that is kept.
	Version = 1
	// SumSize is what sealing adds.
	SumSize = 8

	// Table and Row are the first byte of a block's key, and the last.
	Table = 'a'
	Row   = 'r'

	// MostBytes and MostEvents are where a block ends: after the record that reaches so many bytes, or so many records. A Read of
	// one event reads a block.
	MostBytes  = 8 << 10
	MostEvents = 64

	keySize  = 1 + 8 + 1
	headSize = 1 + 8 + 4 + 8 + 8 + 8 // version, first, count, previous sum, entities, bytes
)

// A Block is some records that follow each other, as they are kept under the sequence of the first.
type Block struct {
	First    uint64
	Count    uint32
	Previous uint64 // the sum of the block before; 0 of the first of all
	Entities uint64 // that the Log knew before it
	Bytes    uint64 // of the payloads of all events before it
	Sum      uint64
	Records  []byte
}

// End returns the sequence after the block's last.
func (b *Block) End() uint64 { return b.First + uint64(b.Count) }

// sumOf returns the checksum of a value under its key in the Log of an id.
func sumOf(id cursor.LogID, key, body []byte) uint64 {
	var d xxhash.Digest
	d.Reset()
	_, _ = d.Write(id[:])
	_, _ = d.Write(key)
	_, _ = d.Write(body)
	return d.Sum64()
}

// Seal appends the checksum of body, which is to be kept under key.
func Seal(id cursor.LogID, key, body []byte) []byte {
	return binary.BigEndian.AppendUint64(body, sumOf(id, key, body))
}

// What is wrong with what is kept.
var (
	ErrShort    = errors.New("it is too short")
	ErrChecksum = errors.New("its checksum is wrong")
	ErrVersion  = errors.New("its version is not known")
	ErrContents = errors.New("its contents make no sense")
)

// Unseal returns what was sealed.
func Unseal(id cursor.LogID, key, value []byte) (body []byte, sum uint64, err error) {
	n := len(value) - SumSize
	if n < 0 {
		return nil, 0, ErrShort
	}
	sum = binary.BigEndian.Uint64(value[n:])
	if sum != sumOf(id, key, value[:n]) {
		return nil, 0, ErrChecksum
	}
	return value[:n], sum, nil
}

// Begin appends the head of a block, to be completed by Finish.
func (b *Block) Begin(dst []byte) []byte {
	dst = append(dst, Version)
	dst = binary.BigEndian.AppendUint64(dst, b.First)
	dst = binary.BigEndian.AppendUint32(dst, 0)
	dst = binary.BigEndian.AppendUint64(dst, b.Previous)
	dst = binary.BigEndian.AppendUint64(dst, b.Entities)
	return binary.BigEndian.AppendUint64(dst, b.Bytes)
}

// Finish writes the count, and appends the sum, which it returns.
func Finish(id cursor.LogID, key, value []byte, count uint32) ([]byte, uint64) {
	binary.BigEndian.PutUint32(value[9:], count)
	value = Seal(id, key, value)
	return value, binary.BigEndian.Uint64(value[len(value)-SumSize:])
}

// Key returns what the block is kept under that begins with the event of a sequence.
func Key(first uint64) []byte {
	return append(binary.BigEndian.AppendUint64(append(make([]byte, 0, keySize), Table), first), Row)
}

// Open checks the sum and the head of what is kept under a block's key. The records are value's.
func Open(id cursor.LogID, key, value []byte) (b Block, err error) {
	body, sum, err := Unseal(id, key, value)
	switch {
	case err != nil:
		return b, err
	case len(body) < headSize:
		return b, ErrShort
	case body[0] != Version:
		return b, fmt.Errorf("%w: %d", ErrVersion, body[0])
	}
	b = Block{
		First:    binary.BigEndian.Uint64(body[1:]),
		Count:    binary.BigEndian.Uint32(body[9:]),
		Previous: binary.BigEndian.Uint64(body[13:]),
		Entities: binary.BigEndian.Uint64(body[21:]),
		Bytes:    binary.BigEndian.Uint64(body[29:]),
		Sum:      sum,
		Records:  body[headSize:],
	}
	if len(key) != keySize || key[keySize-1] != Row || b.First != binary.BigEndian.Uint64(key[1:]) || b.Count == 0 || b.End() < b.First {
		return b, ErrContents
	}
	return b, nil
}

// Events returns all events of a block. Their payloads are the block's.
func (b *Block) Events(names *Names) (es []core.Envelope, err error) {
	es = make([]core.Envelope, 0, min(b.Count, MostEvents))
	rest := b.Records
	for seq := b.First; seq < b.End(); seq++ {
		var r Record
		if r, rest, err = Next(rest); err != nil {
			return nil, err
		}
		var e core.Envelope
		if e.Payload, err = r.Decode(&e, seq, names); err != nil {
			return nil, err
		}
		es = append(es, e)
	}
	if len(rest) > 0 {
		return nil, ErrContents
	}
	return es, nil
}
