package disklog_test

import (
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/region"
)

// TestVerifyHoldsNothing: what Verify calls may use the Log, and close it.
func TestVerifyHoldsNothing(t *testing.T) {
	log, err := openOn(vfs.NewMem(), disklog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		add(t, log, mixed(t, 10, 10*i)...) // more than a segment
	}
	seen := 0
	err = log.Verify(ctx, func(core.Envelope) error {
		seen++
		add(t, log, about(t, "late", 0))
		all(t, log, region.Region{Entity: "a"}, 0, 10)
		return nil
	})
	if err != nil || seen != 100 {
		t.Errorf("%d events, %v; want the 100 that were there when it began", seen, err)
	}
	errMine := errors.New("mine")
	if err := log.Verify(ctx, func(core.Envelope) error { return errMine }); err != errMine {
		t.Errorf("got %v, want what was returned to it", err)
	}
	if err := log.Verify(ctx, func(core.Envelope) error { return log.Close() }); !errors.Is(err, cursor.ErrClosed) {
		t.Errorf("closed meanwhile: %v, want ErrClosed", err)
	}
}

// TestVerifyBesideRetention: what was dropped before Verify came to it is no damage.
func TestVerifyBesideRetention(t *testing.T) {
	log, err := openOn(vfs.NewMem(), disklog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		add(t, log, mixed(t, 10, 10*i)...)
	}
	err = log.Verify(ctx, func(core.Envelope) error { return log.Compact(ctx, 290) })
	if compacted, ok := errors.AsType[*cursor.CompactedError](err); !ok || compacted.First != 290 {
		t.Errorf("got %v, want that all below 290 is compacted", err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
}
