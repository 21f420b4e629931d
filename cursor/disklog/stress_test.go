package disklog_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/region"
)

// TestStress: appenders, retention and readers at the same time. Each reader gets every event of its Region in order,
// but for those that it is told were compacted; no more is ever kept than was asked for.
func TestStress(t *testing.T) {
	const (
		appenders = 3
		kept      = 2000
	)
	batches := sized(300, 80, 20)
	log, err := openOn(vfs.NewMem(), disklog.Options{MaxEvents: kept})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	var appending, reading sync.WaitGroup
	for a := range appenders {
		appending.Go(func() {
			for i := range batches {
				var ds []cursor.Draft
				for range 1 + i%20 {
					ds = append(ds, about(t, fmt.Sprint("of:", a), 8))
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
		reading.Go(func() { follow(t, log, r, kept) })
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
func follow(t *testing.T, log cursor.Log, r region.Region, kept uint64) {
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
