package main

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// checked returns the package that a source is, at a path below the module's.
func checked(t *testing.T, path, source string) *types.Package {
	t.Helper()
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, "a.go", "package a\n"+source, 0)
	if err != nil {
		t.Fatal(err)
	}
	p, err := new(types.Config).Check(module+path, set, []*ast.File{f}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const source = `
type Fanout[T any] struct{ n int }
func New[T any]() *Fanout[T] { return nil }
func (f *Fanout[T]) Broadcast(v T) int { return 0 }
type Sink[T any] interface { Offer(v T) bool }
type Config struct { Name string }
const Full = 1
`

// Each change is made to the source, compared with the record of it as written and read back, and judged.
func TestIncompatibleChangesFail(t *testing.T) {
	for _, c := range []struct {
		name, from, to string
		broken, added  int
	}{
		{"nothing", "", "", 0, 0},
		{"what is inside", "n int", "m string", 0, 0},
		{"a new function", "const Full", "func Old() {}\nconst Full", 0, 1},
		{"a new field", "Name string", "Name string; Single bool", 0, 1},
		{"a new method", "type Sink", "func (f *Fanout[T]) Len() int { return 0 }\ntype Sink", 0, 1},
		{"a method is gone", "func (f *Fanout[T]) Broadcast(v T) int { return 0 }", "", 1, 0},
		{"another result", "Broadcast(v T) int {", "Broadcast(v T) int64 {", 1, 0},
		{"another constraint", "Fanout[T any] struct{ n int }\nfunc New[T any]", "Fanout[T comparable] struct{ n int }\nfunc New[T comparable]", 2, 0},
		{"an interface grows", "Offer(v T) bool", "Offer(v T) bool; Close()", 1, 0},
		{"a field is renamed", "Name string", "Title string", 1, 1},
		{"another value", "Full = 1", "Full = 2", 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "recorded")
			if err := write(folder, record{packages: map[string]*types.Package{"core": checked(t, "core", source)}}); err != nil {
				t.Fatal(err)
			}
			old, err := read(folder)
			if err != nil {
				t.Fatal(err)
			}
			changed := strings.Replace(source, c.from, c.to, 1)
			if changed == source && c.from != c.to {
				t.Fatalf("the source has no %q", c.from)
			}
			broken, added := compare(old.packages, map[string]*types.Package{"core": checked(t, "core", changed)})
			if len(broken) != c.broken || len(added) != c.added {
				t.Errorf("got %q incompatible and %q compatible, want %d and %d", broken, added, c.broken, c.added)
			}
			if err := judge(broken, nil); (err != nil) != (c.broken > 0) {
				t.Errorf("unmarked: got %v", err)
			}
			if err := judge(broken, []string{"- **breaking**"}); err != nil {
				t.Errorf("marked: got %v", err)
			}
		})
	}
}

func TestPackagesComeAndGo(t *testing.T) {
	a, b := checked(t, "core", source), checked(t, "cursor", source)
	broken, added := compare(map[string]*types.Package{"core": a}, map[string]*types.Package{"cursor": b})
	if !slices.Equal(broken, []string{"core: package removed"}) || !slices.Equal(added, []string{"cursor: package added"}) {
		t.Errorf("got %q and %q", broken, added)
	}
}

// A mark counts once, for what was changed after the record that doesn't have it.
func TestMarksAreNewerThanTheRecord(t *testing.T) {
	const before = "# Changelog\n\nWhat breaks is marked **breaking**.\n\n## Unreleased\n\n- **breaking** `core`: a\n"
	folder := filepath.Join(t.TempDir(), "recorded")
	if err := write(folder, record{packages: map[string]*types.Package{"core": checked(t, "core", source)}, marked: marked(before)}); err != nil {
		t.Fatal(err)
	}
	old, err := read(folder)
	if err != nil {
		t.Fatal(err)
	}
	if lines := since(old.marked, marked(before)); len(lines) != 0 {
		t.Errorf("got %q as new, want none: the record knows them", lines)
	}
	after := strings.Replace(before, "- **b", "- **breaking** `core`: b\n- **breaking** `core`: a\n- **b", 1)
	if lines := since(old.marked, marked(after)); !slices.Equal(lines, []string{"- **breaking** `core`: b", "- **breaking** `core`: a"}) {
		t.Errorf("got %q as new", lines)
	}
}

func TestNoRecord(t *testing.T) {
	if _, err := read(t.TempDir()); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want an error that says how to make one", err)
	}
}
