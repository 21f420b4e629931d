package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// lastHazard is the last that there is.
const lastHazard = 220

// starred are the hazards that may not be excused.
var starred = []int{
	1, 3, 4, 6, 7, 8, 16, 17, 22, 24, 28, 29, 30, 32, 34, 37,
	42, 43, 44, 45, 48, 50, 57, 60, 64, 65,
	77, 78, 79, 82, 85, 97,
	98, 99, 100, 103, 104, 106, 109, 111, 113, 116, 117, 119, 122, 124,
	131, 132, 133, 139, 142, 144, 147, 148, 151, 152, 154,
	163, 166, 167, 169, 170, 171, 177, 179, 182, 186, 188, 193,
	201, 202, 203, 213,
}

// parts are what a row may wait for.
var parts = []string{"sse", "follow", "disklog", "journal", "checkpoint", "worker", "jetstream", "serve", "dashboard", "cli"}

var (
	hazardRow  = regexp.MustCompile(`^\| H(\d+)( ★)? \| [^|]+ \| ([^|]+) \|$`)
	namedTest  = regexp.MustCompile("`([a-z/]+)\\.((?:Test|Fuzz)\\w+)`")
	comingWith = regexp.MustCompile(`comes? with ([a-z, ]+)`)
)

// A hazard is a row of hazards.md.
type hazard struct {
	starred  bool
	tests    []string // directory.Function
	awaiting []string // parts
}

// TestHazards holds hazards.md against the tree: each hazard has its row, each test that is named exists, and
// no row is without one, or without the part that brings it.
func TestHazards(t *testing.T) {
	rows := readHazards(t)
	declared := make(map[string][]string) // by directory
	for id := 1; id <= lastHazard; id++ {
		row, ok := rows[id]
		if !ok {
			t.Errorf("H%d has no row", id)
			continue
		}
		if want := slices.Contains(starred, id); row.starred != want {
			t.Errorf("H%d: has a star: %v, want %v", id, row.starred, want)
		}
		if len(row.tests) == 0 && len(row.awaiting) == 0 {
			t.Errorf("H%d has neither a test nor a part that brings one", id)
		}
		for _, test := range row.tests {
			dir, name, _ := strings.Cut(test, ".")
			if _, read := declared[dir]; !read {
				declared[dir] = testsIn(t, filepath.Join("..", filepath.FromSlash(dir)))
			}
			if !slices.Contains(declared[dir], name) {
				t.Errorf("H%d names %s, which does not exist", id, test)
			}
		}
	}
	if len(rows) != lastHazard {
		t.Errorf("%d rows, want %d", len(rows), lastHazard)
	}
}

// TestHazardsNamedInTests: a test that bears a hazard's number stands in that hazard's row.
func TestHazardsNamedInTests(t *testing.T) {
	rows := readHazards(t)
	number := regexp.MustCompile(`^(?:Test|Fuzz)H(\d+)[A-Z]`)
	dirs := []string{"core", "region", "adapters", "cursor", "docs"}
	for _, pattern := range []string{"adapters/*", "adapters/internal/*", "cursor/*"} {
		found, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(pattern)))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d found, %v", pattern, len(found), err)
		}
		for _, dir := range found {
			if info, err := os.Stat(dir); err == nil && info.IsDir() {
				dirs = append(dirs, strings.TrimPrefix(filepath.ToSlash(dir), "../"))
			}
		}
	}
	for _, dir := range dirs {
		for _, name := range testsIn(t, filepath.Join("..", filepath.FromSlash(dir))) {
			m := number.FindStringSubmatch(name)
			if m == nil {
				continue
			}
			var id int
			_, _ = fmt.Sscan(m[1], &id)
			if !slices.Contains(rows[id].tests, dir+"."+name) {
				t.Errorf("%s.%s is not in the row of H%d", dir, name, id)
			}
		}
	}
}

func readHazards(t *testing.T) map[int]hazard {
	t.Helper()
	text, err := os.ReadFile("hazards.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[int]hazard)
	for n, line := range strings.Split(string(text), "\n") {
		if !strings.HasPrefix(line, "| H") {
			continue
		}
		m := hazardRow.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("hazards.md:%d: not of the form | H1 ★ | what must hold | by |", n+1)
			continue
		}
		var id int
		_, _ = fmt.Sscan(m[1], &id)
		if _, twice := rows[id]; twice {
			t.Errorf("hazards.md:%d: a second row for H%d", n+1, id)
		}
		row := hazard{starred: m[2] != ""}
		for _, test := range namedTest.FindAllStringSubmatch(m[3], -1) {
			row.tests = append(row.tests, test[1]+"."+test[2])
		}
		for _, phrase := range comingWith.FindAllStringSubmatch(m[3], -1) {
			for _, part := range parts {
				if strings.Contains(phrase[1], part) {
					row.awaiting = append(row.awaiting, part)
				}
			}
		}
		rows[id] = row
	}
	return rows
}

// testsIn returns the names of the tests and fuzz targets that a directory's test files declare, under
// whatever build tag.
func testsIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if ok && fn.Recv == nil && (strings.HasPrefix(fn.Name.Name, "Test") || strings.HasPrefix(fn.Name.Name, "Fuzz")) {
				names = append(names, fn.Name.Name)
			}
		}
	}
	return names
}
