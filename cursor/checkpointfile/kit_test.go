package checkpointfile_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gofrs/flock"
	"go.uber.org/goleak"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/checkpointfile"
	"github.com/spillwayhq/spillway/cursor/checkpointtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, dir string) *checkpointfile.Store {
	t.Helper()
	s, err := checkpointfile.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestKit(t *testing.T) {
	checkpointtest.Run(t, func() checkpointtest.Subject {
		dir := filepath.Join(t.TempDir(), "checkpoints")
		return checkpointtest.Subject{
			Checkpoints: open(t, dir),
			Reopen:      func() (cursor.Checkpoints, error) { return checkpointfile.Open(dir) },
			Damage: func(name string) error {
				return errors.Join(
					os.Truncate(filepath.Join(dir, name+".0"), 50),
					os.Truncate(filepath.Join(dir, name+".1"), 0),
				)
			},
		}
	})
}

// TestNamesStayInTheFolder: whatever a Checkpoint is called, its files are in the folder.
func TestNamesStayInTheFolder(t *testing.T) {
	above := t.TempDir()
	dir := filepath.Join(above, "checkpoints")
	store := open(t, dir)
	for _, name := range []string{"../up", "..", ".", "/root", "a/../../up", "a\x00b", "\xff", strings.Repeat("/", 80)} {
		c := fresh
		c.Name = name
		if _, err := store.Claim(ctx, c); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	entries, err := os.ReadDir(above)
	if err != nil || len(entries) != 1 {
		t.Errorf("above the folder: %v, %v", entries, err)
	}
	if entries, err = os.ReadDir(dir); err != nil || len(entries) != 3*8 {
		t.Errorf("in the folder: %d files, %v", len(entries), err)
	}
}

func TestOpenRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "under"), filepath.Join(filepath.Dir(file), "not", "there")} {
		if s, err := checkpointfile.Open(dir); err == nil {
			t.Errorf("%s: %v, nil", dir, s)
		}
	}
}

// TestLaterVersionIsRefused: what a later program has written is whole. It isn't passed over for the generation before.
func TestLaterVersionIsRefused(t *testing.T) {
	s := newSim()
	store := s.store()
	if _, err := store.Claim(ctx, fresh); err != nil {
		t.Fatal(err)
	}
	s.names["worker.0"].data = later(s.names["worker.0"].data)
	if c, err := store.Load(ctx, "worker"); !errors.Is(err, cursor.ErrCorruptCheckpoint) || !errors.Is(err, cursor.ErrCheckpointVersion) {
		t.Errorf("got %+v, %v", c, err)
	}
}

// TestH116UnreadableIsNotNone: a file that can't be read now may be there and well. Nothing is claimed or written over it.
func TestH116UnreadableIsNotNone(t *testing.T) {
	s := newSim()
	store := s.store()
	c, err := store.Claim(ctx, fresh)
	if err != nil {
		t.Fatal(err)
	}
	s.unreadable = true
	calls := len(s.calls)
	_, loaded := store.Load(ctx, "worker")
	_, claimed := store.Claim(ctx, fresh)
	for _, err := range []error{loaded, claimed, store.Save(ctx, c)} {
		if !errors.Is(err, errInjected) || errors.Is(err, cursor.ErrCorruptCheckpoint) {
			t.Errorf("got %v; want the disk's error", err)
		}
	}
	if len(s.calls) != calls {
		t.Errorf("it did %v", s.calls[calls:])
	}
}

// TestHeldLock: who waits for the lock of a file leaves with its context.
func TestHeldLock(t *testing.T) {
	dir := t.TempDir()
	store := open(t, dir)
	held := flock.New(filepath.Join(dir, "worker.lock"))
	if err := held.Lock(); err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancelCause(ctx)
	go cancel(errInjected)
	if c, err := store.Claim(over, fresh); !errors.Is(err, errInjected) {
		t.Errorf("got %+v, %v", c, err)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	if c, err := store.Claim(ctx, fresh); err != nil || c.Epoch != 1 {
		t.Errorf("once it is free: %+v, %v", c, err)
	}
}

const (
	childFolder = "SPILLWAY_CHECKPOINT_FOLDER"
	childClaims = 40
)

// TestManyProcesses: each claim has an epoch of its own, whatever process makes it.
func TestManyProcesses(t *testing.T) {
	if dir := os.Getenv(childFolder); dir != "" {
		store := open(t, dir)
		for range childClaims {
			c, err := store.Claim(ctx, fresh)
			if err != nil {
				t.Fatal(err)
			}
			if err := store.Save(ctx, c); err != nil && !errors.Is(err, cursor.ErrFenced) {
				t.Fatal(err)
			}
		}
		return
	}
	dir := t.TempDir()
	const children = 3
	done := make(chan error, children)
	for range children {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestManyProcesses$")
		cmd.Env = append(os.Environ(), childFolder+"="+dir)
		go func() {
			out, err := cmd.CombinedOutput()
			if err != nil {
				err = errors.Join(err, errors.New(string(out)))
			}
			done <- err
		}()
	}
	for range children {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if c, err := open(t, dir).Load(ctx, "worker"); err != nil || c.Epoch != children*childClaims {
		t.Errorf("got %+v, %v; want epoch %d", c, err, children*childClaims)
	}
}
