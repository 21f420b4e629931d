package checkpointtest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/checkpointtest"
	"github.com/spillwayhq/spillway/cursor/memlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An honest is a memory that can be damaged, and seen by others.
type honest struct {
	*memlog.Checkpoints
	mu      sync.Mutex
	damaged map[string]bool
}

func newHonest() *honest {
	return &honest{Checkpoints: memlog.NewCheckpoints(), damaged: make(map[string]bool)}
}

func (h *honest) whole(name string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.damaged[name] {
		return &cursor.CorruptCheckpointError{Name: name, Err: errors.New("damaged")}
	}
	return nil
}

func (h *honest) Load(ctx context.Context, name string) (cursor.Checkpoint, error) {
	if err := h.whole(name); err != nil {
		return cursor.Checkpoint{}, err
	}
	return h.Checkpoints.Load(ctx, name)
}

func (h *honest) Claim(ctx context.Context, c cursor.Checkpoint) (cursor.Checkpoint, error) {
	if err := h.whole(c.Name); err != nil {
		return cursor.Checkpoint{}, err
	}
	return h.Checkpoints.Claim(ctx, c)
}

func (h *honest) Save(ctx context.Context, c cursor.Checkpoint) error {
	if err := h.whole(c.Name); err != nil {
		return err
	}
	return h.Checkpoints.Save(ctx, c)
}

// A liar is an honest with one thing changed.
type liar struct {
	*honest
	load  func(ctx context.Context, name string) (cursor.Checkpoint, error)
	claim func(ctx context.Context, c cursor.Checkpoint) (cursor.Checkpoint, error)
	save  func(ctx context.Context, c cursor.Checkpoint) error
}

func (l *liar) Load(ctx context.Context, name string) (cursor.Checkpoint, error) {
	return l.load(ctx, name)
}

func (l *liar) Claim(ctx context.Context, c cursor.Checkpoint) (cursor.Checkpoint, error) {
	return l.claim(ctx, c)
}
func (l *liar) Save(ctx context.Context, c cursor.Checkpoint) error { return l.save(ctx, c) }

// lying returns a way to open a store that change has changed.
func lying(change func(l *liar, s *checkpointtest.Subject)) func() checkpointtest.Subject {
	return func() checkpointtest.Subject {
		h := newHonest()
		l := &liar{honest: h, load: h.Load, claim: h.Claim, save: h.Save}
		s := checkpointtest.Subject{
			Checkpoints: l,
			Reopen:      func() (cursor.Checkpoints, error) { return l, nil },
			Damage: func(name string) error {
				h.mu.Lock()
				defer h.mu.Unlock()
				h.damaged[name] = true
				return nil
			},
		}
		change(l, &s)
		return s
	}
}

// saving changes what is saved.
func saving(change func(h *honest, c *cursor.Checkpoint)) func() checkpointtest.Subject {
	return lying(func(l *liar, _ *checkpointtest.Subject) {
		l.save = func(ctx context.Context, c cursor.Checkpoint) error {
			change(l.honest, &c)
			return l.honest.Save(ctx, c)
		}
	})
}

// renaming stores what is under a name under another.
func renaming(rename func(string) string) func() checkpointtest.Subject {
	return lying(func(l *liar, _ *checkpointtest.Subject) {
		l.load = func(ctx context.Context, name string) (cursor.Checkpoint, error) {
			c, err := l.honest.Load(ctx, rename(name))
			c.Name = name
			return c, err
		}
		l.claim = func(ctx context.Context, c cursor.Checkpoint) (cursor.Checkpoint, error) {
			name := c.Name
			c.Name = rename(name)
			c, err := l.honest.Claim(ctx, c)
			c.Name = name
			return c, err
		}
		l.save = func(ctx context.Context, c cursor.Checkpoint) error {
			c.Name = rename(c.Name)
			return l.honest.Save(ctx, c)
		}
	})
}

// binding overlooks something that a Checkpoint is bound to.
func binding(overlook func(c, stored *cursor.Checkpoint)) func() checkpointtest.Subject {
	return lying(func(l *liar, _ *checkpointtest.Subject) {
		l.claim = func(ctx context.Context, c cursor.Checkpoint) (cursor.Checkpoint, error) {
			if stored, err := l.honest.Load(ctx, c.Name); err == nil {
				overlook(&c, &stored)
			}
			return l.honest.Claim(ctx, c)
		}
	})
}

// liars has one at least for each clause, each caught by that clause alone.
var liars = []struct {
	name, clause string
	open         func() checkpointtest.Subject
}{
	{"none is one at 0", "none is said", lying(func(l *liar, _ *checkpointtest.Subject) {
		l.load = func(ctx context.Context, name string) (cursor.Checkpoint, error) {
			c, err := l.honest.Load(ctx, name)
			if errors.Is(err, cursor.ErrNoCheckpoint) {
				return cursor.Checkpoint{}, nil
			}
			return c, err
		}
	})},
	{"saves what nobody claimed", "none is said", lying(func(l *liar, _ *checkpointtest.Subject) {
		l.save = func(ctx context.Context, c cursor.Checkpoint) error {
			err := l.honest.Save(ctx, c)
			if errors.Is(err, cursor.ErrNoCheckpoint) {
				_, err = l.honest.Claim(ctx, c)
			}
			return err
		}
	})},
	{"begins at epoch 2", "a claim stores and answers", lying(func(l *liar, _ *checkpointtest.Subject) {
		l.claim = func(ctx context.Context, c cursor.Checkpoint) (cursor.Checkpoint, error) {
			_, _ = l.honest.Claim(ctx, c)
			return l.honest.Claim(ctx, c)
		}
	})},
	{"forgets attempts", "what is saved is there", saving(func(_ *honest, c *cursor.Checkpoint) { c.Attempts = 0 })},
	{"forgets which event", "what is saved is there", saving(func(_ *honest, c *cursor.Checkpoint) { c.LastID = core.ID{} })},
	{"takes the event for the one at its place", "what is saved is there", saving(func(_ *honest, c *cursor.Checkpoint) {
		c.LastSequence = max(c.Place, 1) - 1
	})},
	{"claims without the event", "a claim stores and answers", lying(func(l *liar, _ *checkpointtest.Subject) {
		l.claim = func(ctx context.Context, c cursor.Checkpoint) (cursor.Checkpoint, error) {
			c.LastSequence, c.LastID = 0, core.ID{}
			return l.honest.Claim(ctx, c)
		}
	})},
	{"has a place of its own for 0", "what is saved is there", saving(func(_ *honest, c *cursor.Checkpoint) { c.Place = max(c.Place, 1) })},
	{"claims what it is given", "each claim has a higher epoch", lying(func(l *liar, _ *checkpointtest.Subject) {
		l.claim = func(ctx context.Context, c cursor.Checkpoint) (cursor.Checkpoint, error) {
			got, err := l.honest.Claim(ctx, c)
			got.Place = c.Place
			return got, err
		}
	})},
	{"fences nobody", "who was the owner is fenced", saving(func(h *honest, c *cursor.Checkpoint) {
		if stored, err := h.Load(context.Background(), c.Name); err == nil {
			c.Epoch = stored.Epoch
		}
	})},
	{"fences the older only", "who was the owner is fenced", saving(func(h *honest, c *cursor.Checkpoint) {
		if stored, err := h.Load(context.Background(), c.Name); err == nil && c.Epoch > stored.Epoch {
			c.Epoch = stored.Epoch
		}
	})},
	{"of any log", "bound is bound", binding(func(c, stored *cursor.Checkpoint) { c.Log = stored.Log })},
	{"bound to the hash", "bound is bound", binding(func(c, stored *cursor.Checkpoint) {
		if c.RegionHash == stored.RegionHash {
			c.Region = stored.Region
		}
	})},
	{"of any part", "bound is bound", binding(func(c, stored *cursor.Checkpoint) { c.Part = stored.Part })},
	{"takes upper case for lower", "names are apart", renaming(strings.ToLower)},
	{"reads escapes", "names are apart", renaming(func(s string) string { return strings.ReplaceAll(s, "%2F", "/") })},
	{"takes any name", "names are apart", renaming(func(s string) string {
		if cursor.CheckName(s) != nil {
			return fmt.Sprintf("%.80s", "any"+s)
		}
		return s
	})},
	{"shares its state", "nothing is shared", lying(func(l *liar, _ *checkpointtest.Subject) {
		var mu sync.Mutex
		states := make(map[string][]byte)
		l.claim = func(ctx context.Context, c cursor.Checkpoint) (cursor.Checkpoint, error) {
			mu.Lock()
			defer mu.Unlock()
			got, err := l.honest.Claim(ctx, c)
			if state, ok := states[c.Name]; ok {
				got.State = state
			}
			return got, err
		}
		l.save = func(ctx context.Context, c cursor.Checkpoint) error {
			mu.Lock()
			defer mu.Unlock()
			err := l.honest.Save(ctx, c)
			if err == nil {
				states[c.Name] = c.State
			}
			return err
		}
		l.load = func(ctx context.Context, name string) (cursor.Checkpoint, error) {
			mu.Lock()
			defer mu.Unlock()
			c, err := l.honest.Load(ctx, name)
			if state, ok := states[name]; ok {
				c.State = state
			}
			return c, err
		}
	})},
	{"heeds no context", "a context that is over does nothing", lying(func(l *liar, _ *checkpointtest.Subject) {
		l.save = func(ctx context.Context, c cursor.Checkpoint) error {
			return l.honest.Save(context.WithoutCancel(ctx), c)
		}
	})},
	{"two claims in one", "many at once", lying(func(l *liar, _ *checkpointtest.Subject) {
		var mu sync.Mutex
		claims := make(map[string]int)
		var shared cursor.Checkpoint
		l.claim = func(ctx context.Context, c cursor.Checkpoint) (cursor.Checkpoint, error) {
			mu.Lock()
			defer mu.Unlock()
			claims[c.Name]++
			if claims[c.Name] == 7 { // more than any clause makes one after the other on one name
				return shared, nil
			}
			got, err := l.honest.Claim(ctx, c)
			shared = got
			return got, err
		}
	})},
	{"its own for each process", "others see it", lying(func(l *liar, s *checkpointtest.Subject) {
		s.Reopen = func() (cursor.Checkpoints, error) { return newHonest(), nil }
	})},
	{"begins anew when damaged", "damage is said", lying(func(l *liar, _ *checkpointtest.Subject) {
		l.load = func(ctx context.Context, name string) (cursor.Checkpoint, error) {
			c, err := l.honest.Load(ctx, name)
			if errors.Is(err, cursor.ErrCorruptCheckpoint) {
				err = cursor.ErrNoCheckpoint
			}
			return c, err
		}
	})},
}

// TestLiars: each is caught by its clause, and by no other; and each clause has one.
func TestLiars(t *testing.T) {
	caught := make(map[string]bool)
	for _, l := range liars {
		err := checkpointtest.Check(l.open)
		broken, ok := errors.AsType[*checkpointtest.ClauseError](err)
		if !ok || broken.Clause != l.clause || strings.Count(err.Error(), "checkpointtest: ") != 1 {
			t.Errorf("%s: got %v; want it to break %q alone", l.name, err, l.clause)
		}
		caught[l.clause] = true
	}
	for _, c := range checkpointtest.Clauses() {
		if !caught[c] {
			t.Errorf("no liar breaks %q", c)
		}
	}
}

// TestHonest: one that keeps to the rules passes.
func TestHonest(t *testing.T) {
	checkpointtest.Run(t, lying(func(*liar, *checkpointtest.Subject) {}))
	if err := checkpointtest.Check(func() checkpointtest.Subject { return checkpointtest.Subject{} }); err == nil ||
		!strings.Contains(err.Error(), "Subject.Checkpoints is nil") {
		t.Errorf("no store at all: %v", err)
	}
}
