package disklog

import (
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// SavedKey returns the key of the row that a generation of a Checkpoint is in.
func SavedKey(generation uint64, name string) []byte { return savedKey(byte(generation%2), name) }

// Row returns what the engine has under a key.
func (l *Log) Row(key []byte) ([]byte, error) {
	value, closer, err := l.db.Get(key)
	if err != nil {
		return nil, err
	}
	return slices.Clone(value), closer.Close()
}

// SetRow puts something else there, or nothing.
func (l *Log) SetRow(key, value []byte) error {
	if value == nil {
		return l.db.Delete(key, pebble.Sync)
	}
	return l.db.Set(key, value, pebble.Sync)
}
