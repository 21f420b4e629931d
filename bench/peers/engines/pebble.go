package main

import (
	"encoding/binary"

	"github.com/cockroachdb/pebble/v2"
)

// A pebbled keeps events under their sequence, and an empty row for each under its entity.
type pebbled struct{ db *pebble.DB }

func openPebble(dir string) (engine, error) {
	db, err := pebble.Open(dir, &pebble.Options{
		FormatMajorVersion: pebble.FormatNewest, MemTableSize: 16 << 20, CacheSize: 32 << 20, Logger: silent{},
	})
	return pebbled{db}, err
}

type silent struct{}

func (silent) Infof(string, ...any)              {}
func (silent) Errorf(string, ...any)             {}
func (silent) Fatalf(format string, args ...any) { pebble.DefaultLogger.Fatalf(format, args...) }

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64([]byte{'r'}, seq) }

func entityKey(entity uint32, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32([]byte{'x'}, entity), seq)
}

func (p pebbled) append(first uint64, events [][]byte, sync bool) error {
	b := p.db.NewBatch()
	for i, e := range events {
		seq := first + uint64(i)
		if err := b.Set(seqKey(seq), e, nil); err != nil {
			return err
		}
		if err := b.Set(entityKey(entityOf(e), seq), nil, nil); err != nil {
			return err
		}
	}
	mode := pebble.NoSync
	if sync {
		mode = pebble.Sync
	}
	if err := b.Commit(mode); err != nil {
		return err
	}
	return b.Close()
}

func (p pebbled) region(entity uint32) (found int, err error) {
	iter, err := p.db.NewIter(&pebble.IterOptions{LowerBound: entityKey(entity, 0), UpperBound: entityKey(entity+1, 0)})
	if err != nil {
		return 0, err
	}
	for ok := iter.First(); ok; ok = iter.Next() {
		value, closer, err := p.db.Get(seqKey(binary.BigEndian.Uint64(iter.Key()[5:])))
		if err != nil {
			return found, err
		}
		found += len(value) / size
		if err := closer.Close(); err != nil {
			return found, err
		}
	}
	return found, iter.Close()
}

// drop leaves the rows of entities: they would need an index by segments, as disklog has one.
func (p pebbled) drop(below uint64) error {
	return p.db.DeleteRange(seqKey(0), seqKey(below), pebble.Sync)
}

func (p pebbled) close() error { return p.db.Close() }
