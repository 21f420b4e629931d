package disklog

import (
	"context"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
)

// OpenOn is Open on another file system, by another wall clock. The folder's name is taken as it is.
// Segments have so many events at least.
func OpenOn(dir string, o Options, fs vfs.FS, now func() time.Time, segment int) (*Log, error) {
	return open(dir, o, env{fs, now, segment})
}

// Flush has the engine write what it holds in memory to tables.
func (l *Log) Flush() error {
	if err := l.gate.err(); err != nil {
		return err
	}
	done, err := l.db.AsyncFlush()
	if err != nil {
		return err
	}
	select {
	case <-done:
	case <-l.gate.shut:
	}
	return l.gate.err()
}

// Merge has the engine merge its tables.
func (l *Log) Merge() error {
	return l.db.Compact(context.Background(), []byte{0}, []byte{0xff}, false)
}

// EncodeBlock returns the key and the value of a block. h is its first sequence, its previous sum, entities and bytes.
func EncodeBlock(id cursor.LogID, h [4]uint64, es []core.Envelope) (key, value []byte) {
	b := block{first: h[0], previous: h[1], entities: h[2], bytes: h[3]}
	key, value = keyOf(ofBlock, h[0]), b.begin(nil)
	for i := range es {
		value = appendRecord(value, &es[i])
	}
	value, _ = finish(id, key, value, uint32(len(es)))
	return key, value
}

// DecodeBlock returns what was encoded.
func DecodeBlock(id cursor.LogID, key, value []byte) (h [4]uint64, es []core.Envelope, err error) {
	b, err := openBlock(id, key, value)
	if err != nil {
		return h, nil, err
	}
	es, err = b.events(new(names))
	return [4]uint64{b.first, b.previous, b.entities, b.bytes}, es, err
}

// Seal appends the checksum that makes anything a value.
func Seal(id cursor.LogID, key, body []byte) []byte { return seal(id, key, body) }
