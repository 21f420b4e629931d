package disklog_test

import (
	"bytes"
	"testing"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/region"
)

// FuzzBlock gives the decoder anything for a block, with a checksum that is right and with one that is not: it refuses it, or finds
// what is encoded to the same bytes. Nothing is allocated for a length that can't be.
func FuzzBlock(f *testing.F) {
	id := cursor.NewLogID()
	e := core.Envelope{Time: 7, Payload: []byte("hello")}
	e.EventID, e.Coordinate, e.Kind, e.Sequence = core.ID{1}, coordinate(f, "a:b", "shop"), 0x1002, 9
	e.Position = region.Position{WallMS: 1, Counter: 2, Depth: 3, Lane: 4, Sequence: 5}
	_, whole := disklog.EncodeBlock(id, [4]uint64{9}, []core.Envelope{e, e})
	f.Add(uint64(9), whole[:len(whole)-8])
	f.Add(uint64(9), whole)
	f.Add(uint64(0), []byte{1, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, first uint64, body []byte) {
		key, _ := disklog.EncodeBlock(id, [4]uint64{first}, nil)
		if _, _, err := disklog.DecodeBlock(id, key, body); err == nil && !bytes.Equal(body, whole) {
			t.Error("a checksum that nobody made is believed")
		}
		value := disklog.Seal(id, key, bytes.Clone(body))
		h, es, err := disklog.DecodeBlock(id, key, value)
		if err != nil {
			return
		}
		if h[0] != first {
			t.Errorf("the block of %d is taken for that of %d", h[0], first)
		}
		if _, again := disklog.EncodeBlock(id, h, es); !bytes.Equal(again, value) {
			t.Errorf("%d events are encoded as\n%x; they were\n%x", len(es), again, value)
		}
		value[len(value)-9] ^= 1 // of a payload: nothing else would notice
		if _, _, err := disklog.DecodeBlock(id, key, value); err == nil {
			t.Error("a bit that was changed is not noticed")
		}
	})
}
