package cursor_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
)

// TestJournalCloseDrains: what is queued is committed; what comes later is refused; again it does nothing.
func TestJournalCloseDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		j := cursor.NewJournal(g, nil, cursor.JournalOptions{})
		var outs []*outcome
		for range 3 {
			outs = append(outs, goAppend(t.Context(), j, about(t, "a")))
		}
		future, err := j.AppendAsync(t.Context(), about(t, "a"))
		if err != nil {
			t.Fatal(err)
		}
		closed := make(chan struct{}, 2)
		for range 2 {
			go func() {
				if err := j.Close(t.Context()); err != nil {
					t.Error(err)
				}
				closed <- struct{}{}
			}()
		}
		synctest.Wait()
		if late := goAppend(t.Context(), j, about(t, "b")); late.err != cursor.ErrJournalClosed {
			t.Errorf("after Close: %v", late.err)
		}
		if _, err := j.AppendAsync(t.Context(), about(t, "b")); err != cursor.ErrJournalClosed {
			t.Errorf("after Close, not waiting: %v", err)
		}
		short, leave := context.WithCancelCause(t.Context())
		leave(errLeft)
		if _, err := future.Wait(short); err != errLeft || len(closed) != 0 {
			t.Errorf("Wait: %v; %d closed before it is drained", err, len(closed))
		}
		close(g.let)
		synctest.Wait()
		outs = append(outs, new(outcome))
		outs[3].made, outs[3].err = future.Wait(short) // it is there, whatever the context
		for i, o := range outs {
			if o.err != nil || len(o.made) != 1 || o.made[0].Sequence != uint64(i) {
				t.Errorf("batch %d: %v, %v", i, o.made, o.err)
			}
		}
		if err := j.Close(short); len(closed) != 2 || err != nil {
			t.Errorf("%d closed; again: %v", len(closed), err)
		}
	})
}

// TestJournalCloseForced: when Close's context ends, who is queued is refused, and the group under way is given up, as what
// the log says of it, or as unknown.
func TestJournalCloseForced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			err     error // what the log returns, again and again; nil: it waits for its context
			unknown bool
		}{
			"waits for its context": {nil, false},
			"cannot tell":           {&cursor.UnknownError{Err: errLeft}, true},
		} {
			g := newGate(t)
			if c.err != nil {
				g.append = func(context.Context, []cursor.Draft) ([]core.Envelope, error) { return nil, c.err }
			}
			j := cursor.NewJournal(g, nil, cursor.JournalOptions{})
			under := goAppend(t.Context(), j, about(t, "a"))
			queued := goAppend(t.Context(), j, about(t, "a"))
			ctx, leave := context.WithTimeoutCause(t.Context(), time.Minute, errLeft)
			if err := j.Close(ctx); err != errLeft {
				t.Errorf("%s: Close() = %v, want its context's cause", name, err)
			}
			leave()
			synctest.Wait()
			if queued.err != cursor.ErrJournalClosed {
				t.Errorf("%s: queued: %v, want ErrJournalClosed", name, queued.err)
			}
			if errors.Is(under.err, cursor.ErrUnknown) != c.unknown || !c.unknown && under.err != cursor.ErrJournalClosed {
				t.Errorf("%s: under way: %v; unknown: want %v", name, under.err, c.unknown)
			}
		}
	})
}

// TestEverybodyIsAnswered: appenders of all kinds, contexts that end, and a Close in the midst, forced or not: each has an answer, and
// what was answered with events is in the log once, and was broadcast in its order.
func TestEverybodyIsAnswered(t *testing.T) {
	rounds := 60
	if testing.Short() {
		rounds = 15
	}
	for round := range rounds {
		var sink heard
		log := newLog(t, memlog.Options{})
		slow := wrapped{Log: log, append: func(ctx context.Context, ds []cursor.Draft) ([]core.Envelope, error) {
			made, err := log.Append(ctx, ds)
			if err == nil && made[0].Sequence%5 == 3 {
				return nil, &cursor.UnknownError{Err: errLeft}
			}
			return made, err
		}}
		if round%3 > 0 {
			slow.append = nil // or it never ends, unless it is forced
		}
		j := cursor.NewJournal(slow, newFanout(t, &sink), cursor.JournalOptions{MaxGroup: 8, MaxQueued: 10})
		var wg sync.WaitGroup
		var mu sync.Mutex
		var answered []core.Envelope
		note := func(made []core.Envelope, err error) {
			mu.Lock()
			defer mu.Unlock()
			answered = append(answered, made...)
			if err != nil && !errors.Is(err, errLeft) && !errors.Is(err, cursor.ErrJournalClosed) && !errors.Is(err, cursor.ErrJournalFull) {
				t.Error(err)
			}
		}
		for a := range 6 {
			wg.Go(func() {
				ctx, leave := context.WithCancelCause(context.Background())
				defer leave(errLeft)
				var futures []*cursor.Future
				for i := range 30 {
					if a%2 == 0 {
						note(j.Append(ctx, about(t, "a", "b")))
					} else if f, err := j.AppendAsync(ctx, about(t, "c")); err != nil {
						note(nil, err)
					} else {
						futures = append(futures, f)
					}
					if a < 2 && i == 20 {
						go leave(errLeft)
					}
				}
				for _, f := range futures {
					note(f.Wait(context.Background()))
				}
			})
		}
		wg.Go(func() {
			ctx, leave := context.WithCancelCause(context.Background())
			if round%3 == 0 {
				go leave(errLeft)
			}
			if err := j.Close(ctx); err != nil && err != errLeft {
				t.Error(err)
			}
			leave(nil)
		})
		wg.Wait()
		if err := j.Close(context.Background()); err != nil {
			t.Error(err)
		}
		kept := contents(t, log)
		told := sink.envelopes()
		if len(told) > len(kept) || !sameEvents(told, kept[:len(told)]) {
			t.Fatalf("the log has %s, broadcast %s", sequences(kept), &sink)
		}
		for _, e := range answered {
			if e.Sequence >= uint64(len(told)) || kept[e.Sequence].EventID != e.EventID {
				t.Fatalf("%d was answered; broadcast %s", e.Sequence, &sink)
			}
		}
	}
}

// TestAsyncFromInside: a sink appends what an event leads to, on the Journal's own goroutine, and doesn't wait; where the queue
// is full it is told.
func TestAsyncFromInside(t *testing.T) {
	var sink heard
	var futures []*cursor.Future
	var j *cursor.Journal
	full := 0
	sink.then = func(e core.Envelope) {
		if e.Coordinate.Entity() != "cause" {
			return
		}
		for range 3 {
			f, err := j.AppendAsync(context.Background(), about(t, "effect", "effect"))
			if err == cursor.ErrJournalFull {
				full++
				continue
			}
			if err != nil {
				t.Error(err)
				return
			}
			futures = append(futures, f)
		}
	}
	f := newFanout(t)
	j = newJournal(t, newLog(t, memlog.Options{}), f, cursor.JournalOptions{MaxQueued: 5})
	subscribe(t, f, &sink)
	if _, err := j.Append(context.Background(), about(t, "cause")); err != nil {
		t.Fatal(err)
	}
	for i, f := range futures {
		made, err := f.Wait(context.Background())
		if err != nil || made[0].Sequence != uint64(2*i+1) {
			t.Errorf("%v, %v", made, err)
		}
	}
	if len(futures) != 2 || full != 1 {
		t.Errorf("%d are let in, %d not; want 2 of 2 events each, with room for 5, and 1", len(futures), full)
	}
}

// TestQueueBytes: the other bound; and a batch that is over it by itself is let in alone.
func TestQueueBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		j := cursor.NewJournal(g, nil, cursor.JournalOptions{MaxQueuedBytes: 10, MaxGroupBytes: 10})
		goAppend(t.Context(), j, about(t, "a"))
		of := func(bytes int) []cursor.Draft {
			ds := about(t, "a")
			ds[0].Payload = make([]byte, bytes)
			return ds
		}
		for i, c := range []struct {
			bytes int
			err   error
		}{{100, nil}, {1, cursor.ErrJournalFull}} {
			if _, err := j.AppendAsync(t.Context(), of(c.bytes)); err != c.err {
				t.Errorf("%d: %d bytes: %v, want %v", i, c.bytes, err, c.err)
			}
		}
		var outs []*outcome
		for _, bytes := range []int{6, 4, 1, 200} { // Append waits, and is not kept out
			outs = append(outs, goAppend(t.Context(), j, of(bytes)))
		}
		close(g.let)
		synctest.Wait()
		for i, o := range outs {
			if o.err != nil || o.made[0].Sequence != uint64(i+2) {
				t.Errorf("%d: %v, %v", i, o.made, o.err)
			}
		}
		if s := j.Stats(); s.Group.Count != 5 {
			t.Errorf("%d groups; want 1, 100, 6 and 4, 1, 200 bytes", s.Group.Count)
		}
		if err := j.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
