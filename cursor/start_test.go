package cursor_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// TestH112OneRuleForStarts: From is inclusive, After exclusive, at every place, and the errors have both sides.
func TestH112OneRuleForStarts(t *testing.T) {
	log := newLog(t, memlog.Options{})
	add(t, log, "a", "b", "c", "d", "e")
	if err := log.Compact(context.Background(), 2); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		start cursor.Start
		text  string
		want  string // what is read, or the error's text
	}{
		{cursor.Start{}, "from start", "[2 3 4]"},
		{cursor.FromStart(), "from start", "[2 3 4]"},
		{cursor.FromEnd(), "from end", "[]"},
		{cursor.From(0), "from 0", "open a cursor from 0: " + (&cursor.CompactedError{From: 0, First: 2}).Error()},
		{cursor.From(1), "from 1", "open a cursor from 1: " + (&cursor.CompactedError{From: 1, First: 2}).Error()},
		{cursor.From(2), "from 2", "[2 3 4]"},
		{cursor.From(5), "from 5", "[]"},
		{cursor.From(6), "from 6", "open a cursor from 6: " + (&cursor.BeyondError{From: 6, Next: 5}).Error()},
		{cursor.After(0), "after 0", "open a cursor after 0: " + (&cursor.CompactedError{From: 1, First: 2}).Error()},
		{cursor.After(1), "after 1", "[2 3 4]"},
		{cursor.After(2), "after 2", "[3 4]"},
		{cursor.After(4), "after 4", "[]"},
		{cursor.After(5), "after 5", "open a cursor after 5: " + (&cursor.BeyondError{From: 6, Next: 5}).Error()},
	} {
		if got := c.start.String(); got != c.text {
			t.Errorf("String() = %s, want %s", got, c.text)
		}
		var got string
		if cur, err := cursor.Open(context.Background(), log, region.Region{}, c.start); err != nil {
			got = err.Error()
		} else {
			got = poll(t, cur)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.text, got, c.want)
		}
	}
}

// TestH110BeyondTheEnd: a place that the log hasn't come to is an error, and no wait for it; nor does the greatest
// one wrap round to the beginning.
func TestH110BeyondTheEnd(t *testing.T) {
	log := newLog(t, memlog.Options{})
	add(t, log, "a", "b")
	for _, start := range []cursor.Start{cursor.From(3), cursor.After(2), cursor.From(math.MaxUint64), cursor.After(math.MaxUint64)} {
		_, err := cursor.Open(context.Background(), log, region.Region{}, start)
		if beyond, ok := errors.AsType[*cursor.BeyondError](err); !ok || beyond.Next != 2 {
			t.Errorf("%s: %v, want a BeyondError whose Next is 2", start, err)
		}
	}
}

// TestH111SequenceZero: an event at 0 is handed out once, whether the reader had no place, or its place was 0.
func TestH111SequenceZero(t *testing.T) {
	log := newLog(t, memlog.Options{})
	early := open(t, log, region.Region{}, cursor.FromEnd())
	empty := open(t, log, region.Region{}, cursor.From(0))
	add(t, log, "a", "b")
	for _, c := range []struct {
		name string
		cur  *cursor.Cursor
		want string
	}{
		{"from the end of an empty log", early, "[0 1]"},
		{"from 0 of an empty log", empty, "[0 1]"},
		{"from start", open(t, log, region.Region{}, cursor.FromStart()), "[0 1]"},
		{"from 0", open(t, log, region.Region{}, cursor.From(0)), "[0 1]"},
		{"after 0", open(t, log, region.Region{}, cursor.After(0)), "[1]"},
	} {
		if got := poll(t, c.cur); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if got := poll(t, c.cur); got != "[]" {
			t.Errorf("%s, again: %s, want none", c.name, got)
		}
	}
}

// TestOpenRefuses: what is wrong is said at once.
func TestOpenRefuses(t *testing.T) {
	log := newLog(t, memlog.Options{})
	if _, err := cursor.Open(context.Background(), log, region.Region{Entity: "a::b"}, cursor.FromStart()); !errors.Is(err, region.ErrSegment) {
		t.Errorf("a bad region: %v, want ErrSegment", err)
	}
	over, cancel := context.WithCancelCause(context.Background())
	cancel(errLeft)
	if _, err := cursor.Open(over, log, region.Region{}, cursor.FromStart()); !errors.Is(err, errLeft) {
		t.Errorf("a context that is over: %v, want its cause", err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := cursor.Open(context.Background(), log, region.Region{}, cursor.FromStart()); !errors.Is(err, cursor.ErrClosed) {
		t.Errorf("a closed log: %v, want ErrClosed", err)
	}
}

var errLeft = errors.New("the reader has left")

// TestLagWhereTheLogWent: a log that has lost its end has no lag of nearly 2^64; and retention is not counted by whoever asked
// for the oldest there is.
func TestLagWhereTheLogWent(t *testing.T) {
	log := newLog(t, memlog.Options{})
	add(t, log, "a", "b", "c")
	ctx := context.Background()
	oldest := open(t, log, region.Region{}, cursor.FromStart())
	if err := log.Compact(ctx, 2); err != nil {
		t.Fatal(err)
	}
	if lag, err := oldest.Lag(ctx); lag != 1 || err != nil {
		t.Errorf("FromStart, 1 of 3 left: Lag() = %d, %v; want 1", lag, err)
	}
	cut := &wrapped{Log: log}
	c := open(t, cut, region.Region{}, cursor.From(3))
	cut.bounds = func(context.Context) (cursor.Bounds, error) { return cursor.Bounds{Next: 2}, nil }
	if lag, err := c.Lag(ctx); lag != 0 || !errors.Is(err, cursor.ErrBeyond) {
		t.Errorf("beyond the end: Lag() = %d, %v; want ErrBeyond", lag, err)
	}
}

// TestFromStartDoesNotSpin: a log that calls its first event compacted is not asked for ever.
func TestFromStartDoesNotSpin(t *testing.T) {
	log := newLog(t, memlog.Options{})
	add(t, log, "a")
	stuck := wrapped{Log: log, read: func(_ context.Context, _ region.Region, from uint64, _ []core.Envelope) (int, uint64, error) {
		return 0, from, &cursor.CompactedError{From: from, First: from}
	}}
	if _, err := open(t, stuck, region.Region{}, cursor.FromStart()).Poll(context.Background(), make([]core.Envelope, 1)); !errors.Is(err, cursor.ErrCompacted) {
		t.Errorf("got %v, want ErrCompacted", err)
	}
}
