package bench

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

const (
	durableBatches = 20 // that are timed at once
	durableBatch   = 1_000
	durableSize    = 200
)

// durableRows are P13e: what does it take to make an event durable, with its index, its id, its entity's clock and its place in a
// region, beside the engine that keeps nothing but the bytes?
func durableRows() []Row {
	return []Row{{
		ID: "P13e", Work: "a journal over disklog, sync: " + cursor.EachGroup().String() + ", an event in a batch of 1,000 of 200 bytes", Against: "pebble", Unit: "ns",
		Target: 1 / 0.8, Stretch: 1 / 0.95, Floor: 3, Decision: "0011", Version: 2,
		Open: openDurable,
	}}
}

func openDurable(h Host) Sides {
	dir := scratch(h)
	j := openJournal(h, dir)
	db, err := pebble.Open(filepath.Join(dir, "pebble"), &pebble.Options{
		FormatMajorVersion: pebble.FormatNewest, MemTableSize: 16 << 20, CacheSize: 32 << 20, Logger: said{h},
	})
	if err != nil {
		h.Fatalf("%v", err)
	}
	h.Cleanup(func() { finish(h, db.Close) })
	ds := DurableDrafts(h)
	var (
		failed         error
		seq, went, was uint64
	)
	check := func() error { return failed }
	return Sides{
		Subject: Section{
			Name: "spillway",
			Timed: func() int {
				for i := 0; i < durableBatches && failed == nil; i++ {
					made, err := j.Append(context.Background(), ds)
					if failed = err; err == nil {
						went = made[len(made)-1].Sequence + 1
					}
				}
				return durableBatches * durableBatch
			},
			After: func() error {
				if was += durableBatches * durableBatch; failed == nil && went != was {
					return fmt.Errorf("%d events are there, want %d", went, was)
				}
				return failed
			},
		},
		Baseline: Section{
			Name: "pebble",
			Timed: func() int {
				for i := 0; i < durableBatches && failed == nil; i++ {
					failed = appendBare(db, ds, seq)
					seq += durableBatch
				}
				return durableBatches * durableBatch
			},
			After: check,
		},
	}
}

// appendBare keeps the payloads alone, each under its sequence, in one batch with an fsync.
func appendBare(db *pebble.DB, ds []cursor.Draft, seq uint64) error {
	b := db.NewBatch()
	for i := range ds {
		if err := b.Set(binary.BigEndian.AppendUint64(nil, seq+uint64(i)), ds[i].Payload, nil); err != nil {
			return err
		}
	}
	if err := b.Commit(pebble.Sync); err != nil {
		return err
	}
	return b.Close()
}

// DurableDrafts returns a batch of a thousand events, of a hundred tenants' thousand orders.
func DurableDrafts(h Host) []cursor.Draft {
	kind, err := region.NewKind(0x1, 0x002)
	if err != nil {
		h.Fatalf("%v", err)
	}
	ds := make([]cursor.Draft, durableBatch)
	for i := range ds {
		c, err := region.NewCoordinate(fmt.Sprintf("%s:order:%03d", tenant(i*7%100), i), Scope)
		if err != nil {
			h.Fatalf("%v", err)
		}
		payload := make([]byte, durableSize)
		for j := range payload {
			payload[j] = byte(i*31 + j*j*i>>3) // not all the same, so that it can't be made small
		}
		ds[i] = cursor.Draft{Coordinate: c, Kind: kind, Payload: payload}
	}
	return ds
}

// scratch returns a folder that is removed in the end.
func scratch(h Host) string {
	dir, err := os.MkdirTemp("", "spillway-bench")
	if err != nil {
		h.Fatalf("%v", err)
	}
	h.Cleanup(func() { finish(h, func() error { return os.RemoveAll(dir) }) })
	return dir
}

func finish(h Host, f func() error) {
	if err := f(); err != nil {
		h.Errorf("%v", err)
	}
}

// said is the logger of an engine: it says what ends it.
type said struct{ h Host }

func (said) Infof(string, ...any)                {}
func (said) Errorf(string, ...any)               {}
func (s said) Fatalf(format string, args ...any) { s.h.Errorf(format, args...) }
