package cursor_test

import (
	"context"
	"errors"
	"testing"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// TestErrors: each typed error is its sentinel, and that of nobody else, and says both sides.
func TestErrors(t *testing.T) {
	sentinels := []error{
		cursor.ErrConflict, cursor.ErrDuplicate, cursor.ErrLimit, cursor.ErrNoCoordinate, cursor.ErrUnknown,
		cursor.ErrCompacted, cursor.ErrBeyond, cursor.ErrClosed,
	}
	alice := coordinate(t, "alice")
	for _, c := range []struct {
		err  error
		is   error
		text string
	}{
		{
			&cursor.DraftError{Index: 3, Err: &cursor.ConflictError{Coordinate: alice, Expected: 2, Actual: 5}}, cursor.ErrConflict,
			"spillway/cursor: draft 3 of the batch: spillway/cursor: the clock of alice@shop is 5; 2 was expected",
		},
		{
			&cursor.DuplicateError{EventID: [16]byte{0xab}, Sequence: 9}, cursor.ErrDuplicate,
			"spillway/cursor: event id ab000000000000000000000000000000 is that of another event, at sequence 9",
		},
		{
			&cursor.LimitError{Limit: "drafts in a batch", Got: 11, Most: 10}, cursor.ErrLimit,
			"spillway/cursor: 11 drafts in a batch; the log takes 10 at most",
		},
		{
			&cursor.UnknownError{Err: context.Canceled}, cursor.ErrUnknown,
			"spillway/cursor: it is not known whether the batch was appended; append it again under the same event ids: context canceled",
		},
		{
			&cursor.CompactedError{From: 3, First: 7}, cursor.ErrCompacted,
			"spillway/cursor: sequence 3 is compacted; the first that is kept is 7",
		},
		{
			&cursor.BeyondError{From: 9, Next: 7}, cursor.ErrBeyond,
			"spillway/cursor: sequence 9 is beyond the end of the log, whose next is 7",
		},
	} {
		if got := c.err.Error(); got != c.text {
			t.Errorf("%T says\n%s; want\n%s", c.err, got, c.text)
		}
		for _, s := range sentinels {
			if got, want := errors.Is(c.err, s), s == c.is; got != want {
				t.Errorf("%T is %v: %v, want %v", c.err, s, got, want)
			}
		}
	}
	if err := (&cursor.UnknownError{Err: context.Canceled}); !errors.Is(err, context.Canceled) {
		t.Error("an UnknownError hides its reason")
	}
}

func TestExpect(t *testing.T) {
	for _, c := range []struct {
		expect cursor.Expect
		met    [3]bool // by the clocks 0, 1 and 2
		text   string
	}{
		{cursor.Expect{}, [3]bool{true, true, true}, "any"},
		{cursor.ExpectClock(0), [3]bool{true, false, false}, "0"},
		{cursor.ExpectClock(2), [3]bool{false, false, true}, "2"},
	} {
		for n, want := range c.met {
			if got := c.expect.Met(uint32(n)); got != want {
				t.Errorf("Expect %s met by %d: %v, want %v", c.text, n, got, want)
			}
		}
		if got := c.expect.String(); got != c.text {
			t.Errorf("String() = %s, want %s", got, c.text)
		}
	}
}

// TestLimitsCheck: a batch at its limits passes, one over any of them doesn't, and the Draft to blame is named.
func TestLimitsCheck(t *testing.T) {
	l := cursor.Limits{Batch: 3, BatchBytes: 10, Payload: 6}
	alice := coordinate(t, "alice")
	of := func(sizes ...int) (ds []cursor.Draft) {
		for _, n := range sizes {
			ds = append(ds, cursor.Draft{Coordinate: alice, Payload: make([]byte, n)})
		}
		return ds
	}
	nameless := of(1, 1)
	nameless[1].Coordinate = region.Coordinate{}
	for _, c := range []struct {
		name  string
		ds    []cursor.Draft
		is    error
		index int // of a DraftError; -1: none
	}{
		{"at the limits", of(6, 4, 0), nil, -1},
		{"nothing", nil, nil, -1},
		{"a draft too many", of(1, 1, 1, 1), cursor.ErrLimit, -1},
		{"a byte too many", of(6, 5), cursor.ErrLimit, -1},
		{"a payload too large", of(1, 7), cursor.ErrLimit, 1},
		{"no coordinate", nameless, cursor.ErrNoCoordinate, 1},
	} {
		err := l.Check(c.ds)
		index := -1
		if draft, ok := errors.AsType[*cursor.DraftError](err); ok {
			index = draft.Index
		}
		if !errors.Is(err, c.is) || index != c.index {
			t.Errorf("%s: %v, want %v of draft %d", c.name, err, c.is, c.index)
		}
	}
	if err := (cursor.Limits{}).Check(of(1_000_000, 1_000_000)); err != nil {
		t.Errorf("without limits: %v", err)
	}
	if got := cursor.TotalOrder.String() + ", " + cursor.OrderPerNode.String() + ", " + cursor.ClockOrder(9).String(); got != "total, per node, unknown" {
		t.Errorf("clock orders are %s", got)
	}
}
