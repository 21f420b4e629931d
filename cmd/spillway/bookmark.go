package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/checkpointfile"
	"github.com/spillwayhq/spillway/region"
)

// checkpointFolder is where follow --name keeps its places, in the log's folder: a log that is moved takes them along. disklog
// looks at its own files there and at nothing else.
const checkpointFolder = "checkpoints"

// savedEach is how many events are printed between two saves at most. Each save waits for the disk a few times.
const savedEach = 1024

// A bookmark is a place in a log that is kept under a name.
type bookmark struct {
	store cursor.Checkpoints
	owned cursor.Checkpoint
	path  string // of the store, for errors
}

// openBookmark makes the caller the owner of the name. Where nothing is stored under it, it begins at from.
func openBookmark(ctx context.Context, dir, name string, log cursor.Log, r region.Region, from cursor.Start) (*bookmark, error) {
	b := &bookmark{path: filepath.Join(dir, checkpointFolder)}
	store, err := checkpointfile.Open(b.path)
	if err != nil {
		return nil, err
	}
	b.store = store
	place := uint64(0)
	switch was, err := store.Load(ctx, name); {
	case errors.Is(err, cursor.ErrNoCheckpoint):
		c, err := cursor.Open(ctx, log, r, from)
		if err != nil {
			return nil, err
		}
		place = c.Place()
	case err != nil:
		return nil, b.failed(err)
	case was.Log == log.ID(): // claiming fences the owner: not before it is seen that there is something to read
		if _, err := cursor.Open(ctx, log, r, was.Start()); err != nil {
			return nil, b.failed(err)
		}
	}
	first := cursor.NewCheckpoint(name, log.ID(), r, place)
	first.Move(ctx, log, place)
	if b.owned, err = store.Claim(ctx, first); err != nil {
		return nil, b.failed(err)
	}
	return b, nil
}

// save stores that all below place was printed, also when ctx has ended: what was printed was.
func (b *bookmark) save(ctx context.Context, log cursor.Log, place uint64) error {
	ctx = context.WithoutCancel(ctx)
	next := b.owned
	next.Move(ctx, log, place)
	next.Attempts, next.Written = 0, uint64(time.Now().UnixMilli())
	if err := b.store.Save(ctx, next); err != nil {
		return b.failed(err)
	}
	b.owned = next
	return nil
}

func (b *bookmark) failed(err error) error { return fmt.Errorf("%s: %w", b.path, err) }

// each calls f for the events from the place on, at most limit of them unless it is 0, up to the log's end, and saves where it has come
// when flush has returned: what is printed twice after a crash is at most what was since the last save, and nothing is passed over.
func (b *bookmark) each(ctx context.Context, log cursor.Log, r region.Region, limit uint64, f func(*core.Envelope) error, flush func() error) error {
	c, err := cursor.Open(ctx, log, r, b.owned.Start())
	if err != nil {
		return err
	}
	dst := make([]core.Envelope, savedEach)
	for left := limit; ; {
		if limit > 0 {
			dst = dst[:min(left, uint64(len(dst)))]
		}
		n, err := c.Poll(ctx, dst) // of no room: nothing, as at the end
		if err != nil {
			return err
		}
		for i := range dst[:n] {
			if err := f(&dst[i]); err != nil {
				return err
			}
		}
		if err := flush(); err != nil {
			return err
		}
		if place := c.Place(); place != b.owned.Place {
			if err := b.save(ctx, log, place); err != nil {
				return err
			}
		}
		if left -= uint64(n); n == 0 {
			return nil
		}
	}
}
