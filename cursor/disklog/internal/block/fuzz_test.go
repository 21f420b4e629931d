package block_test

import (
	"bytes"
	"testing"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog/internal/block"
	"github.com/spillwayhq/spillway/region"
)

// encode returns a block of events. Its head is b's.
func encode(id cursor.LogID, b block.Block, es []core.Envelope) []byte {
	value := b.Begin(nil)
	for i := range es {
		value = block.AppendRecord(value, &es[i])
	}
	value, _ = block.Finish(id, block.Key(b.First), value, uint32(len(es)))
	return value
}

func decode(id cursor.LogID, key, value []byte) (b block.Block, es []core.Envelope, err error) {
	if b, err = block.Open(id, key, value); err == nil {
		es, err = b.Events(new(block.Names))
	}
	return b, es, err
}

// FuzzBlock gives the decoder anything for a block, with a checksum that is right and with one that is not: it refuses it, or finds
// what is encoded to the same bytes. Nothing is allocated for a length that can't be.
func FuzzBlock(f *testing.F) {
	id := cursor.NewLogID()
	c, err := region.NewCoordinate("a:b", "shop")
	if err != nil {
		f.Fatal(err)
	}
	full := core.Envelope{Time: 7, Payload: []byte("hello")}
	full.EventID, full.CorrelationID, full.CausationID = core.ID{1}, core.ID{2}, core.ID{3}
	full.Coordinate, full.Kind, full.Sequence = c, 0x1002, 9
	full.Position = region.Position{WallMS: 1, Counter: 2, Depth: 3, Lane: 4, Sequence: 5}
	bare := full
	bare.CorrelationID, bare.CausationID, bare.Time, bare.Position.Depth, bare.Position.Lane = core.ID{}, core.ID{}, 0, 0, 0
	bare.Sequence++
	whole := encode(id, block.Block{First: 9}, []core.Envelope{full, bare})
	f.Add(uint64(9), whole[:len(whole)-block.SumSize])
	f.Add(uint64(9), whole)
	f.Add(uint64(0), []byte{1, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, first uint64, body []byte) {
		key := block.Key(first)
		if _, _, err := decode(id, key, body); err == nil && !bytes.Equal(body, whole) {
			t.Error("a checksum that nobody made is believed")
		}
		value := block.Seal(id, key, bytes.Clone(body))
		b, es, err := decode(id, key, value)
		if err != nil {
			return
		}
		if b.First != first {
			t.Errorf("the block of %d is taken for that of %d", b.First, first)
		}
		if again := encode(id, b, es); !bytes.Equal(again, value) {
			t.Errorf("%d events are encoded as\n%x; they were\n%x", len(es), again, value)
		}
		bytesOfAll := uint64(0)
		for rest := b.Records; len(rest) > 0; {
			var r block.Record
			if r, rest, err = block.Next(rest); err != nil {
				t.Fatal(err)
			}
			bytesOfAll += r.PayloadSize()
		}
		for i := range es {
			bytesOfAll -= uint64(len(es[i].Payload))
		}
		if bytesOfAll != 0 {
			t.Errorf("the payloads' sizes are off by %d", int64(bytesOfAll))
		}
		value[len(value)-block.SumSize-1] ^= 1 // of a payload: nothing else would notice
		if _, _, err := decode(id, key, value); err == nil {
			t.Error("a bit that was changed is not noticed")
		}
	})
}
