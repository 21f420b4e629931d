package disklog

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spillwayhq/spillway/cursor"
)

// Checkpoints returns the store of Checkpoints that is in the Log's own files. It is the Log's for as long as that is open, and every
// call returns the same one. Retention leaves it alone.
//
// What a Claim or a Save has answered with nil is on the disk, whatever Options.Sync says, and so is all that was appended before: a
// place is never ahead of what a power cut leaves of the Log. Two generations are kept, as docs/formats/disklog.md says: where one can't be
// read the other is used, and Checkpoint.Damaged says so. Where neither can it is a *cursor.CorruptCheckpointError that holds a
// *CorruptError, for that name alone. That one was lost, or went back to what it was, is found out by Open.
//
// A write that fails is final, as an Append's is: it and all later ones of the Log are a *FailedError, and Load answers with what
// was stored before. A Checkpoint of more than 64 MiB is a *cursor.LimitError.
func (l *Log) Checkpoints() cursor.Checkpoints { return checkpoints{l} }

// A checkpoints is a store in a Log.
type checkpoints struct{ log *Log }

const maxCheckpoint = maxBatchBytes

// begin takes the turn, so that nobody looks at what isn't durable yet, nor at one generation of before and one of after.
func (s checkpoints) begin(ctx context.Context, name string) error {
	if err := cursor.CheckName(name); err != nil {
		return err
	}
	return s.log.take(ctx)
}

// Load implements cursor.Checkpoints.
func (s checkpoints) Load(ctx context.Context, name string) (cursor.Checkpoint, error) {
	if err := s.begin(ctx, name); err != nil {
		return cursor.Checkpoint{}, err
	}
	defer s.log.give()
	if u := s.log.w.saves.unsure; u != nil && u.name == name { // the engine shows what may not be on the disk
		c := u.stored
		c.State = slices.Clone(c.State)
		return c, u.err
	}
	return s.load(name)
}

// Claim implements cursor.Checkpoints. The new epoch is in both generations before anybody owns it: whichever is lost later, the
// other one fences who came before.
func (s checkpoints) Claim(ctx context.Context, c cursor.Checkpoint) (cursor.Checkpoint, error) {
	claimed, err := s.change(ctx, c.Name, 2, func(stored *cursor.Checkpoint, none bool) (cursor.Checkpoint, error) {
		if none {
			*stored = c
			stored.Epoch, stored.Generation, stored.Damaged = 0, 0, false
		}
		return stored.Claimed(&c)
	})
	if err != nil {
		return cursor.Checkpoint{}, err
	}
	claimed.State = slices.Clone(claimed.State)
	return claimed, nil
}

// Save implements cursor.Checkpoints.
func (s checkpoints) Save(ctx context.Context, c cursor.Checkpoint) error {
	_, err := s.change(ctx, c.Name, 1, func(stored *cursor.Checkpoint, none bool) (cursor.Checkpoint, error) {
		if none {
			return c, cursor.ErrNoCheckpoint
		}
		return c, stored.Saved(&c)
	})
	return err
}

// change has what to makes of the stored Checkpoint be the next generation, or the next two.
func (s checkpoints) change(
	ctx context.Context, name string, times int, to func(stored *cursor.Checkpoint, none bool) (cursor.Checkpoint, error),
) (next cursor.Checkpoint, err error) {
	if err := s.begin(ctx, name); err != nil {
		return next, err
	}
	defer s.log.give()
	if err := s.log.writable(); err != nil {
		return next, err
	}
	was := unsure{name: name}
	was.stored, was.err = s.load(name)
	none := errors.Is(was.err, cursor.ErrNoCheckpoint)
	if was.err != nil && !none {
		return next, was.err
	}
	stored := was.stored
	if next, err = to(&stored, none); err != nil {
		return next, err
	}
	newest := was.stored.Generation
	if was.stored.Damaged { // since the Log was opened, or before: it may be another one that is newer
		there, err := s.log.recount(name)
		if err != nil {
			return next, err
		}
		newest = max(newest, there)
	}
	err = s.write(&next, &was, newest, times)
	return next, err
}

// write makes c durable, as one generation or two above the newest there is: in place of the older one, or of the one that can't be read.
func (s checkpoints) write(c *cursor.Checkpoint, was *unsure, newest uint64, times int) error {
	l, n := s.log, &s.log.w.saves
	others := n.generations - newest
	c.Generation = newest
	if c.Generation%2 != was.stored.Generation%2 {
		c.Generation++
	}
	b := l.db.NewBatch()
	for range times {
		c.Generation++
		key, value, err := savedRow(l.id, others+c.Generation, c)
		if err == nil && len(value) > maxCheckpoint {
			err = &cursor.LimitError{Limit: "bytes of a checkpoint", Got: uint64(len(value)), Most: maxCheckpoint}
		}
		if err != nil {
			return errors.Join(err, b.Close())
		}
		_ = b.Set(key, value, nil) // of a batch, it cannot fail
	}
	if err := l.commit(b, true); err != nil {
		n.unsure = was
		return err
	}
	n.generations = others + c.Generation
	// All that was appended before is durable now, too.
	l.anchor.saves = n.generations
	l.anchor.write(l.s.bounds.Next, l.w.sum)
	if err := l.gate.err(); err != nil {
		n.unsure = was
		return err
	}
	return nil
}

// load returns the newer of the generations that can be read.
func (s checkpoints) load(name string) (newest cursor.Checkpoint, err error) {
	found, whole := false, 0
	var bad []error
	for bit := range byte(2) {
		var c cursor.Checkpoint
		key := savedKey(bit, name)
		err := s.log.row(key, placeOfSaved(key), func(body []byte) (err error) {
			c, _, err = readSaved(key, body)
			return err
		})
		switch {
		case isNotFound(err):
		case isLater(err): // it is whole, and may be the newer: not to be passed over
			return cursor.Checkpoint{}, &cursor.CorruptCheckpointError{Name: name, Err: err}
		case errors.Is(err, cursor.ErrCorrupt):
			bad = append(bad, err)
		case err != nil: // it may be there and well: nothing is known
			return cursor.Checkpoint{}, fmt.Errorf("checkpoint %q: %w", name, err)
		default:
			whole++
			if !found || c.Generation > newest.Generation {
				newest, found = c, true
			}
		}
	}
	switch {
	case !found && len(bad) > 0:
		return cursor.Checkpoint{}, &cursor.CorruptCheckpointError{Name: name, Err: errors.Join(bad...)}
	case !found:
		return cursor.Checkpoint{}, cursor.ErrNoCheckpoint
	}
	newest.Damaged = whole < 2 // the first claim has made two
	return newest, nil
}
