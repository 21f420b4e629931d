package memlog

import (
	"context"
	"slices"
	"sync"

	"github.com/spillwayhq/spillway/cursor"
)

// Checkpoints keeps Checkpoints in memory, which is where the Log is. It is made by NewCheckpoints.
type Checkpoints struct {
	mu     sync.Mutex
	stored map[string]cursor.Checkpoint
}

var _ cursor.Checkpoints = (*Checkpoints)(nil)

// NewCheckpoints returns an empty store.
func NewCheckpoints() *Checkpoints {
	return &Checkpoints{stored: make(map[string]cursor.Checkpoint)}
}

// Load implements cursor.Checkpoints.
func (s *Checkpoints) Load(ctx context.Context, name string) (cursor.Checkpoint, error) {
	if err := check(ctx, name); err != nil {
		return cursor.Checkpoint{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.stored[name]
	if !ok {
		return cursor.Checkpoint{}, cursor.ErrNoCheckpoint
	}
	return copied(c), nil
}

// Claim implements cursor.Checkpoints.
func (s *Checkpoints) Claim(ctx context.Context, c cursor.Checkpoint) (cursor.Checkpoint, error) {
	if err := check(ctx, c.Name); err != nil {
		return cursor.Checkpoint{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stored, ok := s.stored[c.Name]
	if !ok {
		stored = copied(c)
		stored.Epoch, stored.Generation = 0, 0
	}
	claimed, err := stored.Claimed(&c)
	if err != nil {
		return cursor.Checkpoint{}, err
	}
	claimed.Generation++
	s.stored[c.Name] = claimed
	return copied(claimed), nil
}

// Save implements cursor.Checkpoints.
func (s *Checkpoints) Save(ctx context.Context, c cursor.Checkpoint) error {
	if err := check(ctx, c.Name); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stored, ok := s.stored[c.Name]
	if !ok {
		return cursor.ErrNoCheckpoint
	}
	if err := stored.Saved(&c); err != nil {
		return err
	}
	c.Generation = stored.Generation + 1
	s.stored[c.Name] = copied(c)
	return nil
}

func check(ctx context.Context, name string) error {
	if err := cursor.CheckName(name); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// copied returns c as it is stored, and with a State of its own.
func copied(c cursor.Checkpoint) cursor.Checkpoint {
	c.State, c.Damaged = slices.Clone(c.State), false
	return c
}
