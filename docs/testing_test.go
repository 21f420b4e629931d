package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A folder is what the Go files of one directory do, its tests' files and the others apart.
type folder struct {
	starts          bool // a file that is no test starts a goroutine
	sleeps          []string
	bubbles, leaked bool // a test imports testing/synctest, goleak
	tested          bool // there is a test
}

// readFolders reads every directory of the module.
func readFolders(t *testing.T) map[string]*folder {
	t.Helper()
	folders := make(map[string]*folder)
	for _, path := range files(t, ".go") {
		if strings.HasPrefix(path, "bench/peers/") { // the rivals' module
			continue
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, read(t, path), parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Dir(path)
		if folders[dir] == nil {
			folders[dir] = new(folder)
		}
		d, isTest := folders[dir], strings.HasSuffix(path, "_test.go")
		if isTest {
			d.tested = true
			for _, i := range f.Imports {
				d.bubbles = d.bubbles || i.Path.Value == `"testing/synctest"`
				d.leaked = d.leaked || i.Path.Value == `"go.uber.org/goleak"`
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				d.starts = d.starts || !isTest
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && isTest && x.Name == "time" && n.Sel.Name == "Sleep" {
					d.sleeps = append(d.sleeps, fset.Position(n.Pos()).String())
				}
			}
			return true
		})
	}
	return folders
}

// TestH206NobodySleeps: a test sleeps in a bubble of testing/synctest, where that takes no time, or not at all.
func TestH206NobodySleeps(t *testing.T) {
	// A real Prometheus says nobody when it has scraped.
	outside := []string{"docs/prometheus"}
	for dir, d := range readFolders(t) {
		if !d.bubbles && !slices.Contains(outside, dir) {
			for _, at := range d.sleeps {
				t.Errorf("%s: a test sleeps, and its package has no bubble for it", at)
			}
		}
	}
}

// TestH213LeaksAreLookedFor: a package that starts goroutines looks whether one is left when its tests are over, all of them.
func TestH213LeaksAreLookedFor(t *testing.T) {
	// sinktest leaves a goroutine with a sink that blocks for good: that is what it says of it. The gate's are processes that
	// it waits for.
	without := []string{"adapters/sinktest", "bench/gate"}
	for dir, d := range readFolders(t) {
		if d.starts && d.tested && !d.leaked && !slices.Contains(without, dir) {
			t.Errorf("%s starts goroutines, and no test looks for those that are left", dir)
		}
	}
}
