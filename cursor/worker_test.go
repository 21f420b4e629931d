package cursor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

var errHandler = errors.New("the handler can't")

// TestWorker: events of the region are handled in order, the place is saved as often as it is asked for, with the
// first attempt of what comes next, and the next worker goes on there.
func TestWorker(t *testing.T) {
	for _, c := range []struct {
		name  string
		o     cursor.WorkerOptions
		batch bool
		saves string
	}{
		{"each batch", cursor.WorkerOptions{}, false, "[0+1 7+0]"},
		{"small batches", cursor.WorkerOptions{Batch: 2}, false, "[0+1 3+1 5+1 7+0]"},
		{"every 3", cursor.WorkerOptions{Every: 3}, false, "[0+1 4+1 7+0]"},
		{"every 3 of small batches", cursor.WorkerOptions{Every: 3, Batch: 2}, false, "[0+1 4+1 7+0]"},
		{"interval", cursor.WorkerOptions{Interval: time.Minute, Batch: 2}, false, "[0+1]"},
		{"by batch", cursor.WorkerOptions{Batch: 4}, true, "[0+1 5+1 7+0]"},
		{"by batch, every 3", cursor.WorkerOptions{Every: 3}, true, "[0+1 4+1 7+0]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := newLog(t, memlog.Options{})
				add(t, log, "alice", "bob", "alice", "alice:child", "alice", "alice", "alice")
				var got record
				store := newNotebook()
				c.o.Checkpoints, c.o.Region, c.o.Handle = store, region.Region{Entity: "alice"}, got.handle
				if c.batch {
					c.o.Handle = nil
					c.o.HandleBatch = func(_ context.Context, es []core.Envelope) (cursor.Answer, error) {
						got.add(es...)
						return cursor.Continue, nil
					}
				}
				w := startWorker(t, log, c.o)
				synctest.Wait()
				if got.String() != "[0 2 3 4 5 6]" {
					t.Errorf("handled %s", &got)
				}
				if saves := store.noted(); saves != c.saves {
					t.Errorf("saved %s; want %s", saves, c.saves)
				}
				if c.o.Interval > 0 {
					time.Sleep(time.Minute)
					synctest.Wait()
					if saves := store.noted(); saves != "[7+0]" {
						t.Errorf("a minute later saved %s", saves)
					}
				}
				add(t, log, "bob", "alice")
				synctest.Wait()
				stopped(t, w)
				if s := w.Status(); s.Handled != 7 || s.Place != 9 || !s.Ended || s.Err != nil || s.Failed != 0 {
					t.Errorf("status %+v", s)
				}
				add(t, log, "alice")
				w = startWorker(t, log, c.o)
				synctest.Wait()
				stopped(t, w)
				if got.String() != "[0 2 3 4 5 6 8 9]" {
					t.Errorf("handled %s", &got)
				}
			})
		})
	}
}

// TestH123CountedBefore: whenever a handler is called, it is saved that the event, or one before it which is not saved as handled,
// was begun.
func TestH123CountedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t, memlog.Options{})
		add(t, log, "a", "b", "a", "b", "a")
		store := newNotebook()
		tries := make(map[uint64]uint32)
		w := startWorker(t, log, cursor.WorkerOptions{
			Checkpoints: store, Every: 2, Attempts: 4, Poison: cursor.SkipPoison, Skipped: func(*cursor.PoisonError) {},
			Handle: func(ctx context.Context, e core.Envelope) (cursor.Answer, error) {
				c, err := store.Load(ctx, "worker")
				if err != nil || c.Attempts == 0 || c.Place > e.Sequence {
					t.Errorf("event %d is begun with %d attempts saved at %d, %v", e.Sequence, c.Attempts, c.Place, err)
				}
				tries[e.Sequence]++
				if n := tries[e.Sequence]; n > 1 && (c.Place != e.Sequence || c.Attempts != n) {
					t.Errorf("event %d is begun for the %d. time with %d attempts saved at %d", e.Sequence, n, c.Attempts, c.Place)
				}
				if e.Sequence == 3 {
					return cursor.Continue, errHandler
				}
				return cursor.Continue, nil
			},
		})
		time.Sleep(time.Hour)
		add(t, log, "a")
		synctest.Wait()
		stopped(t, w)
		if got := fmt.Sprint(tries); got != "map[0:1 1:1 2:1 3:4 4:1 5:1]" {
			t.Errorf("tried %s", got)
		}
	})
}

// TestH123OneByOneAfterACrash: a worker that finds events begun and not finished saves its place before each of as many as may have been.
func TestH123OneByOneAfterACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t, memlog.Options{})
		add(t, log, "a", "b", "a", "b", "a", "b", "a", "b")
		store := newNotebook()
		crashed, err := store.Claim(t.Context(), cursor.NewCheckpoint("worker", log.ID(), region.Region{}, 1))
		if err != nil {
			t.Fatal(err)
		}
		crashed.Attempts = 2
		if err := store.Save(t.Context(), crashed); err != nil {
			t.Fatal(err)
		}
		store.noted()
		w := startWorker(t, log, cursor.WorkerOptions{Checkpoints: store, Batch: 2, Every: 2, Handle: new(record).handle})
		synctest.Wait()
		stopped(t, w)
		if saves := store.noted(); saves != "[1+3 2+1 3+1 4+1 6+1 8+0]" {
			t.Errorf("saved %s", saves)
		}
	})
}

// TestH122Poison: an event that can't be handled is tried so often, with pauses that grow, and then the worker does what it was told.
func TestH122Poison(t *testing.T) {
	failures := map[string]func() error{
		"an error": func() error { return errHandler },
		"a panic":  func() error { panic(errHandler) },
		"an exit":  func() error { runtime.Goexit(); return nil },
	}
	for how, fail := range failures {
		for _, poison := range []cursor.Poison{cursor.StopOnPoison, cursor.SkipPoison, cursor.DeadLetterPoison} {
			for _, batch := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %d, %v", how, poison, batch), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { checkPoison(t, fail, poison, batch) })
				})
			}
		}
	}
}

func checkPoison(t *testing.T, fail func() error, poison cursor.Poison, batch bool) {
	log, dead := newLog(t, memlog.Options{}), newLog(t, memlog.Options{})
	add(t, log, "a", "b", "c", "d")
	var handled record
	var tries []time.Time
	var skipped []*cursor.PoisonError
	o := cursor.WorkerOptions{
		Checkpoints: newNotebook(), Attempts: 4, FirstPause: time.Second, MostPause: 2 * time.Second, Poison: poison,
	}
	one := func(ctx context.Context, e core.Envelope) (cursor.Answer, error) {
		if e.Sequence == 2 {
			tries = append(tries, time.Now())
			if err := fail(); err != nil {
				return cursor.Continue, err
			}
		}
		return handled.handle(ctx, e)
	}
	o.Handle = one
	if batch {
		o.Handle = nil
		o.HandleBatch = func(ctx context.Context, es []core.Envelope) (cursor.Answer, error) {
			for _, e := range es {
				if answer, err := one(ctx, e); err != nil {
					return answer, err
				}
			}
			return cursor.Continue, nil
		}
	}
	if poison != cursor.StopOnPoison {
		o.Skipped = func(p *cursor.PoisonError) { skipped = append(skipped, p) }
	}
	if poison == cursor.DeadLetterPoison {
		o.DeadLetters = dead
	}
	w := startWorker(t, log, o)
	if poison == cursor.StopOnPoison {
		err := endsWith(t, w, cursor.ErrPoison)
		p, _ := errors.AsType[*cursor.PoisonError](err)
		skipped = append(skipped, p)
		if c, err := o.Checkpoints.Load(t.Context(), "worker"); err != nil || c.Place != 2 || c.Attempts != 0 {
			t.Errorf("saved %+v, %v", c, err)
		}
	} else {
		time.Sleep(time.Minute)
		stopped(t, w)
	}
	if batch {
		tries = tries[1:] // the batch's: after it the events come one by one
	}
	if len(tries) != 4 {
		t.Fatalf("tried %d times", len(tries))
	}
	for i, most := range []time.Duration{time.Second, 2 * time.Second, 2 * time.Second} {
		if pause := tries[i+1].Sub(tries[i]); pause < most/2 || pause > most {
			t.Errorf("pause %d is %v", i, pause)
		}
	}
	if len(skipped) != 1 || skipped[0] == nil || skipped[0].Attempts != 4 || skipped[0].Event.Sequence != 2 || errors.Is(skipped[0], cursor.ErrDied) {
		t.Fatalf("skipped %v", skipped)
	}
	if !errors.Is(skipped[0], errHandler) && !errors.Is(skipped[0], core.ErrGoexit) {
		t.Errorf("skipped for %v", skipped[0])
	}
	if batch && handled.String() != map[bool]string{true: "[0 1 0 1]", false: "[0 1 0 1 3]"}[poison == cursor.StopOnPoison] ||
		!batch && handled.String() != map[bool]string{true: "[0 1]", false: "[0 1 3]"}[poison == cursor.StopOnPoison] {
		t.Errorf("handled %s", &handled)
	}
	dst := make([]core.Envelope, 4)
	n, _, err := dead.Read(t.Context(), region.Region{}, 0, dst)
	if want := map[bool]int{true: 1}[poison == cursor.DeadLetterPoison]; n != want || err != nil {
		t.Fatalf("%d dead letters, %v", n, err)
	}
	if n == 1 && (dst[0].CausationID != skipped[0].Event.EventID || dst[0].Coordinate != skipped[0].Event.Coordinate || dst[0].EventID == dst[0].CausationID) {
		t.Errorf("dead letter %+v of %+v", dst[0], skipped[0].Event)
	}
}

// TestAnswers: Stop keeps what was handled; StopWithRollback has all since the last save come again.
func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		answer cursor.Answer
		again  string
	}{{cursor.Stop, "[4 5]"}, {cursor.StopWithRollback, "[2 3 4 5]"}} {
		synctest.Test(t, func(t *testing.T) {
			log := newLog(t, memlog.Options{})
			add(t, log, "a", "b", "a", "b", "a", "b")
			o := cursor.WorkerOptions{Checkpoints: newNotebook(), Every: 2}
			o.Handle = func(_ context.Context, e core.Envelope) (cursor.Answer, error) {
				if e.Sequence == 3 {
					return c.answer, nil
				}
				return cursor.Continue, nil
			}
			if err := startWorker(t, log, o).Wait(t.Context()); err != nil {
				t.Error(err)
			}
			if saved, err := o.Checkpoints.Load(t.Context(), "worker"); err != nil || saved.Attempts != 0 {
				t.Errorf("saved %+v, %v: it was no failure", saved, err)
			}
			var again record
			o.Handle = again.handle
			w := startWorker(t, log, o)
			synctest.Wait()
			stopped(t, w)
			if again.String() != c.again {
				t.Errorf("after answer %d came %s; want %s", c.answer, &again, c.again)
			}
		})
	}
}

// TestIntervalWithinABatch: the place is saved when it is time, though the batch is not over.
func TestIntervalWithinABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t, memlog.Options{})
		add(t, log, "a", "b", "a", "b", "a")
		store := newNotebook()
		w := startWorker(t, log, cursor.WorkerOptions{
			Checkpoints: store, Interval: time.Minute,
			Handle: func(context.Context, core.Envelope) (cursor.Answer, error) {
				time.Sleep(40 * time.Second)
				return cursor.Continue, nil
			},
		})
		time.Sleep(time.Hour)
		stopped(t, w)
		if saves := store.noted(); saves != "[0+1 2+1 4+1 5+0]" {
			t.Errorf("saved %s", saves)
		}
	})
}

// TestUnknownAnswer: an answer that is none is a failure, not leave to go on.
func TestUnknownAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t, memlog.Options{})
		add(t, log, "a")
		store := newNotebook()
		w := startWorker(t, log, cursor.WorkerOptions{
			Checkpoints: store, Handle: func(context.Context, core.Envelope) (cursor.Answer, error) { return 9, nil },
		})
		_ = endsWith(t, w, cursor.ErrPoison)
		if c, err := store.Load(t.Context(), "worker"); err != nil || c.Place != 0 {
			t.Errorf("saved %+v, %v", c, err)
		}
	})
}

// TestOthersPartsMoveThePlace: a part that has nothing to do saves its place on the way over the others' events.
func TestOthersPartsMoveThePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := newLog(t, memlog.Options{})
		named := coordinate(t, "a")
		part := cursor.Partition(0, 2)
		if part.Has(named) {
			part = cursor.Partition(1, 2)
		}
		ds := make([]cursor.Draft, 10_000)
		for i := range ds {
			ds[i].Coordinate = named
		}
		for range 2 {
			if _, err := log.Append(t.Context(), ds); err != nil {
				t.Fatal(err)
			}
		}
		store := newNotebook()
		w := startWorker(t, log, cursor.WorkerOptions{Checkpoints: store, Part: part, Handle: new(record).handle})
		synctest.Wait()
		if saves := store.noted(); saves != "[16384+0 20000+0]" {
			t.Errorf("saved %s", saves)
		}
		stopped(t, w)
	})
}
