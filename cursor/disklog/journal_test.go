package disklog_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
)

// TestJournalFails: a write that fails is the end of the Journal above the log, too: its outcome is unknown, and nobody waits for what
// will not be.
func TestJournalFails(t *testing.T) {
	var armed atomic.Bool
	disk := faulty(vfs.NewMem(), func(op errorfs.Op) error {
		if strings.HasSuffix(op.Path, ".log") && op.Kind == errorfs.OpFileWrite && armed.Load() {
			return failure(op, syscall.ENOSPC)
		}
		return nil
	})
	log, err := openOn(disk, disklog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	j := cursor.NewJournal(log, nil, cursor.JournalOptions{})
	if _, err := j.Append(ctx, mixed(t, 5, 0)); err != nil {
		t.Fatal(err)
	}
	armed.Store(true)
	if _, err := j.Append(ctx, mixed(t, 5, 5)); !errors.Is(err, cursor.ErrUnknown) || !errors.Is(err, cursor.ErrJournalFailed) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("the append whose write failed: %v; want ErrUnknown, ErrJournalFailed and ENOSPC", err)
	}
	if _, err := j.Append(ctx, mixed(t, 5, 5)); !errors.Is(err, cursor.ErrJournalFailed) || errors.Is(err, cursor.ErrUnknown) {
		t.Errorf("a later one: %v; want ErrJournalFailed", err)
	}
	if err := j.Close(ctx); !errors.Is(err, cursor.ErrFailed) || !errors.Is(err, disklog.ErrFailed) {
		t.Errorf("Close: %v; want cursor.ErrFailed, of disklog.ErrFailed", err)
	}
}
