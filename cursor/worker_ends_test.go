package cursor_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// TestH119OlderIsFenced: of two workers of a name the older ends at its next save, and says who owns the place.
func TestH119OlderIsFenced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t, memlog.Options{})
		add(t, log, "a", "a")
		o := cursor.WorkerOptions{Checkpoints: memlog.NewCheckpoints(), Every: 1}
		var older, newer record
		release := make(chan struct{})
		o.Handle = func(ctx context.Context, e core.Envelope) (cursor.Answer, error) {
			<-release
			return older.handle(ctx, e)
		}
		first := startWorker(t, log, o)
		synctest.Wait()
		o.Handle = newer.handle
		second := startWorker(t, log, o)
		synctest.Wait()
		close(release)
		err := endsWith(t, first, cursor.ErrFenced)
		if fenced, ok := errors.AsType[*cursor.FencedError](err); !ok || fenced.Epoch != 1 || fenced.Owner != 2 {
			t.Errorf("the older ended with %v", err)
		}
		if older.String() != "[0]" || newer.String() != "[0 1]" {
			t.Errorf("the older handled %s, the newer %s", &older, &newer)
		}
		if s := first.Status(); s.Failed != 0 || !s.Ended {
			t.Errorf("it tried again: %+v", s)
		}
		stopped(t, second)
	})
}

// TestH120SaveIsRefusedAfterALongPause: a worker that was away while another did the work moves nothing back when it returns.
func TestH120SaveIsRefusedAfterALongPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t, memlog.Options{})
		add(t, log, "a", "a", "a")
		o := cursor.WorkerOptions{Checkpoints: memlog.NewCheckpoints()}
		o.Handle = func(ctx context.Context, e core.Envelope) (cursor.Answer, error) {
			time.Sleep(time.Hour) // whatever ctx says: the machine sleeps
			return cursor.Stop, nil
		}
		first := startWorker(t, log, o)
		o.Handle = new(record).handle
		second := startWorker(t, log, o)
		synctest.Wait()
		stopped(t, second)
		_ = endsWith(t, first, cursor.ErrFenced)
		if c, err := o.Checkpoints.Load(t.Context(), "worker"); err != nil || c.Place != 3 || c.Epoch != 2 {
			t.Errorf("saved %+v, %v", c, err)
		}
	})
}

// TestStopEndsTheHandler: its context ends with the worker's, and what it had begun is not handled, nor has it failed.
func TestStopEndsTheHandler(t *testing.T) {
	for name, end := range map[string]func(w *cursor.Worker, cancel context.CancelCauseFunc) error{
		"Stop":    func(w *cursor.Worker, _ context.CancelCauseFunc) error { w.Stop(); return nil },
		"context": func(_ *cursor.Worker, cancel context.CancelCauseFunc) error { cancel(errLeft); return errLeft },
	} {
		synctest.Test(t, func(t *testing.T) {
			log := newLog(t, memlog.Options{})
			add(t, log, "a", "a", "a")
			ctx, cancel := context.WithCancelCause(context.Background())
			var cause error
			o := cursor.WorkerOptions{Name: "worker", Checkpoints: newNotebook(), Handle: func(ctx context.Context, e core.Envelope) (cursor.Answer, error) {
				if e.Sequence == 1 {
					<-ctx.Done()
					cause = context.Cause(ctx)
					return cursor.Continue, ctx.Err()
				}
				return cursor.Continue, nil
			}}
			w, err := cursor.StartWorker(ctx, log, o)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			short, done := context.WithTimeoutCause(t.Context(), time.Second, errNotYet)
			if err := w.Wait(short); !errors.Is(err, errNotYet) {
				t.Errorf("%s: Wait: %v", name, err)
			}
			done()
			want := end(w, cancel)
			if err := w.Wait(t.Context()); !errors.Is(err, want) || want == nil && err != nil {
				t.Errorf("%s: ended with %v; want %v", name, err, want)
			}
			if want == nil {
				want = cursor.ErrStopped
			}
			if !errors.Is(cause, want) {
				t.Errorf("%s: the handler's context ended with %v", name, cause)
			}
			if c, err := o.Checkpoints.Load(t.Context(), "worker"); err != nil || c.Place != 1 || c.Attempts != 0 {
				t.Errorf("%s: saved %+v, %v", name, c, err)
			}
			cancel(nil)
		})
	}
}

var errNotYet = errors.New("not yet")

// TestWorkerIsCompacted: retention that was quicker is a typed end, at the start as later.
func TestWorkerIsCompacted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t, memlog.Options{})
		add(t, log, "a", "a", "a", "a")
		release := make(chan struct{})
		o := cursor.WorkerOptions{Name: "worker", Checkpoints: newNotebook(), Batch: 1, Handle: func(context.Context, core.Envelope) (cursor.Answer, error) {
			<-release
			return cursor.Continue, nil
		}}
		w := startWorker(t, log, o)
		synctest.Wait()
		if err := log.Compact(t.Context(), 3); err != nil {
			t.Fatal(err)
		}
		close(release)
		err := endsWith(t, w, cursor.ErrCompacted)
		if c, ok := errors.AsType[*cursor.CompactedError](err); !ok || c.First != 3 {
			t.Errorf("ended with %v", err)
		}
		if _, err := cursor.StartWorker(t.Context(), log, o); !errors.Is(err, cursor.ErrCompacted) {
			t.Errorf("started again: %v", err)
		}
	})
}

var errDisk = errors.New("the disk is full")

// TestH115StoreFails: while the place can't be saved no event is begun; it is said, tried again, and at last the end.
func TestH115StoreFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t, memlog.Options{})
		add(t, log, "a", "a", "a")
		store := newNotebook()
		failing := true
		store.fail = func(c cursor.Checkpoint) error {
			if c.Place == 1 && failing {
				return errDisk
			}
			return nil
		}
		var got record
		o := cursor.WorkerOptions{Checkpoints: store, Every: 1, Handle: got.handle, FirstPause: time.Minute}
		w := startWorker(t, log, o)
		synctest.Wait()
		if s := w.Status(); !errors.Is(s.Err, errDisk) || s.Failed != 1 || s.Ended || got.String() != "[0]" {
			t.Errorf("status %+v, handled %s", s, &got)
		}
		_ = endsWith(t, w, errDisk)
		if got.String() != "[0]" {
			t.Errorf("handled %s", &got)
		}
		w = startWorker(t, log, o)
		synctest.Wait()
		store.mu.Lock()
		failing = false
		store.mu.Unlock()
		time.Sleep(time.Hour)
		stopped(t, w)
		if s := w.Status(); got.String() != "[0 0 1 2]" || s.Err != nil {
			t.Errorf("handled %s, status %+v", &got, s)
		}
	})
}

// TestLogFails: a read that fails is tried again.
func TestLogFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t, memlog.Options{})
		add(t, log, "a", "a")
		fails := 3
		flaky := wrapped{Log: log, read: func(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (int, uint64, error) {
			if fails--; fails >= 0 {
				return 0, from, errDisk
			}
			return log.Read(ctx, r, from, dst)
		}}
		var got record
		w := startWorker(t, flaky, cursor.WorkerOptions{Checkpoints: newNotebook(), Handle: got.handle})
		time.Sleep(time.Hour)
		stopped(t, w)
		if s := w.Status(); got.String() != "[0 1]" || s.Failed != 3 {
			t.Errorf("handled %s, %+v", &got, s)
		}
	})
}

// TestH106QuietPlaceIsSaved: the place of a worker whose region is quiet moves on, and is saved.
func TestH106QuietPlaceIsSaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t, memlog.Options{})
		store := newNotebook()
		w := startWorker(t, log, cursor.WorkerOptions{Checkpoints: store, Region: region.Region{Entity: "alice"}, Batch: 4, Handle: new(record).handle})
		for range 10 {
			add(t, log, "bob")
			synctest.Wait()
		}
		if saves := store.noted(); saves != "[4+0 8+0]" {
			t.Errorf("saved %s", saves)
		}
		stopped(t, w)
		if saves := store.noted(); saves != "[10+0]" {
			t.Errorf("at the end saved %s", saves)
		}
	})
}

// TestPartsShareARegion: n workers handle each event once between them, and a part is no other number's.
func TestPartsShareARegion(t *testing.T) {
	const parts = 3
	log := newLog(t, memlog.Options{})
	names := strings.Split("abcdefghijklmnopqrstuvwxyz", "")
	store := memlog.NewCheckpoints()
	var mu sync.Mutex
	last := make(map[string]uint32) // the clock of what came last, by entity
	counts := make([]int, parts)
	var all sync.WaitGroup
	all.Add(10 * len(names))
	options := func(i, n int) cursor.WorkerOptions {
		return cursor.WorkerOptions{
			Name: string(rune('0' + i)), Checkpoints: store, Part: cursor.Partition(i, n), Every: 7,
			Handle: func(_ context.Context, e core.Envelope) (cursor.Answer, error) {
				mu.Lock()
				defer mu.Unlock()
				name := e.Coordinate.Entity()
				if e.Position.Sequence != last[name]+1 {
					t.Errorf("%s: event %d after %d", name, e.Position.Sequence, last[name])
				}
				last[name] = e.Position.Sequence
				counts[i]++
				all.Done()
				return cursor.Continue, nil
			},
		}
	}
	var workers []*cursor.Worker
	for i := range parts {
		workers = append(workers, startWorker(t, log, options(i, parts)))
	}
	for range 10 {
		add(t, log, names...)
	}
	all.Wait()
	for i, w := range workers {
		stopped(t, w)
		if counts[i] == 0 {
			t.Errorf("part %d has nothing: %v", i, counts)
		}
	}
	_, err := cursor.StartWorker(t.Context(), log, options(1, parts+1))
	if m, ok := errors.AsType[*cursor.MismatchError](err); !ok || m.What != "part" || m.Got != "1 of 3" || m.Want != "1 of 4" {
		t.Errorf("another number of parts: %v", err)
	}
}

// TestWorkerOptionsRefused: what can't be is said, and nothing is claimed.
func TestWorkerOptionsRefused(t *testing.T) {
	log := newLog(t, memlog.Options{})
	store := memlog.NewCheckpoints()
	for name, change := range map[string]func(o *cursor.WorkerOptions){
		"no store":          func(o *cursor.WorkerOptions) { o.Checkpoints = nil },
		"no handler":        func(o *cursor.WorkerOptions) { o.Handle = nil },
		"negative":          func(o *cursor.WorkerOptions) { o.Batch = -1 },
		"negative every":    func(o *cursor.WorkerOptions) { o.Every = -1 },
		"part":              func(o *cursor.WorkerOptions) { o.Part = cursor.Part{Index: 3, Of: 3} },
		"silence":           func(o *cursor.WorkerOptions) { o.Poison = cursor.SkipPoison },
		"nowhere":           func(o *cursor.WorkerOptions) { o.Poison = cursor.DeadLetterPoison },
		"letters to itself": func(o *cursor.WorkerOptions) { o.Poison, o.DeadLetters = cursor.DeadLetterPoison, log },
		"pauses":            func(o *cursor.WorkerOptions) { o.FirstPause, o.MostPause = 2, 1 },
		"poison":            func(o *cursor.WorkerOptions) { o.Poison = 9 },
		"both": func(o *cursor.WorkerOptions) {
			o.HandleBatch = func(context.Context, []core.Envelope) (cursor.Answer, error) { return cursor.Stop, nil }
		},
	} {
		o := cursor.WorkerOptions{Name: "worker", Checkpoints: store, Handle: new(record).handle}
		change(&o)
		if _, err := cursor.StartWorker(t.Context(), log, o); !errors.Is(err, cursor.ErrWorkerOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := cursor.StartWorker(t.Context(), log, cursor.WorkerOptions{}); !errors.Is(err, cursor.ErrCheckpointName) {
		t.Errorf("no name: %v", err)
	}
	if _, err := store.Load(t.Context(), "worker"); !errors.Is(err, cursor.ErrNoCheckpoint) {
		t.Errorf("claimed all the same: %v", err)
	}
}

// TestDeadLetterOnce: a worker that dies behind its dead letter leaves it to the next, which appends it again: it is there once. That
// its attempts ended the process is the reason that is left.
func TestDeadLetterOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, dead := newLog(t, memlog.Options{}), newLog(t, memlog.Options{})
		add(t, log, "a", "b", "c")
		store := newNotebook()
		store.fail = func(c cursor.Checkpoint) error {
			if c.Place > 1 && c.Epoch == 1 {
				return &cursor.FencedError{Name: c.Name} // it saves nothing more: as good as dead
			}
			return nil
		}
		var got record
		var reasons []error
		o := cursor.WorkerOptions{
			Checkpoints: store, Attempts: 2, Poison: cursor.DeadLetterPoison, DeadLetters: dead,
			Skipped: func(p *cursor.PoisonError) { reasons = append(reasons, p.Err) },
			Handle: func(ctx context.Context, e core.Envelope) (cursor.Answer, error) {
				if e.Sequence == 1 {
					return cursor.Continue, errHandler
				}
				return got.handle(ctx, e)
			},
		}
		_ = endsWith(t, startWorker(t, log, o), cursor.ErrFenced)
		w := startWorker(t, log, o)
		synctest.Wait()
		stopped(t, w)
		if len(reasons) != 2 || !errors.Is(reasons[0], errHandler) || !errors.Is(reasons[1], cursor.ErrDied) {
			t.Errorf("skipped for %v", reasons)
		}
		if b, err := dead.Bounds(t.Context()); err != nil || b.Next != 1 {
			t.Errorf("dead letters: %+v, %v", b, err)
		}
		if got.String() != "[0 2]" {
			t.Errorf("handled %s", &got)
		}
	})
}

// TestSkippedMayPanic: then the event is not passed over, and the worker ends.
func TestSkippedMayPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t, memlog.Options{})
		add(t, log, "a", "b")
		store := newNotebook()
		w := startWorker(t, log, cursor.WorkerOptions{
			Checkpoints: store, Attempts: 1, Poison: cursor.SkipPoison, Skipped: func(*cursor.PoisonError) { panic(errLeft) },
			Handle: func(context.Context, core.Envelope) (cursor.Answer, error) { return cursor.Continue, errHandler },
		})
		if p, ok := errors.AsType[*core.PanicError](endsWith(t, w, errLeft)); !ok || len(p.Stack) == 0 {
			t.Errorf("it ended with %v", p)
		}
		if c, err := store.Load(t.Context(), "worker"); err != nil || c.Place != 0 || w.Status().Skipped != 0 {
			t.Errorf("saved %+v, %v, %+v", c, err, w.Status())
		}
	})
}

// TestStopWhileItPauses: a worker that waits to try again ends at once, with its attempts kept.
func TestStopWhileItPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t, memlog.Options{})
		add(t, log, "a")
		store := newNotebook()
		w := startWorker(t, log, cursor.WorkerOptions{
			Checkpoints: store, FirstPause: time.Hour,
			Handle: func(context.Context, core.Envelope) (cursor.Answer, error) { return cursor.Continue, errHandler },
		})
		synctest.Wait()
		before := time.Now()
		stopped(t, w)
		if took := time.Since(before); took != 0 {
			t.Errorf("it took %v", took)
		}
		if c, err := store.Load(t.Context(), "worker"); err != nil || c.Place != 0 || c.Attempts != 1 {
			t.Errorf("saved %+v, %v", c, err)
		}
	})
}
