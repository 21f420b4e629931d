package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// A place is where a watch is: behind the event of an id. Its JSON is what is in the file of --resume.
type place struct {
	Regions []string `json:"regions"` // canonical, as they were given
	After   string   `json:"after"`

	path string // "" where it isn't kept
}

// openPlace reads a place of these regions from a file; where there is none it is the beginning.
func openPlace(path string, regions []string) (*place, error) {
	regions = slices.Sorted(slices.Values(regions))
	p := &place{Regions: regions, path: path}
	if path == "" {
		return p, nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, p.check()
	}
	if err != nil {
		return nil, err
	}
	var kept place
	if err := json.Unmarshal(text, &kept); err != nil || kept.After == "" {
		return nil, fmt.Errorf("%s: is no place that --resume has kept", path)
	}
	if !slices.Equal(kept.Regions, regions) {
		return nil, fmt.Errorf("%s: is a place in the regions %q: watch those, or give another file", path, kept.Regions)
	}
	p.After = kept.After
	return p, nil
}

// check looks whether the place could be saved, before anything is done that it should be saved behind.
func (p *place) check() error {
	f, err := os.CreateTemp(filepath.Dir(p.path), ".spillway-place-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// save keeps the place behind an event: the old one or the new one, whenever it is killed. A machine that loses its power may
// lose the last places, and some events come again.
func (p *place) save(after string) error {
	p.After = after
	if p.path == "" {
		return nil
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(p.path), ".spillway-place-*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), p.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
