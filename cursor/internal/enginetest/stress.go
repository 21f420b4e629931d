// Package enginetest has what the tests of every engine of a cursor.Log have in common, besides the kit cursor/logtest: it
// knows how many events an engine was told to keep.
package enginetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// A Log is an engine.
type Log interface {
	cursor.Log
	Compact(ctx context.Context, first uint64) error
}

// Stress has appenders, retention and readers at work at the same time, on an empty log that keeps so many events, and closes it. Each
// reader gets every event of its Region in order, but for those that it is told were compacted; no more is ever kept than was asked
// for.
func Stress(t *testing.T, log Log, kept uint64, batches int) {
	t.Helper()
	const appenders = 3
	ctx := context.Background()
	of := make([]region.Coordinate, appenders)
	for a := range of {
		c, err := region.NewCoordinate(fmt.Sprint("of:", a), "shop")
		if err != nil {
			t.Fatal(err)
		}
		of[a] = c
	}
	var appending, reading sync.WaitGroup
	for a := range appenders {
		appending.Go(func() {
			for i := range batches {
				var ds []cursor.Draft
				for range 1 + i%20 {
					ds = append(ds, cursor.Draft{EventID: cursor.NewID(), Coordinate: of[a], Kind: region.KindData, Payload: make([]byte, 8)})
				}
				made, err := log.Append(ctx, ds)
				if err != nil {
					t.Error(err)
					return
				}
				for i := range made {
					if made[i].Sequence != made[0].Sequence+uint64(i) {
						t.Errorf("a batch is torn: %d at place %d after %d", made[i].Sequence, i, made[0].Sequence)
					}
				}
			}
		})
	}
	for reader := range 4 {
		r := region.Region{Entity: fmt.Sprint("of:", reader)} // the last one finds nothing
		if reader == 0 {
			r = region.Region{}
		}
		reading.Go(func() { follow(t, log, r) })
	}
	reading.Go(func() { // compacts by hand besides, half of what is there
		for {
			b, err := log.Bounds(ctx)
			if err == nil && b.Next-b.First > kept {
				t.Errorf("%d events are kept, want at most %d", b.Next-b.First, kept)
			}
			if err == nil {
				err = log.Compact(ctx, b.Next-(b.Next-b.First)/2)
			}
			if err == nil {
				err = log.Wait(ctx, b.Next+kept/4)
			}
			if err != nil {
				if !errors.Is(err, cursor.ErrClosed) {
					t.Error(err)
				}
				return
			}
		}
	})
	appending.Wait()
	if err := log.Close(); err != nil {
		t.Error(err)
	}
	reading.Wait()
}

// follow reads r until the log is closed. Where retention is quicker it goes on at the first that is left.
func follow(t *testing.T, log cursor.Log, r region.Region) {
	ctx := context.Background()
	c, err := cursor.Open(ctx, log, r, cursor.FromStart())
	dst := make([]core.Envelope, 64)
	clock, last, read := uint32(0), int64(-1), false
	for {
		var n int
		if err == nil {
			n, err = c.NextBatch(ctx, dst)
		}
		if compacted, ok := errors.AsType[*cursor.CompactedError](err); ok {
			if compacted.First <= compacted.From {
				t.Errorf("%v", err)
			}
			c, err = cursor.Open(ctx, log, r, cursor.FromStart())
			read = false
			continue
		}
		if err != nil {
			if !errors.Is(err, cursor.ErrClosed) {
				t.Error(err)
			}
			return
		}
		for _, e := range dst[:n] {
			switch {
			case int64(e.Sequence) <= last:
				t.Errorf("%s: %d after %d", r, e.Sequence, last)
			case read && r == (region.Region{}) && int64(e.Sequence) != last+1:
				t.Errorf("%d after %d: some are missing", e.Sequence, last)
			case read && r.Entity != "" && e.Position.Sequence != clock+1:
				t.Errorf("%s: clock %d after %d: some are missing", r, e.Position.Sequence, clock)
			case len(e.Payload) != 8:
				t.Errorf("%d has %d bytes of payload", e.Sequence, len(e.Payload))
			}
			last, clock, read = int64(e.Sequence), e.Position.Sequence, true
		}
	}
}
