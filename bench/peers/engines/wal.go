package main

import (
	"errors"

	"github.com/tidwall/wal"
)

// A walled keeps events under their sequence and one, since it counts from 1. It has no index: a region is a scan.
type walled struct{ log *wal.Log }

func openWAL(dir string) (engine, error) {
	log, err := wal.Open(dir, &wal.Options{NoSync: true, SegmentSize: 20 << 20})
	return walled{log}, err
}

func (w walled) append(first uint64, events [][]byte, sync bool) error {
	var b wal.Batch
	for i, e := range events {
		b.Write(first+uint64(i)+1, e)
	}
	if err := w.log.WriteBatch(&b); err != nil || !sync {
		return err
	}
	return w.log.Sync()
}

func (w walled) region(entity uint32) (found int, err error) {
	for at := uint64(1); ; at++ {
		e, err := w.log.Read(at)
		if errors.Is(err, wal.ErrNotFound) {
			return found, nil
		}
		if err != nil {
			return found, err
		}
		if entityOf(e) == entity {
			found++
		}
	}
}

func (w walled) drop(below uint64) error { return w.log.TruncateFront(below + 1) }

func (w walled) close() error { return w.log.Close() }
