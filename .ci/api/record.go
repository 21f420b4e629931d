package main

import (
	"bufio"
	"bytes"
	"fmt"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/gcexportdata"
)

// A record is the API at one time, and what the changelog had marked by then.
type record struct {
	packages map[string]*types.Package // by path below the module's
	marked   []string
}

const (
	extension  = ".api"
	markedFile = "breaking.txt"
)

// write replaces the record in a folder.
func write(folder string, r record) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	for _, path := range sorted(r.packages) {
		data, err := encode(r.packages[path])
		if err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
		// Flat: a folder of a package's name would look like a package to whoever walks the tree.
		if err := os.WriteFile(filepath.Join(folder, strings.ReplaceAll(path, "/", "-")+extension), data, 0o666); err != nil {
			return err
		}
	}
	text := "# The lines marked **breaking** in docs/changelog.md when the API was recorded.\n"
	for _, line := range r.marked {
		text += line + "\n"
	}
	return os.WriteFile(filepath.Join(folder, markedFile), []byte(text), 0o666)
}

// read is write's inverse.
func read(folder string) (record, error) {
	r := record{packages: make(map[string]*types.Package)}
	names, err := filepath.Glob(filepath.Join(folder, "*"+extension))
	if err != nil {
		return r, err
	}
	if len(names) == 0 {
		return r, fmt.Errorf("%s holds no record; make one with -record", folder)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return r, err
		}
		p, err := decode(data)
		if err != nil {
			return r, fmt.Errorf("%s: %w; was it written by other tools? Record anew from the commit that wrote it", name, err)
		}
		r.packages[strings.TrimPrefix(p.Path(), module)] = p
	}
	text, err := os.ReadFile(filepath.Join(folder, markedFile))
	if err != nil {
		return r, err
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			r.marked = append(r.marked, line)
		}
	}
	return r, nil
}

// encode returns a package as apidiff -w would write it, with no position in it.
func encode(p *types.Package) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintln(&b, p.Path())
	err := gcexportdata.Write(&b, token.NewFileSet(), p)
	return b.Bytes(), err
}

func decode(data []byte) (*types.Package, error) {
	r := bufio.NewReader(bytes.NewReader(data))
	path, err := r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	return gcexportdata.Read(r, token.NewFileSet(), make(map[string]*types.Package), strings.TrimSpace(path))
}

func sorted(of map[string]*types.Package) []string { return slices.Sorted(maps.Keys(of)) }
