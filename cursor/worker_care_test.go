package cursor_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// TestBatchIsTheHandlers: a handler may do with its batch as it likes, and fail: all of it comes again, in order.
func TestBatchIsTheHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t, memlog.Options{})
		add(t, log, "a", "b", "c", "d")
		var got record
		failed := false
		w := startWorker(t, log, cursor.WorkerOptions{
			Checkpoints: memlog.NewCheckpoints(), Batch: 4, Every: 3,
			HandleBatch: func(_ context.Context, es []core.Envelope) (cursor.Answer, error) {
				if !failed {
					failed = true
					slices.Reverse(es)
					clear(append(es[:1], core.Envelope{})) // as whoever takes some out, and adds others
					return cursor.Continue, errHandler
				}
				got.add(es...)
				return cursor.Continue, nil
			},
		})
		time.Sleep(time.Hour)
		stopped(t, w)
		if got.String() != "[0 1 2 3]" || w.Status().Place != 4 {
			t.Errorf("handled %s, place %d; want all in order, and 4", &got, w.Status().Place)
		}
	})
}

// TestBatchFailsNobody: a batch that fails is no attempt of any of its events: each is tried alone as often as is asked for.
func TestBatchFailsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t, memlog.Options{})
		add(t, log, "a", "b", "c")
		var got, skipped record
		w := startWorker(t, log, cursor.WorkerOptions{
			Checkpoints: memlog.NewCheckpoints(), Attempts: 1,
			Poison: cursor.SkipPoison, Skipped: func(p *cursor.PoisonError) { skipped.add(p.Event) },
			HandleBatch: func(_ context.Context, es []core.Envelope) (cursor.Answer, error) {
				if slices.ContainsFunc(es, func(e core.Envelope) bool { return e.Sequence == 2 }) {
					return cursor.Continue, errHandler
				}
				got.add(es...)
				return cursor.Continue, nil
			},
		})
		time.Sleep(time.Hour)
		stopped(t, w)
		if got.String() != "[0 1]" || skipped.String() != "[2]" {
			t.Errorf("handled %s, skipped %s; want [0 1] and [2]", &got, &skipped)
		}
	})
}

// TestSuccessIsSavedAfterFailures: an event that was handled in the end is none that failed for the Worker after this one.
func TestSuccessIsSavedAfterFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t, memlog.Options{})
		add(t, log, "a", "b", "c")
		store := newNotebook()
		tries := 0
		w := startWorker(t, log, cursor.WorkerOptions{
			Checkpoints: store, Every: 1000, Interval: 24 * time.Hour, Attempts: 3,
			Handle: func(_ context.Context, e core.Envelope) (cursor.Answer, error) {
				if tries++; tries < 3 {
					return cursor.Continue, errHandler
				}
				return cursor.Continue, nil
			},
		})
		time.Sleep(time.Hour)
		if c, err := store.Load(t.Context(), "worker"); err != nil || c.Place == 0 && c.Attempts > 1 {
			t.Errorf("saved are %d attempts at %d, %v; want none of what was handled", c.Attempts, c.Place, err)
		}
		stopped(t, w)
	})
}

// TestContextEndsForAnothersReason: the cause of a Worker's context is not the Worker's own error, whatever it looks like: what is
// handled is saved.
func TestContextEndsForAnothersReason(t *testing.T) {
	for _, cause := range []error{&cursor.FencedError{}, &cursor.PoisonError{Err: errHandler}} {
		synctest.Test(t, func(t *testing.T) {
			log := newLog(t, memlog.Options{})
			add(t, log, "a", "b", "c")
			store := memlog.NewCheckpoints()
			ctx, cancel := context.WithCancelCause(t.Context())
			w, err := cursor.StartWorker(ctx, log, cursor.WorkerOptions{
				Name: "worker", Checkpoints: store, Every: 1000, Interval: time.Hour,
				Handle: func(context.Context, core.Envelope) (cursor.Answer, error) { return cursor.Continue, nil },
			})
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			cancel(cause)
			if err := w.Wait(t.Context()); !errors.Is(err, cause) {
				t.Errorf("it ended with %v, want %v", err, cause)
			}
			if c, err := store.Load(t.Context(), "worker"); err != nil || c.Place != 3 || c.Attempts != 0 {
				t.Errorf("%T: saved are %d attempts at %d, %v; want place 3 and none", cause, c.Attempts, c.Place, err)
			}
		})
	}
}

// TestFailedStartFencesNobody: a Worker that can't begin takes the name from nobody.
func TestFailedStartFencesNobody(t *testing.T) {
	log := newLog(t, memlog.Options{})
	add(t, log, "a", "b", "c")
	store := memlog.NewCheckpoints()
	c, err := store.Claim(t.Context(), cursor.NewCheckpoint("worker", log.ID(), region.Region{}, 0))
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Compact(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	_, err = cursor.StartWorker(t.Context(), log, cursor.WorkerOptions{
		Name: "worker", Checkpoints: store,
		Handle: func(context.Context, core.Envelope) (cursor.Answer, error) { return cursor.Continue, nil },
	})
	if !errors.Is(err, cursor.ErrCompacted) {
		t.Errorf("StartWorker: %v, want ErrCompacted", err)
	}
	c.Place = 3
	if err := store.Save(t.Context(), c); err != nil {
		t.Errorf("its owner can't save: %v", err)
	}
}
