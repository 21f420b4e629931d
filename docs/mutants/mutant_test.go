package mutants_test

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A mutant is a patch, and the test that kills it.
type mutant struct {
	patch   string
	test    string
	pack    string   // its package, as the go command is told
	flags   []string // of go test
	promise string   // Gn, or the package whose own promise it is
	files   []string // that it changes
}

var (
	killsLine   = regexp.MustCompile(`(?m)^Kills: (\w+) (\./\S+)(.*)$`)
	promiseLine = regexp.MustCompile(`(?m)^Promise: (G\d+|[a-z]+(?:/[a-z]+)*)$`)
	changedLine = regexp.MustCompile(`(?m)^\+\+\+ b/(\S+)$`)
)

func readMutants(t *testing.T) (ms []*mutant) {
	t.Helper()
	paths, err := filepath.Glob("*.patch")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		m := &mutant{patch: path}
		kills, promise := killsLine.FindSubmatch(text), promiseLine.FindSubmatch(text)
		if kills == nil || promise == nil {
			t.Fatalf("%s: want a line \"Kills: TEST ./package [flags]\" and a line \"Promise: Gn\" or \"Promise: package\"", path)
		}
		m.test, m.pack, m.flags = string(kills[1]), string(kills[2]), strings.Fields(string(kills[3]))
		m.promise = string(promise[1])
		for _, file := range changedLine.FindAllSubmatch(text, -1) {
			m.files = append(m.files, string(file[1]))
		}
		if !m.touchesItsPackage() {
			t.Errorf("%s breaks nothing in %s", path, m.promise)
		}
		ms = append(ms, m)
	}
	return ms
}

// touchesItsPackage tells whether a mutant that breaks a package's own promise changes that package, or what it embeds.
func (m *mutant) touchesItsPackage() bool {
	return m.promise[0] == 'G' || slices.ContainsFunc(m.files, func(file string) bool {
		dir := path.Dir(file)
		return dir == m.promise || dir == m.promise+"/assets"
	})
}

func (m *mutant) name() string { return strings.TrimSuffix(m.patch, ".patch") }

// row is the mutant's in README.md.
func (m *mutant) row() string {
	breaks := m.promise
	if breaks[0] != 'G' {
		breaks = "`" + breaks + "`"
	}
	return fmt.Sprintf("| `%s` | %s | `%s.%s` |", m.name(), breaks, strings.TrimPrefix(m.pack, "./"), m.test)
}

// TestMutantsApply finds in a moment what the mutants themselves would find in minutes: a patch of code that has changed.
func TestMutantsApply(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs git")
	}
	for _, m := range readMutants(t) {
		patch, err := filepath.Abs(m.patch)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "git", "apply", "--check", patch)
		cmd.Dir = filepath.Join("..", "..")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s has to be made anew: %s", m.patch, out)
		}
	}
}
