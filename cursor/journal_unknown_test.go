package cursor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
)

// TestUnknownIsFoundOut: a group of which the log can't tell is appended again until it can, whether it was there or not, and is
// there, broadcast and answered once. What can't be asked is no answer, either.
func TestUnknownIsFoundOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sink heard
		log := newLog(t, memlog.Options{})
		n := 0
		doubtful := wrapped{Log: log, append: func(ctx context.Context, ds []cursor.Draft) ([]core.Envelope, error) {
			n++
			switch n % 4 {
			case 1: // nothing was appended
				return nil, &cursor.UnknownError{Err: errLeft}
			case 2: // it was
				if _, err := log.Append(ctx, ds); err != nil {
					t.Error(err)
				}
				return nil, &cursor.UnknownError{Err: errLeft}
			case 3:
				return nil, errors.New("no connection")
			}
			return log.Append(ctx, ds)
		}}
		j := cursor.NewJournal(doubtful, newFanout(t, &sink), cursor.JournalOptions{})
		for i := range 20 {
			made, err := j.Append(t.Context(), about(t, "a", "b"))
			if err != nil || sequences(made) != fmt.Sprint([]int{2 * i, 2*i + 1}) {
				t.Fatalf("%s, %v", sequences(made), err)
			}
		}
		if got := contents(t, log); len(got) != 40 || !sameEvents(got, sink.envelopes()) {
			t.Errorf("the log has %s, broadcast %s", sequences(got), &sink)
		}
		if s := j.Stats(); s.Retries != 60 || s.Appended != 40 || s.Repeats != 0 || s.Foreign != 0 {
			t.Errorf("%+v", s)
		}
		if err := j.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestUnknownBeyondTheWindow: once the log may not recognize a repeat, the group is given up, as unknown, and not appended
// again. Its events are broadcast before the next ones, if they are there.
func TestUnknownBeyondTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sink heard
		log := newLog(t, memlog.Options{})
		down := true
		var last time.Time
		begun := time.Now()
		remote := windowed{wrapped{Log: log, append: func(ctx context.Context, ds []cursor.Draft) ([]core.Envelope, error) {
			made, err := log.Append(ctx, ds)
			if down {
				last = time.Now()
				return nil, &cursor.UnknownError{Err: errLeft}
			}
			return made, err
		}}}
		j := cursor.NewJournal(remote, newFanout(t, &sink), cursor.JournalOptions{})
		if _, err := j.Append(t.Context(), about(t, "a")); !errors.Is(err, cursor.ErrUnknown) || errors.Is(err, cursor.ErrJournalFailed) {
			t.Errorf("%v, want ErrUnknown", err)
		}
		if at := last.Sub(begun); at > time.Minute || at < 20*time.Second {
			t.Errorf("asked for the last time after %v; repeats are recognized for a minute", at)
		}
		down = false
		if made, err := j.Append(t.Context(), about(t, "b")); err != nil || sequences(made) != "[1]" || sink.String() != "[0 1]" {
			t.Errorf("%s, %v, broadcast %s", sequences(made), err, &sink)
		}
		if s := j.Stats(); s.Unknown != 1 || s.Foreign != 1 {
			t.Errorf("%+v", s)
		}
		if err := j.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestUnknownBeyondWhatIsRecognized: nor is a group appended again where the log may not know its events any more, by count, since
// they were dropped, or for damage. While it is unknown that it was appended again is in the figures.
func TestUnknownBeyondWhatIsRecognized(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			limits  cursor.Limits
			options memlog.Options
			drafts  int
			others  int // that somebody appends in between
			again   int // how often it is tried
			then    error
		}{
			"few others":         {cursor.Limits{Repeats: 8}, memlog.Options{}, 2, 5, 3, nil},
			"many others":        {cursor.Limits{Repeats: 8}, memlog.Options{}, 2, 7, 1, nil},
			"more than it knows": {cursor.Limits{Repeats: 8}, memlog.Options{}, 9, 0, 1, nil},
			"dropped":            {cursor.Limits{}, memlog.Options{MaxEvents: 8}, 2, 7, 1, nil},
			"damaged":            {cursor.Limits{}, memlog.Options{}, 2, 0, 2, cursor.ErrCorrupt},
		} {
			log := newLog(t, c.options)
			calls := 0
			var retries []uint64
			var j *cursor.Journal
			j = cursor.NewJournal(limited{wrapped{Log: log, append: func(ctx context.Context, ds []cursor.Draft) ([]core.Envelope, error) {
				calls++
				retries = append(retries, j.Stats().Retries)
				made, err := log.Append(ctx, ds)
				for range c.others {
					add(t, log, "other")
				}
				c.others = 0
				if calls == 2 && c.then != nil {
					return nil, c.then
				}
				if calls < 3 {
					return nil, &cursor.UnknownError{Err: &cursor.LimitError{Limit: "requests"}}
				}
				return made, err
			}}, c.limits}, nil, cursor.JournalOptions{})
			synctest.Wait()
			made, err := j.Append(t.Context(), about(t, slices.Repeat([]string{"a"}, c.drafts)...))
			if known := c.again == 3; calls != c.again || known && err != nil || !known && !errors.Is(err, cursor.ErrUnknown) {
				t.Errorf("%s: asked %d times, want %d; %s, %v", name, calls, c.again, sequences(made), err)
			}
			for i, n := range retries {
				if n != uint64(i) {
					t.Errorf("%s: the figures say that it was appended %d times again; want %d", name, n, i)
				}
			}
			if err := j.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestUnknownIsNotHalved: a group that may be in the log is not tried in parts, though a limit is the reason.
func TestUnknownIsNotHalved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		j := cursor.NewJournal(limited{g.wrapped, cursor.Limits{RepeatsFor: time.Millisecond}}, nil, cursor.JournalOptions{})
		goAppend(t.Context(), j, about(t, "a"))
		outs := []*outcome{goAppend(t.Context(), j, about(t, "b")), goAppend(t.Context(), j, about(t, "c"))}
		g.let <- nil
		synctest.Wait()
		g.let <- &cursor.UnknownError{Err: &cursor.LimitError{Limit: "requests"}}
		synctest.Wait()
		for i, o := range outs {
			if !o.over || !errors.Is(o.err, cursor.ErrUnknown) {
				t.Errorf("batch %d: %v, %v", i, o.over, o.err)
			}
		}
		close(g.let)
		if err := j.Close(t.Context()); err != nil || g.calls != 2 {
			t.Errorf("%v; asked %d times, want 2", err, g.calls)
		}
	})
}

// A windowed is a Log that recognizes repeats for a minute.
type windowed struct{ wrapped }

func (w windowed) Limits() cursor.Limits {
	l := w.Log.Limits()
	l.RepeatsFor = time.Minute
	return l
}
