package checkpointfile_test

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"sync"

	"github.com/spillwayhq/spillway/cursor/checkpointfile"
)

var errInjected = errors.New("injected")

// A sim is a disk that tells what was written from what would be there after a power cut. It counts its calls that change
// something, and fails one of them, or that one and all after it.
type sim struct {
	mu      sync.Mutex // that of all files' locks
	names   map[string]*inode
	durable map[string]*inode // as of the last sync of the folder
	changes []func(names map[string]*inode)
	calls   []string

	failAt         int  // the call that fails; -1: none
	dead           bool // so do all after it
	deafFile       bool // syncs of files do nothing
	deafFolder     bool // nor those of the folder
	unreadable     bool // reads fail
	failAfterwards bool // what fails is done all the same
}

type inode struct{ data, synced []byte }

func newSim() *sim {
	return &sim{names: make(map[string]*inode), durable: make(map[string]*inode), failAt: -1}
}

// kill fails all calls from now on.
func (s *sim) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failAt < 0 || s.failAt > len(s.calls) {
		s.failAt, s.dead = len(s.calls), true
	}
}

// call counts a call, and does it unless it fails.
func (s *sim) call(what string, do func()) error {
	n := len(s.calls)
	s.calls = append(s.calls, what)
	if s.failAt < 0 || n < s.failAt || n > s.failAt && !s.dead {
		do()
		return nil
	}
	if s.failAfterwards && n == s.failAt {
		do()
	}
	return errInjected
}

func (s *sim) change(what string, do func(names map[string]*inode)) error {
	return s.call(what, func() {
		do(s.names)
		s.changes = append(s.changes, do)
	})
}

func (s *sim) store() *checkpointfile.Store {
	return checkpointfile.OpenOn(checkpointfile.Funcs{
		Read: func(name string) ([]byte, error) {
			if s.unreadable {
				return nil, errInjected
			}
			if f, ok := s.names[name]; ok {
				return slices.Clone(f.data), nil
			}
			return nil, os.ErrNotExist
		},
		Create: func(name string) (checkpointfile.File, error) {
			f := &inode{}
			err := s.change("create", func(names map[string]*inode) { names[name] = f })
			return simFile{s, f}, err
		},
		Rename: func(from, to string) error {
			return s.change("rename", func(names map[string]*inode) {
				if f, ok := names[from]; ok {
					names[to] = f
					delete(names, from)
				}
			})
		},
		Remove: func(name string) error {
			return s.change("remove", func(names map[string]*inode) { delete(names, name) })
		},
		Sync: func() error {
			return s.call("sync folder", func() {
				if s.deafFolder {
					return
				}
				for _, do := range s.changes {
					do(s.durable)
				}
				s.changes = nil
			})
		},
		Lock: func(context.Context, string) (func() error, error) {
			s.mu.Lock()
			return func() error { s.mu.Unlock(); return nil }, nil
		},
	})
}

type simFile struct {
	s *sim
	f *inode
}

func (w simFile) Write(b []byte) (int, error) {
	err := w.s.call("write", func() { w.f.data = append(w.f.data, b...) })
	return len(b), err
}

func (w simFile) Sync() error {
	return w.s.call("sync", func() {
		if !w.s.deafFile {
			w.f.synced = slices.Clone(w.f.data)
		}
	})
}

func (w simFile) Close() error { return nil }

// cut returns what is there after a power cut: some of the changes of names since the folder was synced, in order, and of
// each file what was synced, or a part of what was written since, or nothing but zeros.
func (s *sim) cut(random *rand.Rand) *sim {
	after := newSim()
	maps.Copy(after.names, s.durable)
	for _, do := range s.changes[:random.IntN(len(s.changes)+1)] {
		do(after.names)
	}
	for name, f := range after.names {
		data := f.synced
		if len(f.data) > len(f.synced) {
			switch random.IntN(3) {
			case 0:
				data = f.data[:random.IntN(len(f.data)+1)]
			case 1:
				data = make([]byte, len(f.data))
			}
		}
		after.names[name] = &inode{data: slices.Clone(data), synced: slices.Clone(data)}
		after.durable[name] = after.names[name]
	}
	return after
}
