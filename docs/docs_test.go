package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	module   = "github.com/spillwayhq/spillway"
	longest  = 400 // lines of a file
	rootPath = ".."
)

// files returns the paths of the tree's files with one of the extensions, from its root.
func files(t *testing.T, extensions ...string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(rootPath, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != rootPath && (strings.HasPrefix(name, ".") && name != ".ci" && name != ".github" || name == "testdata") {
			return fs.SkipDir
		}
		if slices.Contains(extensions, filepath.Ext(name)) {
			relative, err := filepath.Rel(rootPath, path)
			if err != nil {
				return err
			}
			paths = append(paths, filepath.ToSlash(relative))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Fatalf("no file ends in %v", extensions)
	}
	return paths
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(rootPath, filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func parse(t *testing.T, path string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(rootPath, path), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFilesAreShort(t *testing.T) {
	for _, path := range files(t, ".go", ".pml", ".s") {
		if lines := strings.Count(read(t, path), "\n"); lines > longest {
			t.Errorf("%s has %d lines, want at most %d: it is about more than one thing", path, lines, longest)
		}
	}
}

// A row allows what is not in the picture of docs/design.md.
var allowed = map[string][]string{
	"region":   {},
	"core":     {"region"},
	"adapters": {"core", "region", "adapters/internal"},

	"adapters/prometheus": {"core", "cursor", "region"}, // at the edge
	"adapters/sse":        {"adapters/internal", "adapters/ring", "core", "cursor", "region"},
	"cursor":              {"core", "cursor", "region"},
	"cmd":                 {"adapters", "bench", "cmd/spillway/internal", "core", "cursor", "region"},
	"bench":               {"adapters", "bench", "core", "cursor", "region"},
	"fuzz":                {"adapters", "core", "cursor", "region"},
	"docs":                {},
	".ci":                 {},
}

// TestImportsGoOneWay holds the sources, tests left aside, against the picture in design.md.
func TestImportsGoOneWay(t *testing.T) {
	for _, path := range files(t, ".go") {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		from, _, _ := strings.Cut(path, "/")
		may, known := allowed[path[:max(0, strings.LastIndexByte(path, '/'))]]
		if !known {
			may, known = allowed[from]
		}
		if !known {
			t.Errorf("%s: nothing says what %s may import", path, from)
			continue
		}
		for _, spec := range parse(t, path).Imports {
			to, own := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), module+"/")
			if own && !slices.ContainsFunc(may, func(m string) bool { return to == m || strings.HasPrefix(to, m+"/") }) {
				t.Errorf("%s imports %s", path, to)
			}
		}
	}
}

// TestAtomicsAreInTheMemoryModel looks for a row for each atomic field and variable.
func TestAtomicsAreInTheMemoryModel(t *testing.T) {
	rows := make(map[string]bool) // the names, less their types'
	for _, m := range regexp.MustCompile("`(?:\\w+\\.)?(\\w+)`").FindAllStringSubmatch(firstColumns(read(t, "docs/memory-model.md")), -1) {
		rows[m[1]] = true
	}
	found := 0
	for _, path := range files(t, ".go") {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		check := func(names []*ast.Ident, typ ast.Expr) {
			if !isAtomic(typ) {
				return
			}
			for _, name := range names {
				found++
				if !rows[name.Name] {
					t.Errorf("%s: the atomic %s has no row in docs/memory-model.md", path, name.Name)
				}
			}
		}
		ast.Inspect(parse(t, path), func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.StructType:
				for _, field := range n.Fields.List {
					check(field.Names, field.Type)
				}
			case *ast.ValueSpec:
				if n.Type != nil {
					check(n.Names, n.Type)
				}
			}
			return true
		})
	}
	if found < 20 {
		t.Errorf("found %d atomics: what are they called now?", found)
	}
}

// firstColumns returns the first column of each row of a page's tables.
func firstColumns(page string) string {
	var b strings.Builder
	for line := range strings.Lines(page) {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			b.WriteString(cells[1] + "\n")
		}
	}
	return b.String()
}

// isAtomic tells whether a type is one of sync/atomic's or go.uber.org/atomic's, or an array or slice of one.
func isAtomic(typ ast.Expr) bool {
	switch typ := typ.(type) {
	case *ast.ArrayType:
		return isAtomic(typ.Elt)
	case *ast.IndexExpr:
		return isAtomic(typ.X)
	case *ast.SelectorExpr:
		p, ok := typ.X.(*ast.Ident)
		return ok && (p.Name == "atomic" || p.Name == "uatomic")
	}
	return false
}

// TestNounsAreInTheVocabulary looks for each exported type.
func TestNounsAreInTheVocabulary(t *testing.T) {
	words := make(map[string]bool)
	for _, w := range regexp.MustCompile(`\w+`).FindAllString(firstColumns(read(t, "docs/vocabulary.md")), -1) {
		words[w] = true
	}
	for _, path := range files(t, ".go") {
		if strings.HasSuffix(path, "_test.go") && !strings.HasSuffix(path, "export_test.go") {
			continue
		}
		for _, decl := range parse(t, path).Decls {
			types, ok := decl.(*ast.GenDecl)
			if !ok || types.Tok != token.TYPE {
				continue
			}
			for _, spec := range types.Specs {
				if name := spec.(*ast.TypeSpec).Name; name.IsExported() && !words[name.Name] {
					t.Errorf("%s: %s is not in docs/vocabulary.md", path, name.Name)
				}
			}
		}
	}
}

var (
	fence = regexp.MustCompile("(?ms)^```.*?^```$")
	link  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	named = regexp.MustCompile("`([a-z./]+)\\.((?:Test|Fuzz|Benchmark|Example)\\w+)`")
)

// TestLinks looks whether every file that a page links is there, and every test that it names.
func TestLinks(t *testing.T) {
	functions := make(map[string]bool)
	for _, path := range files(t, ".go") {
		if !strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, decl := range parse(t, path).Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil {
				functions[filepath.ToSlash(filepath.Dir(path))+"."+f.Name.Name] = true
			}
		}
	}
	for _, page := range files(t, ".md") {
		text := fence.ReplaceAllString(read(t, page), "")
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target, place, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			to := page
			if target != "" {
				to = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(filepath.Join(rootPath, to)); err != nil {
				t.Errorf("%s links %s: %v", page, m[1], err)
			} else if place != "" && !slices.Contains(headings(read(t, to)), place) {
				t.Errorf("%s links %s, and no heading of %s is called so", page, m[1], to)
			}
		}
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			if !functions[m[1]+"."+m[2]] {
				t.Errorf("%s names %s.%s, which is nowhere", page, m[1], m[2])
			}
		}
	}
}

var heading = regexp.MustCompile(`(?m)^#+ (.*)$`)

// headings returns the names under which a page's headings are linked, as GitHub makes them.
func headings(page string) (names []string) {
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
		name := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		names = append(names, strings.ReplaceAll(name, " ", "-"))
	}
	return names
}

// TestPromisesAreTested looks whether each promise in core's package comment has the test of its name.
func TestPromisesAreTested(t *testing.T) {
	text := read(t, "core/doc.go")
	for n := 1; n <= 10; n++ {
		if !strings.Contains(text, fmt.Sprintf("//   - G%d ", n)) {
			t.Errorf("core/doc.go does not promise G%d", n)
		}
		prefix, tested := fmt.Sprintf("func TestG%d", n), false
		for _, path := range files(t, ".go") {
			if strings.HasPrefix(path, "core/promises_") && regexp.MustCompile(prefix+`[A-Z]`).MatchString(read(t, path)) {
				tested = true
			}
		}
		if !tested {
			t.Errorf("no test in core/promises_*_test.go is named for G%d", n)
		}
	}
}
