package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// A place is where a watch is: behind the event of an id, or further on, where no event has come since. Its JSON is what is in the file of --resume.
type place struct {
	Regions []string `json:"regions"` // canonical, as they were given
	After   string   `json:"after,omitempty"`
	From    string   `json:"from,omitempty"` // one of the two is set

	path string // "" where it isn't kept

	mu    sync.Mutex  // of all that changes: After and From, too
	saved string      // what of them is in the file
	timer *time.Timer // that will save; nil where nothing is to be saved
	err   error       // why it didn't
}

// placesEvery is how soon the place of what was printed is saved: to make a file durable takes longer than to print an event.
const placesEvery = 100 * time.Millisecond

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
	if err := json.Unmarshal(text, &kept); err != nil || kept.After == "" && kept.From == "" {
		return nil, fmt.Errorf("%s: is no place that --resume has kept", path)
	}
	if !slices.Equal(kept.Regions, regions) {
		return nil, fmt.Errorf("%s: is a place in the regions %q: watch those, or give another file", path, kept.Regions)
	}
	p.After, p.From = kept.After, kept.From
	p.saved = p.where()
	return p, nil
}

func (p *place) where() string { return p.After + " " + p.From }

// check looks whether the place could be saved, before anything is done that it should be saved behind.
func (p *place) check() error {
	f, err := os.CreateTemp(filepath.Dir(p.path), ".spillway-place-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// pass moves the place behind an event, or, where that is "", to from. It is saved soon, together with those that come until then, or
// by flush. The error is that of an earlier time.
func (p *place) pass(after, from string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.After, p.From = after, from
	if p.path != "" && p.timer == nil {
		p.timer = time.AfterFunc(placesEvery, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.timer != nil { // flush was not quicker
				p.timer, p.err = nil, p.write()
			}
		})
	}
	return p.err
}

// flush saves the place now, and nothing is under way any more.
func (p *place) flush() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
	return p.write()
}

// write writes the place into its file. Whenever the process is killed or the machine loses its power, that has the old one or the
// new one, whole: it is made durable under another name first. mu is held.
func (p *place) write() error {
	if p.path == "" || p.where() == p.saved {
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
	if _, err = f.Write(append(text, '\n')); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), p.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	p.saved = p.where()
	return nil
}
