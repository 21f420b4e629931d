package disklog_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/region"
)

// broadcast is a sink that counts what it is offered.
type broadcast struct{ events int }

func (b *broadcast) Offer(core.Envelope) core.Verdict { b.events++; return core.Accepted }
func (b *broadcast) Close(error)                      {}

// TestJournalFailedSync: an fsync fails under a Journal. Its group is told that the outcome is unknown, those who are queued and
// those who come later that nothing was appended, all of them why; nothing of it was broadcast; what was acknowledged is there.
func TestJournalFailedSync(t *testing.T) {
	mem := vfs.NewMem()
	var armed atomic.Bool
	syncing, fail := make(chan struct{}), make(chan struct{})
	disk := faulty(mem, func(op errorfs.Op) error {
		syncs := op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo
		if !syncs || !strings.HasSuffix(op.Path, ".log") || !armed.CompareAndSwap(true, false) {
			return nil
		}
		close(syncing)
		<-fail
		return failure(op, syscall.EIO)
	})
	log, err := openOn(disk, disklog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := core.New(core.Config[core.Envelope]{SingleWriter: true, Locate: core.Envelope.Point})
	var heard broadcast
	if _, err := f.Subscribe(ctx, region.Region{Scope: "shop"}, &heard); err != nil {
		t.Fatal(err)
	}
	j := cursor.NewJournal(log, f, cursor.JournalOptions{Name: "orders"})
	if got := j.String(); got != "journal orders, sync: each group" {
		t.Errorf("it is called %q", got)
	}
	var l ledger
	for range 3 {
		made, err := j.Append(ctx, []cursor.Draft{about(t, "a", 10), about(t, "b", 10)})
		if err != nil {
			t.Fatal(err)
		}
		l.acked = append(l.acked, made...)
	}
	armed.Store(true)
	var futures []*cursor.Future
	for i := range 3 { // the first is being synced when the others come
		ds := []cursor.Draft{about(t, "c", 10)}
		future, err := j.AppendAsync(ctx, ds)
		if err != nil {
			t.Fatal(err)
		}
		futures = append(futures, future)
		if i == 0 {
			l.tried = append(l.tried, ds)
			<-syncing
		}
	}
	close(fail)
	for i, future := range futures {
		_, err := future.Wait(ctx)
		if !errors.Is(err, cursor.ErrJournalFailed) || !errors.Is(err, cursor.ErrFailed) || !errors.Is(err, syscall.EIO) || errors.Is(err, cursor.ErrUnknown) != (i == 0) {
			t.Errorf("batch %d of the queue: %v; want ErrFailed and EIO, and ErrUnknown for the first alone", i, err)
		}
	}
	_, err = j.Append(ctx, []cursor.Draft{about(t, "d", 10)})
	if !errors.Is(err, cursor.ErrJournalFailed) || !errors.Is(err, cursor.ErrFailed) || errors.Is(err, cursor.ErrUnknown) {
		t.Errorf("a later append: %v; want ErrFailed, not ErrUnknown", err)
	}
	if err := j.Close(ctx); !errors.Is(err, cursor.ErrFailed) || j.Stats().Retries != 0 {
		t.Errorf("Close() = %v after %d retries; want ErrFailed and none", err, j.Stats().Retries)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if heard.events != len(l.acked) {
		t.Errorf("%d events were broadcast, want the %d that are durable", heard.events, len(l.acked))
	}
	if err := log.Close(); !errors.Is(err, cursor.ErrFailed) {
		t.Errorf("the log: Close() = %v; want ErrFailed", err)
	}
	if err := l.check(mem); err != nil {
		t.Errorf("opened again: %v", err)
	}
}
