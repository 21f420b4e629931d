package checkpointfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// A Store keeps Checkpoints in a folder. It holds nothing but the folder's name: there is nothing to close.
//
// Each has two files, for its generations of even and of odd numbers: a write takes the place of the older one, so that the
// newer is never touched. A third is locked while one of them is looked at and written, by whatever process.
type Store struct{ disk disk }

var _ cursor.Checkpoints = (*Store)(nil)

// Open returns the Store in a folder, which it makes, durably, if it is not there. The folder above is there.
func Open(dir string) (*Store, error) {
	switch err := os.Mkdir(dir, 0o700); {
	case errors.Is(err, os.ErrExist):
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return nil, errors.Join(fmt.Errorf("spillway/checkpointfile: %s is no folder", dir), err)
		}
	case err != nil:
		return nil, fmt.Errorf("spillway/checkpointfile: %w", err)
	}
	if err := syncFolder(filepath.Dir(filepath.Clean(dir))); err != nil {
		return nil, fmt.Errorf("spillway/checkpointfile: sync the folder above: %w", err)
	}
	return &Store{disk: folder(dir)}, nil
}

// Load implements cursor.Checkpoints.
func (s *Store) Load(ctx context.Context, name string) (c cursor.Checkpoint, err error) {
	err = s.locked(ctx, name, func(f files) error {
		c, err = s.load(name, f)
		return err
	})
	return c, err
}

// Claim implements cursor.Checkpoints. It writes the new epoch into both generations before anybody owns it: whichever
// is lost later, the other one fences who came before.
func (s *Store) Claim(ctx context.Context, c cursor.Checkpoint) (claimed cursor.Checkpoint, err error) {
	err = s.locked(ctx, c.Name, func(f files) error {
		stored, err := s.load(c.Name, f)
		if errors.Is(err, cursor.ErrNoCheckpoint) {
			stored = c
			stored.Epoch, stored.Generation = 0, 0
		} else if err != nil {
			return err
		}
		if claimed, err = stored.Claimed(&c); err != nil {
			return err
		}
		claimed.Damaged = false
		for range 2 {
			claimed.Generation++
			if err := s.write(f, &claimed); err != nil {
				return err
			}
		}
		claimed.Damaged = stored.Damaged
		return nil
	})
	if err != nil {
		return cursor.Checkpoint{}, err
	}
	return claimed, nil
}

// Save implements cursor.Checkpoints.
func (s *Store) Save(ctx context.Context, c cursor.Checkpoint) error {
	return s.locked(ctx, c.Name, func(f files) error {
		stored, err := s.load(c.Name, f)
		if err != nil {
			return err
		}
		if err := stored.Saved(&c); err != nil {
			return err
		}
		c.Generation = stored.Generation + 1
		return s.write(f, &c)
	})
}

// files are the names of one Checkpoint's.
type files struct {
	generations [2]string // by the number's last bit
	lock        string
	temp        string // while it is written; what a crash leaves there is overwritten, and never read
}

// locked calls do while nobody else reads or writes the Checkpoint.
func (s *Store) locked(ctx context.Context, name string, do func(f files) error) (err error) {
	if err := cursor.CheckName(name); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	// What follows the last dot is ours, and the same for every name: so no two names share a file.
	escaped := filename(name)
	f := files{
		generations: [2]string{escaped + ".0", escaped + ".1"},
		lock:        escaped + ".lock",
		temp:        escaped + ".tmp",
	}
	unlock, err := s.disk.lock(ctx, f.lock)
	if err != nil {
		return fmt.Errorf("checkpoint %q: %w", name, err)
	}
	defer func() {
		if unlocked := unlock(); unlocked != nil {
			err = errors.Join(err, unlocked)
		}
	}()
	return do(f)
}

// load returns the newer of the generations that can be read.
func (s *Store) load(name string, f files) (newest cursor.Checkpoint, err error) {
	found, there := false, 0
	var bad []error
	for i, file := range f.generations {
		var c cursor.Checkpoint
		b, err := s.disk.read(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil { // it may be there and well: nothing is known
			return cursor.Checkpoint{}, fmt.Errorf("checkpoint %q: %w", name, err)
		}
		there++
		if err = c.UnmarshalBinary(b); err == nil && (c.Name != name || c.Generation%2 != uint64(i)) {
			err = fmt.Errorf("it is generation %d of %q", c.Generation, c.Name)
		}
		switch {
		case errors.Is(err, cursor.ErrCheckpointVersion): // it is whole, and may be the newer: not to be passed over
			return cursor.Checkpoint{}, &cursor.CorruptCheckpointError{Name: name, Err: fmt.Errorf("%s: %w", file, err)}
		case err != nil:
			bad = append(bad, fmt.Errorf("%s: %w", file, err))
		case !found || c.Generation > newest.Generation:
			newest, found = c, true
		}
	}
	switch {
	case !found && len(bad) > 0:
		return newest, &cursor.CorruptCheckpointError{Name: name, Err: errors.Join(bad...)}
	case !found:
		return newest, cursor.ErrNoCheckpoint
	}
	newest.Damaged = len(bad) > 0 || there == 1 && newest.Generation > 1
	return newest, nil
}

// write makes c durable, in place of the older generation, or of the one that can't be read.
func (s *Store) write(f files, c *cursor.Checkpoint) error {
	b, err := c.AppendBinary(nil)
	if err != nil {
		return err
	}
	err = s.writeTemp(f.temp, b)
	if err == nil {
		err = s.disk.rename(f.temp, f.generations[c.Generation%2])
	}
	if err != nil {
		_ = s.disk.remove(f.temp) // or the next write overwrites it
		return fmt.Errorf("checkpoint %q: %w", c.Name, err)
	}
	if err := s.disk.sync(); err != nil {
		return fmt.Errorf("checkpoint %q: sync the folder: %w", c.Name, err)
	}
	return nil
}

// writeTemp has b on the disk, whole, before the file gets its name.
func (s *Store) writeTemp(name string, b []byte) error {
	w, err := s.disk.create(name)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	if err == nil {
		err = w.Sync()
	}
	return errors.Join(err, w.Close())
}

// filename makes a name one of a file: region.Escape leaves no separator, and no run of dots.
func filename(name string) string { return region.Escape(name) }
