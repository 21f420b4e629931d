package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// A bolted keeps events in one bucket, and an empty row for each in another.
type bolted struct{ db *bbolt.DB }

var records, index = []byte("r"), []byte("x")

func openBolt(dir string) (engine, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	db, err := bbolt.Open(filepath.Join(dir, "db"), 0o666, nil)
	if err != nil {
		return nil, err
	}
	return bolted{db}, db.Update(func(tx *bbolt.Tx) error {
		if _, err := tx.CreateBucketIfNotExists(records); err != nil {
			return err
		}
		_, err := tx.CreateBucketIfNotExists(index)
		return err
	})
}

func (b bolted) append(first uint64, events [][]byte, sync bool) error {
	b.db.NoSync = !sync
	return b.db.Update(func(tx *bbolt.Tx) error {
		r, x := tx.Bucket(records), tx.Bucket(index)
		r.FillPercent = 1 // as its documentation says, where keys only grow
		for i, e := range events {
			seq := first + uint64(i)
			if err := r.Put(seqKey(seq), e); err != nil {
				return err
			}
			if err := x.Put(entityKey(entityOf(e), seq), nil); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b bolted) region(entity uint32) (found int, err error) {
	err = b.db.View(func(tx *bbolt.Tx) error {
		r, c, end := tx.Bucket(records), tx.Bucket(index).Cursor(), entityKey(entity+1, 0)
		for k, _ := c.Seek(entityKey(entity, 0)); k != nil && bytes.Compare(k, end) < 0; k, _ = c.Next() {
			found += len(r.Get(seqKey(binary.BigEndian.Uint64(k[5:])))) / size
		}
		return nil
	})
	return found, err
}

// drop deletes what is below in transactions of 10,000.
func (b bolted) drop(below uint64) error {
	b.db.NoSync = false
	for at, end := uint64(0), seqKey(below); at < below; at += 10_000 {
		if err := b.db.Update(func(tx *bbolt.Tx) error {
			r := tx.Bucket(records)
			for seq := at; seq < at+10_000 && bytes.Compare(seqKey(seq), end) < 0; seq++ {
				if err := r.Delete(seqKey(seq)); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

func (b bolted) close() error { return b.db.Close() }
