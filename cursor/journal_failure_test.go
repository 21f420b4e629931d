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

var errSync = fmt.Errorf("%w: sync: input/output error", cursor.ErrFailed)

// TestH139FailedSyncIsFinal: the outcome of the group is unknown, and said to be, to each of it; who is queued, or comes later, knows
// that nothing was appended; all know why. Nothing of it is broadcast. The log is not asked again.
func TestH139FailedSyncIsFinal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, failure := range map[string]error{
			"a sync failed":      &cursor.UnknownError{Err: errSync},
			"the log had failed": errSync,
			"the log is closed":  cursor.ErrClosed,
		} {
			var sink heard
			g := newGate(t)
			f := newFanout(t, &sink)
			j := cursor.NewJournal(g, f, cursor.JournalOptions{})
			first := goAppend(t.Context(), j, about(t, "a"))
			g.let <- nil
			group := []*outcome{goAppend(t.Context(), j, about(t, "b"))}
			g.let <- errors.New("not this time") // an error that passes is its group's alone
			synctest.Wait()
			if passing := group[0]; first.err != nil || passing.err == nil || errors.Is(passing.err, cursor.ErrJournalFailed) || j.Err() != nil {
				t.Fatalf("%v, %v, %v", first.err, passing.err, j.Err())
			}
			blocker := goAppend(t.Context(), j, about(t, "c"))
			group = []*outcome{goAppend(t.Context(), j, about(t, "d")), goAppend(t.Context(), j, about(t, "e"))}
			g.let <- nil
			synctest.Wait()
			queued := []*outcome{goAppend(t.Context(), j, about(t, "f"))}
			future, err := j.AppendAsync(t.Context(), about(t, "g"))
			if err != nil || blocker.err != nil {
				t.Fatal(err, blocker.err)
			}
			calls := g.calls
			g.let <- failure
			synctest.Wait()
			queued = append(queued, goAppend(t.Context(), j, about(t, "h")))
			made, err := future.Wait(t.Context())
			queued = append(queued, &outcome{true, made, err})
			unknown := errors.Is(failure, cursor.ErrUnknown)
			for i, o := range append(group, queued...) {
				if !o.over || o.made != nil || !errors.Is(o.err, cursor.ErrJournalFailed) || errors.Is(o.err, cursor.ErrFailed) != errors.Is(failure, cursor.ErrFailed) {
					t.Errorf("%s: batch %d: %v, %v", name, i, o.over, o.err)
				}
				if errors.Is(o.err, cursor.ErrUnknown) != (unknown && i < len(group)) {
					t.Errorf("%s: batch %d: %v; unknown is what those of the group are", name, i, o.err)
				}
			}
			if sink.String() != "[0 1]" || g.calls != calls || !errors.Is(j.Err(), cursor.ErrJournalFailed) {
				t.Errorf("%s: broadcast %s, %d calls more, Err() = %v", name, &sink, g.calls-calls, j.Err())
			}
			if err := j.Close(t.Context()); err != j.Err() {
				t.Errorf("%s: Close() = %v, want Err's", name, err)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestH146ContextEnds: queued, a batch is taken out, and nothing of it is appended; in mid-batch its outcome is unknown to its
// appender, and it stands all the same.
func TestH146ContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sink heard
		g := newGate(t)
		j := cursor.NewJournal(g, newFanout(t, &sink), cursor.JournalOptions{})
		ctx, leave := context.WithCancelCause(t.Context())
		under := goAppend(ctx, j, about(t, "a"))
		queued := goAppend(ctx, j, about(t, "b"))
		stays := goAppend(t.Context(), j, about(t, "c"))
		future, err := j.AppendAsync(ctx, about(t, "d"))
		if err != nil {
			t.Fatal(err)
		}
		leave(errLeft)
		synctest.Wait()
		if unknown, ok := errors.AsType[*cursor.UnknownError](under.err); !ok || unknown.Err != errLeft {
			t.Errorf("in mid-batch: %v, want an UnknownError with the cause", under.err)
		}
		if queued.err != errLeft {
			t.Errorf("queued: %v, want the cause alone", queued.err)
		}
		if _, err := future.Wait(t.Context()); err != errLeft {
			t.Errorf("queued, not waiting: %v, want the cause alone", err)
		}
		if late := goAppend(ctx, j, about(t, "e")); late.err != errLeft {
			t.Errorf("over before: %v, want the cause alone", late.err)
		}
		if _, err := j.AppendAsync(ctx, about(t, "e")); err != errLeft {
			t.Errorf("over before, not waiting: %v, want the cause alone", err)
		}
		if s := j.Stats(); s.Queued != 1 || s.QueuedEvents != 1 {
			t.Errorf("%+v", s)
		}
		close(g.let)
		synctest.Wait()
		if err := j.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if got := contents(t, g); stays.err != nil || len(got) != 2 || got[0].Coordinate != coordinate(t, "a") || !sameEvents(got, sink.envelopes()) {
			t.Errorf("the log has %v, broadcast %s, %v", got, &sink, stays.err)
		}
	})
}

// TestOthersAppend: what others append is broadcast in its place, though the log is read page by page, and fails at times.
func TestOthersAppend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sink heard
		log := newLog(t, memlog.Options{})
		add(t, log, "before", "before")
		reads := 0
		flaky := wrapped{Log: log, read: func(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (int, uint64, error) {
			switch reads++; reads % 3 {
			case 0:
				return 0, from, errors.New("no connection")
			case 1:
				return 0, from, nil // a node that is behind
			}
			return log.Read(ctx, r, from, dst[:min(len(dst), 2)])
		}}
		j := cursor.NewJournal(flaky, newFanout(t, &sink), cursor.JournalOptions{})
		synctest.Wait()
		x := about(t, "x")
		x[0].EventID = cursor.NewID()
		for range 3 {
			add(t, log, "b", "c", "d")
			if _, err := log.Append(t.Context(), x); err != nil {
				t.Fatal(err)
			}
			if _, err := j.Append(t.Context(), append(about(t, "a"), x...)); err != nil {
				t.Fatal(err)
			}
		}
		if got := contents(t, log)[2:]; len(got) != 13 || !sameEvents(got, sink.envelopes()) {
			t.Errorf("the log has %s, broadcast %s", sequences(got), &sink)
		}
		if s := j.Stats(); s.Foreign != 10 || s.Appended != 3 || s.Repeats != 3 || s.Skipped != 0 {
			t.Errorf("%+v", s)
		}
		add(t, log, "b", "c", "d")
		if err := log.Compact(t.Context(), 17); err != nil {
			t.Fatal(err)
		}
		if made, err := j.Append(t.Context(), about(t, "a")); err != nil || sequences(made) != "[18]" {
			t.Errorf("%s, %v", sequences(made), err)
		}
		if got := sink.envelopes(); sequences(got[13:]) != "[17 18]" || j.Stats().Skipped != 2 || j.Stats().Foreign != 13 {
			t.Errorf("compacted: broadcast %s, %+v", sequences(got), j.Stats())
		}
		if err := j.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestRepeatsAreAnswered: and not broadcast again, whatever group they are in.
func TestRepeatsAreAnswered(t *testing.T) {
	var sink heard
	j := newJournal(t, newLog(t, memlog.Options{}), newFanout(t, &sink), cursor.JournalOptions{})
	ds := about(t, "a", "b", "c")
	for i := range ds {
		ds[i].EventID = cursor.NewID()
	}
	for _, c := range []struct {
		ds   []cursor.Draft
		want string
	}{
		{ds[1:2], "[0]"},
		{ds[:2], "[1 0]"},
		{[]cursor.Draft{ds[2], ds[2], ds[0]}, "[2 2 1]"},
		{ds, "[1 0 2]"},
		{nil, "[]"},
	} {
		if made, err := j.Append(context.Background(), c.ds); err != nil || sequences(made) != c.want {
			t.Errorf("%s, %v; want %s", sequences(made), err, c.want)
		}
	}
	if s := j.Stats(); sink.String() != "[0 1 2]" || s.Appended != 3 || s.Repeats != 6 {
		t.Errorf("broadcast %s, %+v", &sink, s)
	}
}

// TestBoundsFail: who appends is told, and the next one is not.
func TestBoundsFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sink heard
		log := newLog(t, memlog.Options{})
		add(t, log, "a")
		down := errors.New("no connection")
		asked := 0
		j := cursor.NewJournal(wrapped{Log: log, bounds: func(ctx context.Context) (cursor.Bounds, error) {
			if asked++; asked <= 2 {
				return cursor.Bounds{}, down
			}
			return log.Bounds(ctx)
		}}, newFanout(t, &sink), cursor.JournalOptions{})
		synctest.Wait()
		if _, err := j.Append(t.Context(), about(t, "b")); asked != 2 || !errors.Is(err, down) {
			t.Errorf("asked %d times, %v", asked, err)
		}
		if made, err := j.Append(t.Context(), about(t, "b")); err != nil || sequences(made) != "[1]" || sink.String() != "[1]" {
			t.Errorf("%s, %v, broadcast %s", sequences(made), err, &sink)
		}
		if err := j.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestSharedFanout: somebody broadcasts on a fan-out of one writer from inside the Journal's broadcast: not everybody gets the Journal's event,
// so that the Journal has failed, and says why.
func TestSharedFanout(t *testing.T) {
	var f *core.Fanout[core.Envelope]
	var after heard
	sink := heard{then: func(e core.Envelope) { f.Broadcast(e) }}
	f = newFanout(t, &sink, &after)
	j := newJournal(t, newLog(t, memlog.Options{}), f, cursor.JournalOptions{})
	if made, err := j.Append(context.Background(), about(t, "a", "b")); err != nil || sequences(made) != "[0 1]" {
		t.Errorf("%s, %v; want what is in the log", sequences(made), err)
	}
	_, err := j.Append(context.Background(), about(t, "c"))
	misuse, ok := errors.AsType[*core.MisuseError](err)
	if !ok || !errors.Is(err, cursor.ErrJournalFailed) || errors.Is(err, cursor.ErrUnknown) || j.Err() == nil {
		t.Errorf("afterwards: %v, want ErrJournalFailed with a MisuseError, %v", err, misuse)
	}
	if after.String() != "[]" || j.Stats().Panics != 0 {
		t.Errorf("broadcast %s, %+v", &after, j.Stats())
	}
}

// TestUserCodeBreaks: a Locate that panics, and a sink that ends the goroutine: the events are answered, the others broadcast.
func TestUserCodeBreaks(t *testing.T) {
	var sink heard
	f := core.New(core.Config[core.Envelope]{SingleWriter: true, Locate: func(e core.Envelope) region.Point {
		if e.Coordinate.Entity() == "bad" {
			panic("cannot be located")
		}
		return e.Point()
	}})
	defer func() { _ = f.Close() }()
	ends := heard{then: func(e core.Envelope) {
		if e.Coordinate.Entity() == "end" {
			runtime.Goexit()
		}
	}}
	for _, s := range []*heard{&sink, &ends} {
		if _, err := f.Subscribe(context.Background(), region.Region{Scope: "shop"}, s); err != nil {
			t.Fatal(err)
		}
	}
	j := newJournal(t, newLog(t, memlog.Options{}), f, cursor.JournalOptions{})
	for range 3 {
		made, err := j.Append(context.Background(), about(t, "a", "bad", "b", "end", "c"))
		if err != nil || len(made) != 5 {
			t.Fatal(made, err)
		}
	}
	if s := j.Stats(); sink.String() != "[0 2 3 4 5 7 8 9 10 12 13 14]" || s.Panics != 3 || s.Appended != 15 {
		t.Errorf("broadcast %s, %+v", &sink, s)
	}
}
