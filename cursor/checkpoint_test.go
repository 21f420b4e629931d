package cursor_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// TestFromCheckpoint: a Cursor begins at what is saved, and where nothing is, where it is told: 0 is a place like any other.
func TestFromCheckpoint(t *testing.T) {
	ctx := context.Background()
	log := newLog(t, memlog.Options{})
	add(t, log, "alice", "bob", "alice", "alice")
	alice := region.Region{Entity: "alice"}
	store := memlog.NewCheckpoints()
	for _, c := range []struct {
		or   cursor.Start
		want string
	}{
		{cursor.FromStart(), "[0 2 3]"},
		{cursor.FromEnd(), "[]"},
		{cursor.FromCheckpoint(store, "nobody", cursor.After(2)), "[3]"},
	} {
		if got := poll(t, open(t, log, alice, cursor.FromCheckpoint(store, "reader", c.or))); got != c.want {
			t.Errorf("none saved, or %s: %s, want %s", c.or, got, c.want)
		}
	}
	saved, err := store.Claim(ctx, cursor.NewCheckpoint("reader", log.ID(), alice, 0))
	if err != nil {
		t.Fatal(err)
	}
	for place, want := range []string{"[0 2 3]", "[2 3]", "[2 3]", "[3]", "[]"} {
		saved.Place = uint64(place)
		if err := store.Save(ctx, saved); err != nil {
			t.Fatal(err)
		}
		if got := poll(t, open(t, log, alice, cursor.FromCheckpoint(store, "reader", cursor.FromEnd()))); got != want {
			t.Errorf("saved at %d: %s, want %s", place, got, want)
		}
	}
	if got, want := fmt.Sprint(cursor.FromCheckpoint(store, "reader", cursor.FromEnd())), `from checkpoint "reader"`; got != want {
		t.Errorf("String() = %s, want %s", got, want)
	}
}

// A brokenStore loads nothing.
type brokenStore struct{ cursor.Checkpoints }

var errBroken = errors.New("the store is broken")

func (brokenStore) Load(context.Context, string) (cursor.Checkpoint, error) {
	return cursor.Checkpoint{}, errBroken
}

// TestH109BoundToLogAndRegion: a place of another log or region, or beyond the end, is refused, and what cannot be read is no
// reason to begin anew.
func TestH109BoundToLogAndRegion(t *testing.T) {
	ctx := context.Background()
	log, other := newLog(t, memlog.Options{}), newLog(t, memlog.Options{})
	add(t, log, "alice")
	add(t, other, "alice")
	alice, bob := region.Region{Entity: "alice"}, region.Region{Entity: "bob"}
	store := memlog.NewCheckpoints()
	c, err := store.Claim(ctx, cursor.NewCheckpoint("reader", log.ID(), alice, 1))
	if err != nil {
		t.Fatal(err)
	}
	from := cursor.FromCheckpoint(store, "reader", cursor.FromStart())
	for _, m := range []struct {
		log  cursor.Log
		r    region.Region
		what string
	}{{other, alice, "log"}, {log, bob, "region"}, {log, region.Region{}, "region"}} {
		_, err := cursor.Open(ctx, m.log, m.r, from)
		if got, ok := errors.AsType[*cursor.MismatchError](err); !ok || got.What != m.what || !errors.Is(err, cursor.ErrMismatch) {
			t.Errorf("another %s: %v", m.what, err)
		}
	}
	c.Place = 2
	if err := store.Save(ctx, c); err != nil {
		t.Fatal(err)
	}
	if _, err := cursor.Open(ctx, log, alice, from); !errors.Is(err, cursor.ErrBeyond) {
		t.Errorf("beyond the end: %v", err)
	}
	if _, err := cursor.Open(ctx, log, alice, cursor.FromCheckpoint(brokenStore{}, "reader", cursor.FromStart())); !errors.Is(err, errBroken) {
		t.Errorf("a broken store: %v", err)
	}
}

// TestCheckpointErrors: each is its sentinel, and says both sides.
func TestCheckpointErrors(t *testing.T) {
	for _, c := range []struct {
		err  error
		is   error
		text string
	}{
		{
			&cursor.MismatchError{Name: "w", What: "part", Want: "1 of 3", Got: "1 of 2"}, cursor.ErrMismatch,
			`spillway/cursor: checkpoint "w" is bound to the part "1 of 2"; "1 of 3" was asked for`,
		},
		{
			&cursor.FencedError{Name: "w", Epoch: 2, Owner: 3}, cursor.ErrFenced,
			`spillway/cursor: checkpoint "w" is owned by epoch 3; this is epoch 2`,
		},
		{
			&cursor.CorruptCheckpointError{Name: "w", Err: errBroken}, cursor.ErrCorruptCheckpoint,
			`spillway/cursor: checkpoint "w" is corrupt: the store is broken`,
		},
		{
			&cursor.PoisonError{Worker: "w", Event: core.Envelope{Notification: core.Notification{Sequence: 7}}, Attempts: 3, Err: errBroken}, cursor.ErrPoison,
			`spillway/cursor: worker "w" can't handle the event at sequence 7, after 3 attempts: the store is broken`,
		},
	} {
		if got := c.err.Error(); got != c.text {
			t.Errorf("%T says\n%s; want\n%s", c.err, got, c.text)
		}
		for _, s := range []error{cursor.ErrMismatch, cursor.ErrFenced, cursor.ErrCorruptCheckpoint, cursor.ErrNoCheckpoint, cursor.ErrPoison} {
			if got, want := errors.Is(c.err, s), s == c.is; got != want {
				t.Errorf("%T is %v: %v, want %v", c.err, s, got, want)
			}
		}
	}
	if !errors.Is(&cursor.CorruptCheckpointError{Err: errBroken}, errBroken) {
		t.Error("a CorruptCheckpointError hides its reason")
	}
}
