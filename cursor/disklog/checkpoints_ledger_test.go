package disklog_test

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/region"
)

// A saving is what owners of a Checkpoint, one after the other, were told of it.
type saving struct {
	older, owner cursor.Checkpoint  // the last two claims
	acked        cursor.Checkpoint  // the last write that was answered with nil; Epoch 0: none was
	tried        *cursor.Checkpoint // a write that was not answered, or whose answer is no certain no
}

// savings are by name.
type savings map[string]saving

func unclaimed(name string, of cursor.LogID) cursor.Checkpoint {
	return cursor.NewCheckpoint(name, of, region.Region{Scope: "shop"}, 0)
}

// save does what a script does to Checkpoints in a step: claims and saves of one name, and now and then of another.
func (l *ledger) save(store cursor.Checkpoints, i int) (first error) {
	note := func(err error) {
		if first == nil {
			first = err
		}
	}
	if i%5 == 0 {
		note(l.claim(store, "worker"))
	}
	note(l.saveAt(store, "worker", i))
	if i%4 == 1 {
		note(l.claim(store, "other"))
		note(l.saveAt(store, "other", i))
	}
	return first
}

// note has change be done to what is known of a name.
func (l *ledger) note(name string, change func(s *saving)) saving {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.saved == nil {
		l.saved = make(savings)
	}
	s := l.saved[name]
	change(&s)
	l.saved[name] = s
	return s
}

// attempt notes a write before it is made, and the answer; a second one after one that failed is refused for certain.
func (l *ledger) attempt(c cursor.Checkpoint, write func() error) error {
	before := l.note(c.Name, func(s *saving) {
		if s.tried == nil {
			s.tried = &c
		}
	})
	err := write()
	l.note(c.Name, func(s *saving) {
		if err == nil {
			s.acked, s.tried = c, nil
		} else if !errors.Is(err, cursor.ErrFailed) && before.tried == &c {
			s.tried = nil
		}
	})
	return err
}

func (l *ledger) claim(store cursor.Checkpoints, name string) error {
	c := l.note(name, func(*saving) {}).acked
	if c.Epoch == 0 {
		c = unclaimed(name, l.log)
	}
	c.Epoch++
	return l.attempt(c, func() error {
		got, err := store.Claim(ctx, unclaimed(name, l.log))
		if err == nil && !sameCheckpoint(got, c) {
			return fmt.Errorf("claimed %+v; want %+v", got, c)
		}
		if err == nil {
			l.note(name, func(s *saving) { s.older, s.owner = s.owner, got })
		}
		return err
	})
}

func (l *ledger) saveAt(store cursor.Checkpoints, name string, i int) error {
	c := l.note(name, func(*saving) {}).owner
	if c.Epoch == 0 {
		return nil // it could not be claimed
	}
	c.Place, c.Attempts, c.State = uint64(i+1), uint32(i%3), bytes.Repeat([]byte{byte(i)}, i%40)
	return l.attempt(c, func() error { return store.Save(ctx, c) })
}

func sameCheckpoint(got, want cursor.Checkpoint) bool {
	return got.Bound(&want) == nil && got.Epoch == want.Epoch && got.Place == want.Place && got.Attempts == want.Attempts &&
		bytes.Equal(got.State, want.State) && got.Damaged == want.Damaged
}

// check returns what a store has lost of what was answered, and whether whoever was an owner saves it still.
func (s *saving) check(store cursor.Checkpoints, name string) error {
	got, err := store.Load(ctx, name)
	switch {
	case errors.Is(err, cursor.ErrNoCheckpoint) && s.acked.Epoch == 0:
		return nil
	case err != nil:
		return fmt.Errorf("acknowledged: %+v; loading it: %w", s.acked, err)
	case !sameCheckpoint(got, s.acked) && (s.tried == nil || !sameCheckpoint(got, *s.tried)):
		return fmt.Errorf("got %+v; acknowledged was %+v, tried %+v", got, s.acked, s.tried)
	}
	claimed, err := store.Claim(ctx, unclaimed(name, got.Log))
	if err != nil || claimed.Epoch != got.Epoch+1 || claimed.Place != got.Place {
		return fmt.Errorf("claimed after %+v: %+v, %w", got, claimed, err)
	}
	for _, c := range []cursor.Checkpoint{s.older, s.owner, got} {
		if c.Epoch > 0 && !errors.Is(store.Save(ctx, c), cursor.ErrFenced) {
			return fmt.Errorf("epoch %d is not fenced by %d", c.Epoch, claimed.Epoch)
		}
	}
	claimed.Place++
	return store.Save(ctx, claimed)
}

// held returns nil if a store answers with all that was acknowledged, and an error that is cursor.ErrCorrupt if it says what it hasn't.
func (ss savings) held(store cursor.Checkpoints) (first error) {
	for name, s := range ss {
		got, err := store.Load(ctx, name)
		switch {
		case err == nil && got.Damaged && got.Epoch == s.acked.Epoch && got.Place <= s.acked.Place:
			err = &disklog.CorruptError{Place: name, Err: errors.New("it says that it is damaged")}
		case err == nil && !sameCheckpoint(got, s.acked):
			return fmt.Errorf("checkpoint %q: %+v; acknowledged was %+v", name, got, s.acked)
		case err != nil && (!errors.Is(err, cursor.ErrCorruptCheckpoint) || !errors.Is(err, cursor.ErrCorrupt)):
			return fmt.Errorf("checkpoint %q: %w", name, err)
		}
		if first == nil {
			first = err
		}
	}
	return first
}
