package disklog_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/region"
)

// A slow disk holds one call that changes something, until it is released.
type slow struct {
	at      int64 // which one; 0: none
	of      func(op errorfs.Op) bool
	calls   atomic.Int64
	where   string        // the call; it is there when held is closed
	held    chan struct{} // closed when the call has come
	release chan struct{}
}

func newSlow(at int64, of func(op errorfs.Op) bool) *slow {
	return &slow{at: at, of: of, held: make(chan struct{}), release: make(chan struct{})}
}

func (s *slow) disk(mem vfs.FS) vfs.FS {
	return faulty(mem, func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsRead || s.of != nil && !s.of(op) || s.calls.Add(1) != s.at {
			return nil
		}
		s.where = fmt.Sprintf("%v %s", op.Kind, op.Path)
		close(s.held)
		<-s.release
		return nil
	})
}

// TestDelaysEverywhere: whichever call of the engine's to the disk takes its time, what was acknowledged is read meanwhile, and everything
// ends as if it had not: nothing fails, and every promise is kept.
func TestDelaysEverywhere(t *testing.T) {
	batches, every := 24, sized(1, 7, 31)
	counting := newSlow(0, nil)
	var plain ledger
	if err := plain.script(t, counting.disk(vfs.NewMem()), batches); err != nil {
		t.Fatal(err)
	}
	most, looked := counting.calls.Load(), 0
	if most < 150 {
		t.Fatalf("%d calls cannot be all", most)
	}
	for at := int64(1); at <= most; at += int64(every) {
		mem := vfs.NewMem()
		s := newSlow(at, nil)
		var l ledger
		done := make(chan error, 1)
		go func() {
			err := errors.New("the script has ended in the middle")
			defer func() { done <- err }()
			err = l.script(t, s.disk(mem), batches)
		}()
		var err error
		select {
		case <-s.held:
			if readBeside(t, &l, s.where) {
				looked++
			}
			close(s.release)
			err = <-done
		case err = <-done: // there are some more calls or less each time
		}
		if err != nil {
			t.Errorf("call %d, %s: the script: %v", at, s.where, err)
		}
		if got := l.snapshot(); len(got.acked) != len(plain.acked) || got.first != plain.first || len(got.tried) > 0 {
			t.Errorf("call %d, %s: %d events, %d of them dropped; want %d and %d", at, s.where, len(got.acked), got.first, len(plain.acked), plain.first)
		}
		if err := l.snapshot().check(mem); err != nil {
			t.Errorf("call %d, %s: %v", at, s.where, err)
		}
	}
	t.Logf("%d calls, read beside %d of those that were held", most, looked)
	if looked < int(most)/every/3 {
		t.Errorf("only %d held calls were read beside, of %d", looked, most)
	}
}

// readBeside reads all that was acknowledged, if there is a Log that is open. What is held may be behind the script: it may go on, drop
// something, and close the Log meanwhile.
func readBeside(t *testing.T, l *ledger, where string) bool {
	t.Helper()
	for {
		s := l.snapshot()
		if s.open == nil {
			return false
		}
		b, err := s.open.Bounds(ctx)
		var got []core.Envelope
		if err == nil {
			got, err = allOf(s.open, region.Region{}, b.First, 50)
		}
		switch {
		case errors.Is(err, cursor.ErrCompacted), errors.Is(err, cursor.ErrClosed):
			continue
		case err != nil:
			t.Errorf("%s: read beside it: %v", where, err)
		default:
			want := s.acked[min(b.First, uint64(len(s.acked))):]
			if len(got) < len(want) || !alike(got[:len(want)], want) {
				t.Errorf("%s: %d events are read beside it, want the %d that were acknowledged", where, len(got), len(want))
			}
		}
		return true
	}
}

// ofWAL tells whether a call writes or syncs what an append waits for.
func ofWAL(op errorfs.Op) bool {
	switch op.Kind {
	case errorfs.OpFileWrite, errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo:
		return strings.HasSuffix(op.Path, ".log")
	}
	return false
}

// TestDelayedAppend: while the disk takes its time over an append, whoever gives up on it is told at once that its outcome is unknown, and who has
// not begun that nothing was appended; what was acknowledged is read; and afterwards the outcome is found out, and all goes on.
func TestDelayedAppend(t *testing.T) {
	for at := int64(1); ; at++ {
		mem := vfs.NewMem()
		var armed atomic.Bool
		s := newSlow(at, func(op errorfs.Op) bool { return armed.Load() && ofWAL(op) })
		log, err := openOn(s.disk(mem), disklog.Options{})
		if err != nil {
			t.Fatal(err)
		}
		f := core.New(core.Config[core.Envelope]{SingleWriter: true, Locate: core.Envelope.Point})
		j := cursor.NewJournal(log, f, cursor.JournalOptions{})
		first, err := j.Append(ctx, mixed(t, 5, 0))
		if err != nil {
			t.Fatal(err)
		}
		armed.Store(true)
		giveUp, cancel := context.WithCancel(ctx)
		ds, answer := mixed(t, 5, 5), make(chan error, 1)
		go func() {
			_, err := j.Append(giveUp, ds)
			answer <- err
		}()
		caught := true
		select {
		case <-s.held:
		case err := <-answer:
			caught = false // there are no more: the others are not held
			armed.Store(false)
			if err != nil {
				t.Fatal(err)
			}
		}
		queued, err := j.AppendAsync(ctx, mixed(t, 1, 10))
		if err != nil {
			t.Fatal(err)
		}
		if caught {
			beside, stop := context.WithCancel(ctx)
			stop()
			if _, err := log.Append(beside, mixed(t, 1, 11)); !errors.Is(err, context.Canceled) || errors.Is(err, cursor.ErrUnknown) {
				t.Errorf("%s: who has not begun: %v; want Canceled, not ErrUnknown", s.where, err)
			}
			cancel()
			if err := <-answer; !errors.Is(err, cursor.ErrUnknown) || !errors.Is(err, context.Canceled) {
				t.Errorf("%s: who gives up: %v; want ErrUnknown and Canceled", s.where, err)
			}
			if got := all(t, log, region.Region{}, 0, 50); !alike(got, first) {
				t.Errorf("%s: %d events are read, want the %d that were acknowledged", s.where, len(got), len(first))
			}
			select {
			case <-queued.Done():
				t.Errorf("%s: what is queued behind it is answered", s.where)
			default:
			}
			close(s.release)
		}
		cancel()
		last, err := queued.Wait(ctx)
		if err != nil || last[0].Sequence != 10 {
			t.Errorf("%s: what was queued: %v, %v", s.where, last, err)
		}
		again, err := j.Append(ctx, ds)
		if err != nil || again[0].Sequence != 5 || again[4].Sequence != 9 {
			t.Errorf("%s: found out: %v, %v; want it where it was appended", s.where, again, err)
		}
		if got := bounds(t, log); got.Next != 11 {
			t.Errorf("%s: %+v, want 11 events", s.where, got)
		}
		if err := errors.Join(j.Close(ctx), f.Close(), log.Close()); err != nil {
			t.Error(err)
		}
		if !caught {
			if at < 3 {
				t.Errorf("an append made %d calls", at-1)
			}
			return
		}
	}
}

// TestDelayedClose: a Journal that is closed while the disk takes its time over an append lets what is queued go at once, also under a context that
// is over; the Log is closed, and closed to readers, as soon as the disk lets go of it, and has all that was acknowledged.
func TestDelayedClose(t *testing.T) {
	mem := vfs.NewMem()
	var armed atomic.Bool
	s := newSlow(1, func(op errorfs.Op) bool { return armed.Load() && ofWAL(op) })
	log, err := openOn(s.disk(mem), disklog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := core.New(core.Config[core.Envelope]{SingleWriter: true, Locate: core.Envelope.Point})
	j := cursor.NewJournal(log, f, cursor.JournalOptions{})
	var l ledger
	if l.acked, err = j.Append(ctx, mixed(t, 5, 0)); err != nil {
		t.Fatal(err)
	}
	armed.Store(true)
	l.tried = append(l.tried, mixed(t, 5, 5))
	caught, err := j.AppendAsync(ctx, l.tried[0])
	if err != nil {
		t.Fatal(err)
	}
	<-s.held
	queued, err := j.AppendAsync(ctx, mixed(t, 1, 10))
	if err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	closed := make(chan error, 2)
	go func() { closed <- j.Close(over) }()
	if _, err := queued.Wait(ctx); !errors.Is(err, cursor.ErrJournalClosed) || errors.Is(err, cursor.ErrUnknown) {
		t.Errorf("what was queued: %v; want ErrJournalClosed, not ErrUnknown", err)
	}
	go func() { closed <- log.Close() }()
	select {
	case err := <-closed:
		t.Errorf("Close has returned %v while the disk is at it", err)
	default:
	}
	close(s.release)
	made, err := caught.Wait(ctx)
	if err == nil {
		l.acked, l.tried = append(l.acked, made...), nil
	} else if !errors.Is(err, cursor.ErrUnknown) {
		t.Errorf("what was caught: %v; want that it is there, or ErrUnknown", err)
	}
	for range 2 {
		if err := <-closed; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("Close: %v", err)
		}
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := l.check(mem); err != nil {
		t.Error(err)
	}
}

// TestReadWhileClosing: while the disk takes its time over Close, nobody waits for it who would only be told that the Log is closed.
func TestReadWhileClosing(t *testing.T) {
	mem := vfs.NewMem()
	var armed atomic.Bool
	s := newSlow(1, func(op errorfs.Op) bool { return armed.Load() && ofWAL(op) })
	log, err := openOn(s.disk(mem), disklog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	add(t, log, mixed(t, 5, 0)...)
	armed.Store(true)
	closed := make(chan error, 1)
	go func() { closed <- log.Close() }()
	<-s.held
	if _, _, err := log.Read(ctx, region.Region{}, 0, make([]core.Envelope, 1)); !errors.Is(err, cursor.ErrClosed) {
		t.Errorf("Read: %v, want ErrClosed", err)
	}
	if got := log.Stats(); got.Next != 5 {
		t.Errorf("Stats: %+v", got)
	}
	close(s.release)
	if err := <-closed; err != nil {
		t.Error(err)
	}
}
