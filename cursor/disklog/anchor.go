package disklog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog/internal/block"
)

// An anchor is the second place that knows where the Log ends: a file beside the engine's. The engine takes damage at the end of
// its own log for a write that was cut short, and would be silent about events that were acknowledged.
//
// After each fsync of the engine the end is written to the one of two slots that holds the older; so one is whole
// whatever happens to the other. The anchor itself is synced now and then, and by Close: it may be older than the
// Log, never younger. What that leaves unknown is in docs/formats/disklog.md.
type anchor struct {
	fs      *gate
	path    string
	id      cursor.LogID
	file    vfs.File
	writes  uint64 // how many there were, which is the number of the last
	end     uint64 // of what was acknowledged
	lastSum uint64 // of the block that ends there
	saves   uint64 // how many writes of Checkpoints were acknowledged; whoever changes it has write say so

	// loose says that the Log is open at a Level that may lose its end. Open has it so on the disk before there is an Append, and Close takes
	// it back when all is synced: found by the next Open, it says that the end may have been lost.
	loose bool
}

const (
	anchorName = "anchor"
	anchorSize = 1536
	slotAt     = 512 // and at twice that: a sector each
	slotSize   = 8 + 8 + 8 + 8
	noSaves    = 8 + 8 + 8 // of a Log that has had no Checkpoints yet
	looseBit   = 1 << 63   // of a slot's number
)

var anchorMagic = []byte("spillway disklog")

// writeAnchor makes the file, whole or not at all.
func writeAnchor(fsys vfs.FS, dir string, id cursor.LogID) error {
	path, temp := fsys.PathJoin(dir, anchorName), fsys.PathJoin(dir, anchorName+".new")
	buf := make([]byte, anchorSize)
	head := append(append(append(buf[:0], anchorMagic...), block.Version), id[:]...)
	binary.BigEndian.AppendUint64(head, xxhash.Sum64(head))
	for _, at := range []int{slotAt, 2 * slotAt} {
		slot(buf[at:at], id, 0, 0, 0, 0)
	}
	f, err := fsys.Create(temp, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(buf)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = fsys.Rename(temp, path)
	}
	if err == nil {
		err = syncDir(fsys, dir)
	}
	return err
}

func syncDir(fsys vfs.FS, dir string) error {
	d, err := fsys.OpenDir(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}

// slot appends what a slot holds.
func slot(dst []byte, id cursor.LogID, number, end, sum, saves uint64) []byte {
	for _, n := range []uint64{number, end, sum} {
		dst = binary.BigEndian.AppendUint64(dst, n)
	}
	if saves > 0 { // an older program reads what has none
		dst = binary.BigEndian.AppendUint64(dst, saves)
	}
	return block.Seal(id, []byte(anchorName), dst)
}

// openAnchor reads the file. Where there is none, both results are nil.
func openAnchor(fsys *gate, dir string) (*anchor, error) {
	a := &anchor{fs: fsys, path: fsys.PathJoin(dir, anchorName)}
	f, err := fsys.Open(a.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	buf, err := io.ReadAll(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, err
	}
	if err := a.decode(buf); err != nil {
		return nil, &CorruptError{Path: a.path, Place: "the anchor", Err: err}
	}
	return a, nil
}

func (a *anchor) decode(buf []byte) error {
	n := len(anchorMagic)
	head := buf[:min(len(buf), n+17)]
	switch {
	case len(buf) != anchorSize:
		return block.ErrShort
	case binary.BigEndian.Uint64(buf[len(head):]) != xxhash.Sum64(head) || string(head[:n]) != string(anchorMagic):
		return block.ErrChecksum
	case head[n] != block.Version:
		return fmt.Errorf("%w: %d", block.ErrVersion, head[n])
	}
	copy(a.id[:], head[n+1:])
	whole := 0
	for _, at := range []int{slotAt, 2 * slotAt} {
		body, err := openSlot(a.id, buf[at:])
		if err != nil {
			continue // it was being written when the power went: the other is whole
		}
		whole++
		number := binary.BigEndian.Uint64(body)
		loose := number&looseBit != 0
		if number &^= looseBit; number >= a.writes {
			a.loose = loose
			a.writes, a.end, a.lastSum = number, binary.BigEndian.Uint64(body[8:]), binary.BigEndian.Uint64(body[16:])
			a.saves = binary.BigEndian.Uint64(body[24:])
		}
	}
	if whole == 0 {
		return block.ErrChecksum
	}
	return nil
}

// openSlot returns what is in the slot that begins there.
func openSlot(id cursor.LogID, buf []byte) (body []byte, err error) {
	if body, _, err = block.Unseal(id, []byte(anchorName), buf[:slotSize+block.SumSize]); err == nil {
		return body, nil
	}
	body, _, err = block.Unseal(id, []byte(anchorName), buf[:noSaves+block.SumSize])
	return append(slices.Clip(body), make([]byte, slotSize-noSaves)...), err
}

// write says where the Log ends, and how many saves there were. What fails is noted at the gate, which answers nothing else than that it
// has succeeded: so do sync and close.
func (a *anchor) write(end, sum uint64) {
	if a.file == nil {
		a.file, _ = a.fs.OpenReadWrite(a.path, vfs.WriteCategoryUnspecified)
	}
	var buf [slotSize + block.SumSize]byte
	a.writes, a.end, a.lastSum = a.writes+1, end, sum
	number := a.writes
	if a.loose {
		number |= looseBit
	}
	_, _ = a.file.WriteAt(slot(buf[:0], a.id, number, end, sum, a.saves), int64(slotAt*(1+a.writes%2)))
}

func (a *anchor) sync() { _ = a.file.Sync() }

func (a *anchor) close() {
	if a.file != nil {
		_ = a.file.Close()
	}
}
