package checkpointfile

import "context"

// Funcs is a disk of functions.
type Funcs struct {
	Read   func(name string) ([]byte, error)
	Create func(name string) (File, error)
	Rename func(from, to string) error
	Remove func(name string) error
	Sync   func() error
	Lock   func(ctx context.Context, name string) (func() error, error)
}

// File is what Create returns.
type File = file

// OpenOn returns a Store on such a disk.
func OpenOn(f Funcs) *Store { return &Store{disk: funcs{f}} }

type funcs struct{ f Funcs }

func (d funcs) read(name string) ([]byte, error) { return d.f.Read(name) }
func (d funcs) create(name string) (file, error) { return d.f.Create(name) }
func (d funcs) rename(from, to string) error     { return d.f.Rename(from, to) }
func (d funcs) remove(name string) error         { return d.f.Remove(name) }
func (d funcs) sync() error                      { return d.f.Sync() }

func (d funcs) lock(ctx context.Context, name string) (func() error, error) {
	return d.f.Lock(ctx, name)
}
