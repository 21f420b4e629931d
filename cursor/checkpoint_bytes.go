package cursor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/cespare/xxhash/v2"
)

// The bytes are drawn in docs/formats/checkpoint.md.
const (
	checkpointMagic   = "spwc"
	checkpointVersion = 2
	checkpointScheme  = 1 // xxhash64, of the Region's text and of the whole
	checkpointHeader  = 112
	checkpointSum     = 8

	// Version 1 had no LastSequence and no LastID. It is read, and not written.
	firstVersion = 1
	firstHeader  = 88
)

var errTorn = errors.New("it is cut short, or not a checkpoint at all")

// AppendBinary appends c as stores keep it. It fails where a text or State is over 4 GiB.
func (c *Checkpoint) AppendBinary(b []byte) ([]byte, error) {
	begin := len(b)
	le := binary.LittleEndian
	b = append(b, checkpointMagic...)
	b = append(b, checkpointVersion, checkpointScheme, 0, 0)
	b = append(b, c.Log[:]...)
	for _, v := range []uint64{c.Generation, c.RegionHash, c.Epoch, c.Place, c.Written} {
		b = le.AppendUint64(b, v)
	}
	for _, v := range []uint32{c.Attempts, c.Part.Index, c.Part.Of} {
		b = le.AppendUint32(b, v)
	}
	for _, n := range []int{len(c.Name), len(c.Region), len(c.State)} {
		if uint64(n) > math.MaxUint32 {
			return nil, fmt.Errorf("spillway/cursor: %d bytes in a part of a checkpoint", n)
		}
		b = le.AppendUint32(b, uint32(n))
	}
	b = le.AppendUint64(b, c.LastSequence)
	b = append(b, c.LastID[:]...)
	b = append(b, c.Name...)
	b = append(b, c.Region...)
	b = append(b, c.State...)
	return le.AppendUint64(b, xxhash.Sum64(b[begin:])), nil
}

// UnmarshalBinary sets c to what AppendBinary wrote, all of b and nothing else. It keeps nothing of b. With an error c is
// as it was.
func (c *Checkpoint) UnmarshalBinary(b []byte) error {
	le := binary.LittleEndian
	if len(b) < firstHeader+checkpointSum || string(b[:4]) != checkpointMagic {
		return errTorn
	}
	body := b[:len(b)-checkpointSum]
	if sum, want := xxhash.Sum64(body), le.Uint64(b[len(body):]); sum != want {
		return fmt.Errorf("the checksum is %016x; %016x is stored", sum, want)
	}
	// Only now: every version ends with this checksum, so that a damaged byte is told from a later program's.
	if b[4] < firstVersion || b[4] > checkpointVersion || b[5] != checkpointScheme || b[6] != 0 || b[7] != 0 {
		return fmt.Errorf("%w: version %d, hash scheme %d; this program reads up to %d, and %d", ErrCheckpointVersion,
			b[4], b[5], checkpointVersion, checkpointScheme)
	}
	header := checkpointHeader
	if b[4] == firstVersion {
		header = firstHeader
	}
	name, text, state := uint64(le.Uint32(b[76:])), uint64(le.Uint32(b[80:])), uint64(le.Uint32(b[84:]))
	if uint64(header)+name+text+state != uint64(len(body)) {
		return errTorn
	}
	rest := body[header:]
	var d Checkpoint
	copy(d.Log[:], b[8:])
	d.Generation, d.RegionHash = le.Uint64(b[24:]), le.Uint64(b[32:])
	d.Epoch, d.Place, d.Written = le.Uint64(b[40:]), le.Uint64(b[48:]), le.Uint64(b[56:])
	d.Attempts = le.Uint32(b[64:])
	d.Part = Part{Index: le.Uint32(b[68:]), Of: le.Uint32(b[72:])}
	if header > firstHeader {
		d.LastSequence = le.Uint64(b[88:])
		copy(d.LastID[:], b[96:])
	}
	d.Name, d.Region = string(rest[:name]), string(rest[name:name+text])
	if state > 0 {
		d.State = append([]byte(nil), rest[name+text:]...)
	}
	if !d.Part.valid() {
		return fmt.Errorf("there is no part %s", d.Part)
	}
	*c = d
	return nil
}
