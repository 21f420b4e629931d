package disklog_test

import (
	"bytes"
	"io"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/region"
)

const folder = "/log"

// small is how many events a segment has in tests.
const small = 40

// openOn opens the Log of a file system in memory.
func openOn(fs vfs.FS, o disklog.Options) (*disklog.Log, error) {
	return disklog.OpenOn(folder, o, fs, time.Now, small)
}

// A file is what is on a disk at a path.
type file struct {
	path string
	data []byte
}

// filesOf returns all files of a file system, by path.
func filesOf(t failing, fs vfs.FS) (files []file) {
	t.Helper()
	for _, dir := range []string{folder, folder + "/engine"} {
		names, err := fs.List(dir)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(names)
		for _, name := range names {
			path := fs.PathJoin(dir, name)
			info, err := fs.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if info.IsDir() {
				continue
			}
			f, err := fs.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(f)
			if err != nil {
				t.Fatal(err)
			}
			_ = f.Close()
			files = append(files, file{path, data})
		}
	}
	return files
}

// diskOf returns a file system with these files.
func diskOf(t failing, files []file) vfs.FS {
	t.Helper()
	fs := vfs.NewMem()
	if err := fs.MkdirAll(folder+"/engine", 0o777); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		w, err := fs.Create(f.path, vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(bytes.Clone(f.data)); err != nil {
			t.Fatal(err)
		}
		_ = w.Close()
	}
	return fs
}

// everything returns all that a Log says it has, read in every way there is, or the error.
func everything(log *disklog.Log) (es []core.Envelope, err error) {
	if err := log.Verify(ctx, func(e core.Envelope) error {
		es = append(es, e)
		return nil
	}); err != nil {
		return nil, err
	}
	b, err := log.Bounds(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range []region.Region{{}, {Scope: "shop"}, {Entity: "a"}} {
		got, err := allOf(log, r, b.First, 100)
		if err != nil {
			return nil, err
		}
		var want []core.Envelope
		for _, e := range es {
			if r.Match(e.Point()) {
				want = append(want, e)
			}
		}
		if !alike(got, want) {
			return got, nil // which is not what there was
		}
	}
	return es, nil
}
