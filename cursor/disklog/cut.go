package disklog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/wal"
)

// findCut looks for what the engine is about to cut off, silently: the beginning of a write, at the end of its newest
// log. What else is wrong there the engine says itself.
func (l *Log) findCut(engine string) {
	logs, err := wal.Scan(wal.Dir{FS: l.gate, Dirname: engine})
	if err != nil || len(logs) == 0 {
		return
	}
	newest := logs[len(logs)-1]
	r := newest.OpenForRead()
	defer func() { _ = r.Close() }()
	for {
		rec, at, err := r.NextRecord()
		if err == nil {
			_, err = io.Copy(io.Discard, rec)
		}
		if err == nil {
			continue
		}
		if !errors.Is(err, io.EOF) && !errors.Is(err, record.ErrUnexpectedEOF) && !errors.Is(err, record.ErrInvalidChunk) &&
			!errors.Is(err, record.ErrZeroedChunk) || at.PhysicalFile == "" {
			return
		}
		rest, rerr := readFrom(l.gate, at.PhysicalFile, at.Physical)
		if rerr != nil {
			return // the engine meets the same
		}
		if n := fragment(rest, uint32(newest.Num)); n > 0 && !errors.Is(err, io.EOF) {
			l.opened.Cut, l.opened.Path, l.opened.Offset, l.opened.Bytes = true, at.PhysicalFile, at.Physical, n
		}
		return
	}
}

func readFrom(fsys vfs.FS, path string, at int64) ([]byte, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(f, at, max(0, info.Size()-at)))
}

// fragment returns how many bytes there are of a write that was cut short: none where the space was preallocated, or is
// what an older log of the engine's has left in a file that is used again.
func fragment(rest []byte, log uint32) int64 {
	n := len(rest)
	for n > 0 && rest[n-1] == 0 {
		n--
	}
	const logAt = 7 // in the head of one of the engine's chunks: checksum, length, type
	if n > logAt {
		number := binary.LittleEndian.AppendUint32(nil, log)
		if got := rest[logAt:min(n, logAt+4)]; !bytes.HasPrefix(number, got) { // the zeros of a number are not to be told from the space
			return 0
		}
	}
	return int64(n)
}
