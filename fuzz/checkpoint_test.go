package fuzz_test

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"testing"

	"github.com/cespare/xxhash/v2"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// FuzzCheckpoint reads bytes as a Checkpoint's, as they are and with the checksum mended: what is read is written as the same bytes
// again, so that none mean nothing, but for the first version, which is written as the second and read as the same; what isn't leaves the Checkpoint as it was.
func FuzzCheckpoint(f *testing.F) {
	c := cursor.NewCheckpoint("mailer", cursor.NewLogID(), region.Region{Entity: "alice"}, 7)
	c.Part, c.Epoch, c.Attempts, c.State, c.Written, c.Generation = cursor.Partition(1, 4), 3, 2, []byte("fold"), 5, 9
	c.LastSequence, c.LastID = 6, core.ID(cursor.NewLogID())
	b, err := c.AppendBinary(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	first := append(bytes.Clone(b[:88]), b[112:]...) // the first version had no event
	first[4] = 1
	f.Add(first)
	f.Add(b[:len(b)-1])
	f.Add(b[:112])
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 96))
	f.Fuzz(func(t *testing.T, b []byte) {
		tries := [][]byte{b}
		if len(b) >= 8 {
			mended := bytes.Clone(b)
			body := mended[:len(b)-8]
			binary.LittleEndian.PutUint64(mended[len(body):], xxhash.Sum64(body))
			tries = append(tries, mended)
		}
		for _, b := range tries {
			got := cursor.Checkpoint{Name: "before"}
			if err := got.UnmarshalBinary(b); err != nil {
				if got.Name != "before" || got.Epoch != 0 {
					t.Fatalf("%v, and left %+v", err, got)
				}
				continue
			}
			again, err := got.AppendBinary(nil)
			if b[4] == 1 && err == nil {
				var second cursor.Checkpoint
				if err := second.UnmarshalBinary(again); err != nil || !reflect.DeepEqual(second, got) {
					t.Fatalf("%+v of\n%x is read again as\n%+v, %v", got, b, second, err)
				}
				continue
			}
			if err != nil || !bytes.Equal(again, b) {
				t.Fatalf("%+v of\n%x is written as\n%x, %v", got, b, again, err)
			}
		}
	})
}
