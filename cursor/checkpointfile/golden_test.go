package checkpointfile_test

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// later returns what a later version of the format would look like, with a checksum that is right.
func later(b []byte) []byte {
	b = append([]byte(nil), b...)
	b[4] = 3
	binary.LittleEndian.PutUint64(b[len(b)-8:], xxhash.Sum64(b[:len(b)-8]))
	return b
}

// TestGolden freezes the bytes: those that were written once are read for good, those of the first version without an event.
func TestGolden(t *testing.T) {
	full := cursor.NewCheckpoint("mailer", cursor.LogID{0: 0xaa, 15: 0xbb}, region.Region{Entity: "alice"}, 0x1122334455667788)
	full.Part = cursor.Partition(1, 4)
	full.Epoch, full.Attempts, full.State, full.Written, full.Generation = 3, 2, []byte("fold"), 1_764_000_000_000, 9
	full.LastSequence, full.LastID = 0x1122334455667700, core.ID{0: 0xcc, 15: 0xdd}
	first := full
	first.LastSequence, first.LastID = 0, core.ID{}
	least := cursor.NewCheckpoint("w", cursor.LogID{}, region.Region{}, 0)
	for _, c := range []struct {
		name, bytes string
		checkpoint  cursor.Checkpoint
	}{
		{"all of it", goldenFull, full},
		{"the least", goldenLeast, least},
		{"all of the first version", goldenFirstFull, first},
		{"the least of the first version", goldenFirstLeast, least},
	} {
		want, err := hex.DecodeString(strings.Join(strings.Fields(c.bytes), ""))
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.checkpoint.AppendBinary(nil)
		if err != nil || string(got) != string(want) && want[4] != 1 { // that is not written any more
			t.Errorf("%s: wrote\n%x, %v; want\n%x", c.name, got, err, want)
		}
		var back cursor.Checkpoint
		if err := back.UnmarshalBinary(want); err != nil || back.Bound(&c.checkpoint) != nil || back.Place != c.checkpoint.Place ||
			back.Epoch != c.checkpoint.Epoch || back.Attempts != c.checkpoint.Attempts || string(back.State) != string(c.checkpoint.State) ||
			back.Written != c.checkpoint.Written || back.Generation != c.checkpoint.Generation ||
			back.LastSequence != c.checkpoint.LastSequence || back.LastID != c.checkpoint.LastID {
			t.Errorf("%s: read %+v, %v; want %+v", c.name, back, err, c.checkpoint)
		}
		if err := back.UnmarshalBinary(later(want)); !errors.Is(err, cursor.ErrCheckpointVersion) {
			t.Errorf("%s, of a later version: %v", c.name, err)
		}
		for i := range want {
			for bit := range 8 {
				want[i] ^= 1 << bit
				if err := back.UnmarshalBinary(want); err == nil {
					t.Errorf("%s: bit %d of byte %d may be either", c.name, bit, i)
				}
				want[i] ^= 1 << bit
			}
			if err := back.UnmarshalBinary(want[:i]); err == nil {
				t.Errorf("%s: %d bytes of it will do", c.name, i)
			}
		}
	}
}

const (
	goldenFirstFull = `
		7370776301010000aa0000000000000000000000000000bb0900000000000000
		75cc95b473cb0ef00300000000000000887766554433221100e897b69a010000
		020000000100000004000000060000000c000000040000006d61696c6572656e
		746974793d616c696365666f6c64fefcea40bb89dfef`
	goldenFirstLeast = `
		7370776301010000000000000000000000000000000000000000000000000000
		e43ab0becede9e0a000000000000000000000000000000000000000000000000
		000000000000000000000000010000000100000000000000772a2e9987b21a2e
		1292`
)

const (
	goldenFull = `
		7370776302010000aa0000000000000000000000000000bb0900000000000000
		75cc95b473cb0ef00300000000000000887766554433221100e897b69a010000
		020000000100000004000000060000000c000000040000000077665544332211
		cc0000000000000000000000000000dd6d61696c6572656e746974793d616c69
		6365666f6c64fca31e78a4d715d4`
	goldenLeast = `
		7370776302010000000000000000000000000000000000000000000000000000
		e43ab0becede9e0a000000000000000000000000000000000000000000000000
		0000000000000000000000000100000001000000000000000000000000000000
		00000000000000000000000000000000772aee617dc181aad151`
)
