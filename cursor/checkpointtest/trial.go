package checkpointtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// A trial is a store that is being checked.
type trial struct {
	Subject
	ctx context.Context
}

var (
	log   = cursor.LogID{1, 15: 2}
	alice = region.Region{Entity: "alice"}
)

// fresh returns a Checkpoint as a worker claims it that finds none.
func fresh(name string) cursor.Checkpoint { return cursor.NewCheckpoint(name, log, alice, 7) }

// claim claims a name for what is fresh.
func (t *trial) claim(name string) (cursor.Checkpoint, error) {
	c, err := t.Checkpoints.Claim(t.ctx, fresh(name))
	if err != nil {
		return c, fmt.Errorf("claiming %q: %w", name, err)
	}
	return c, nil
}

// save saves c, which must succeed.
func (t *trial) save(c cursor.Checkpoint) error {
	if err := t.Checkpoints.Save(t.ctx, c); err != nil {
		return fmt.Errorf("saving %q at %d by epoch %d: %w", c.Name, c.Place, c.Epoch, err)
	}
	return nil
}

// holds looks whether want is what is stored.
func (t *trial) holds(want cursor.Checkpoint) error { return t.heldBy(t.Checkpoints, want) }

func (t *trial) heldBy(store cursor.Checkpoints, want cursor.Checkpoint) error {
	got, err := store.Load(t.ctx, want.Name)
	if err != nil {
		return fmt.Errorf("loading %q: %w", want.Name, err)
	}
	return same(got, want)
}

// same compares two Checkpoints in all but the Generation, which is the store's own.
func same(got, want cursor.Checkpoint) error {
	equal := got.Bound(&want) == nil && got.Epoch == want.Epoch && got.Place == want.Place && got.Attempts == want.Attempts &&
		bytes.Equal(got.State, want.State) && got.Written == want.Written &&
		got.LastSequence == want.LastSequence && got.LastID == want.LastID && got.Damaged == want.Damaged
	if !equal {
		return fmt.Errorf("got %+v; want %+v", got, want)
	}
	return nil
}

// none looks whether nothing is stored under a name.
func (t *trial) none(name string) error {
	if c, err := t.Checkpoints.Load(t.ctx, name); !errors.Is(err, cursor.ErrNoCheckpoint) {
		return fmt.Errorf("loading %q, which nobody claimed: %+v, %w", name, c, orNil(err))
	}
	return nil
}

var errNone = errors.New("no error")

// orNil is err for where it is wrapped.
func orNil(err error) error {
	if err == nil {
		return errNone
	}
	return err
}

// fenced looks whether err says that epoch is fenced by owner.
func fenced(err error, name string, epoch, owner uint64) error {
	got, ok := errors.AsType[*cursor.FencedError](err)
	if want := (cursor.FencedError{Name: name, Epoch: epoch, Owner: owner}); !ok || *got != want {
		return fmt.Errorf("got %w; want %s", orNil(err), want.Error())
	}
	return nil
}

// mismatched looks whether err says what differs, and both sides of it.
func mismatched(err error, want cursor.MismatchError) error {
	got, ok := errors.AsType[*cursor.MismatchError](err)
	if !ok || *got != want {
		return fmt.Errorf("got %w; want %s", orNil(err), want.Error())
	}
	return nil
}
