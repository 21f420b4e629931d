package cursor_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

type limited struct {
	wrapped
	limits cursor.Limits
}

func (l limited) Limits() cursor.Limits { return l.limits }

// TestJournalLimits: a group is never more than the log takes at once, or recognizes as repeats; what is more by itself is refused
// without asking the log. Where the log takes less than it says, less is tried.
func TestJournalLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			limits cursor.Limits
			takes  int
			most   int // drafts that the log is asked for together
		}{
			"batch":        {cursor.Limits{Batch: 4}, 100, 4},
			"repeats":      {cursor.Limits{Repeats: 3}, 100, 3},
			"batch bytes":  {cursor.Limits{BatchBytes: 20}, 100, 2},
			"says nothing": {cursor.Limits{}, 2, 8},
		} {
			log := newLog(t, memlog.Options{})
			let := make(chan struct{})
			most := 0
			j := cursor.NewJournal(limited{wrapped{Log: log, append: func(ctx context.Context, ds []cursor.Draft) ([]core.Envelope, error) {
				<-let
				most = max(most, len(ds))
				if len(ds) > c.takes {
					return nil, &cursor.LimitError{Limit: "drafts at once", Got: uint64(len(ds)), Most: uint64(c.takes)}
				}
				return log.Append(ctx, ds)
			}}, c.limits}, nil, cursor.JournalOptions{})
			var outs []*outcome
			for range 9 {
				ds := about(t, "a")
				ds[0].Payload = make([]byte, 10)
				outs = append(outs, goAppend(t.Context(), j, ds))
			}
			if c.limits.Batch > 0 {
				large := goAppend(t.Context(), j, about(t, "a", "a", "a", "a", "a"))
				if !large.over || !errors.Is(large.err, cursor.ErrLimit) || j.Stats().Refused != 1 {
					t.Errorf("%s: 5 drafts: %v, %v", name, large.over, large.err)
				}
			}
			large := goAppend(t.Context(), j, []cursor.Draft{{}})
			if fault, ok := errors.AsType[*cursor.DraftError](large.err); !ok || fault.Index != 0 {
				t.Errorf("%s: no coordinate: %v", name, large.err)
			}
			close(let)
			synctest.Wait()
			for i, o := range outs {
				if o.err != nil || o.made[0].Sequence != uint64(i) {
					t.Errorf("%s: batch %d: %v, %v", name, i, o.made, o.err)
				}
			}
			if most != c.most {
				t.Errorf("%s: the log was asked for %d at once, want %d", name, most, c.most)
			}
			if err := j.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestLogMisbehaves: a log that doesn't keep to its rules is the end of the journal, of which nobody is left without an answer.
func TestLogMisbehaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, appends := range map[string]func(ds []cursor.Draft) ([]core.Envelope, error){
			"answers too few":     func(ds []cursor.Draft) ([]core.Envelope, error) { return make([]core.Envelope, len(ds)-1), nil },
			"ends the goroutine":  func([]cursor.Draft) ([]core.Envelope, error) { runtime.Goexit(); return nil, nil },
			"blames who is there": func([]cursor.Draft) ([]core.Envelope, error) { return nil, &cursor.DraftError{Index: 9, Err: errLeft} },
		} {
			var sink heard
			g := newGate(t)
			g.append = func(_ context.Context, ds []cursor.Draft) ([]core.Envelope, error) {
				if err := <-g.let; err != nil {
					return nil, err
				}
				return appends(ds)
			}
			f := newFanout(t, &sink)
			j := cursor.NewJournal(g, f, cursor.JournalOptions{})
			under := goAppend(t.Context(), j, about(t, "a"))
			queued := goAppend(t.Context(), j, about(t, "a"))
			close(g.let)
			synctest.Wait()
			fatal := name != "blames who is there"
			for i, o := range []*outcome{under, queued} {
				if !o.over || o.err == nil || errors.Is(o.err, cursor.ErrJournalFailed) != fatal || errors.Is(o.err, cursor.ErrUnknown) != (fatal && i == 0) {
					t.Errorf("%s: batch %d: %v, %v", name, i, o.over, o.err)
				}
			}
			if err := j.Close(t.Context()); errors.Is(err, cursor.ErrJournalFailed) != fatal || sink.String() != "[]" {
				t.Errorf("%s: Close() = %v, broadcast %s", name, err, &sink)
			}
		}
	})
}

// TestBoundsEndTheGoroutine: a log whose Bounds exits is the end of the journal, too, and not asked again.
func TestBoundsEndTheGoroutine(t *testing.T) {
	asked := 0
	j := cursor.NewJournal(wrapped{Log: newLog(t, memlog.Options{}), bounds: func(context.Context) (cursor.Bounds, error) {
		if asked++; asked < 100 {
			runtime.Goexit()
		}
		return cursor.Bounds{}, errLeft
	}}, nil, cursor.JournalOptions{})
	if err := j.Close(context.Background()); !errors.Is(err, cursor.ErrJournalFailed) || asked != 1 {
		t.Errorf("Close() = %v; asked %d times", err, asked)
	}
}

// TestFailsInMidGroup: where the first part of a group ends the journal, the log is not asked for the rest, of which it is known that it was not
// added.
func TestFailsInMidGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		j := cursor.NewJournal(g, nil, cursor.JournalOptions{})
		first := goAppend(t.Context(), j, about(t, "a"))
		outs := []*outcome{goAppend(t.Context(), j, about(t, "b")), goAppend(t.Context(), j, about(t, "c"))}
		g.let <- nil
		synctest.Wait()
		g.let <- &cursor.LimitError{Limit: "drafts at once", Got: 2, Most: 1}
		synctest.Wait()
		calls := g.calls
		g.let <- &cursor.UnknownError{Err: errSync}
		synctest.Wait()
		for i, o := range outs {
			if !o.over || !errors.Is(o.err, cursor.ErrJournalFailed) || errors.Is(o.err, cursor.ErrUnknown) != (i == 0) {
				t.Errorf("batch %d: %v, %v", i, o.over, o.err)
			}
		}
		if first.err != nil || g.calls != calls {
			t.Errorf("%v; asked %d times more", first.err, g.calls-calls)
		}
		close(g.let)
		if err := j.Close(t.Context()); err != j.Err() {
			t.Error(err)
		}
	})
}

// TestEmptyBatches: they are no events, and don't wait in any number, or go together in any.
func TestEmptyBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		j := cursor.NewJournal(g, nil, cursor.JournalOptions{MaxQueued: 5, MaxGroup: 2})
		goAppend(t.Context(), j, nil)
		for i := range 7 {
			if _, err := j.AppendAsync(t.Context(), nil); (err == cursor.ErrJournalFull) != (i >= 5) {
				t.Errorf("batch %d: %v", i, err)
			}
		}
		close(g.let)
		if err := j.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if s := j.Stats(); s.Batches != 6 || g.calls != 4 {
			t.Errorf("%d batches in %d groups; want 6 in 1, 2, 2, 1", s.Batches, g.calls)
		}
	})
}

// TestOthersCannotBeRead: where the log is closed before what others appended is read, or that is damaged, the answers are as they are, nothing
// is broadcast out of its place, and the journal has failed. Without a fan-out nothing is read.
func TestOthersCannotBeRead(t *testing.T) {
	for _, failure := range []error{cursor.ErrClosed, fmt.Errorf("%w: the block at 3", cursor.ErrCorrupt)} {
		othersCannotBeRead(t, failure)
	}
}

func othersCannotBeRead(t *testing.T, failure error) {
	synctest.Test(t, func(t *testing.T) {
		var sink heard
		log := newLog(t, memlog.Options{})
		reads := 0
		closed := wrapped{Log: log, read: func(_ context.Context, _ region.Region, from uint64, _ []core.Envelope) (int, uint64, error) {
			reads++
			return 0, from, failure
		}}
		alone := cursor.NewJournal(closed, nil, cursor.JournalOptions{})
		j := cursor.NewJournal(closed, newFanout(t, &sink), cursor.JournalOptions{})
		synctest.Wait()
		add(t, log, "b", "c")
		if made, err := alone.Append(t.Context(), about(t, "a")); err != nil || sequences(made) != "[2]" || reads != 0 || alone.Stats().Foreign != 2 {
			t.Errorf("without a fan-out: %s, %v, %d reads, %+v", sequences(made), err, reads, alone.Stats())
		}
		if made, err := j.Append(t.Context(), about(t, "a")); err != nil || sequences(made) != "[3]" || sink.String() != "[]" || reads != 1 {
			t.Errorf("%s, %v, broadcast %s, %d reads", sequences(made), err, &sink, reads)
		}
		if _, err := j.Append(t.Context(), about(t, "a")); !errors.Is(err, cursor.ErrJournalFailed) || !errors.Is(err, failure) {
			t.Errorf("afterwards: %v, want ErrJournalFailed", err)
		}
		if err := alone.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if err := j.Close(t.Context()); err != j.Err() || sink.String() != "[]" {
			t.Errorf("Close() = %v, broadcast %s", err, &sink)
		}
	})
}

// TestOthersUnreadWhenForced: a Close that is forced while the journal tries to read what others appended: it is answered all the
// same.
func TestOthersUnreadWhenForced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sink heard
		log := newLog(t, memlog.Options{})
		j := cursor.NewJournal(wrapped{Log: log, read: func(_ context.Context, _ region.Region, from uint64, _ []core.Envelope) (int, uint64, error) {
			return 0, from, errors.New("no connection")
		}}, newFanout(t, &sink), cursor.JournalOptions{})
		synctest.Wait()
		add(t, log, "b")
		under := goAppend(t.Context(), j, about(t, "a"))
		ctx, leave := context.WithCancelCause(t.Context())
		leave(errLeft)
		if err := j.Close(ctx); err != errLeft {
			t.Errorf("Close() = %v", err)
		}
		synctest.Wait()
		if under.err != nil || sequences(under.made) != "[1]" || sink.String() != "[]" {
			t.Errorf("%v, %v, broadcast %s", under.made, under.err, &sink)
		}
	})
}
