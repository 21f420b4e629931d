// Package mutants_test breaks each promise on purpose, and looks whether the test that guards it notices.
package mutants_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// enabled is the environment variable without which the mutants rest: they take minutes. At 1, a test kills one mutant of each
// promise that it guards, and a promise has eight at most; at "all", every one.
const enabled = "SPILLWAY_MUTANTS"

// slots are for the mutants that are built and run at a time.
var slots = make(chan struct{}, 2)

// inParallel has the test go on beside others, when there is a slot.
func inParallel(t *testing.T) {
	t.Parallel()
	slots <- struct{}{}
	t.Cleanup(func() { <-slots })
}

// TestMutants builds mutants, and for each runs the test that its patch names, which must fail. It must pass without
// the patch, or its failure would say nothing.
func TestMutants(t *testing.T) {
	if os.Getenv(enabled) == "" {
		t.Skipf("runs in a step of its own, with %s=1", enabled)
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	ms := readMutants(t)
	if os.Getenv(enabled) != "all" {
		ms = some(ms)
	}
	if !t.Run("none", func(t *testing.T) { passWithout(t, root, ms) }) {
		return
	}
	for _, m := range ms {
		t.Run(m.name(), func(t *testing.T) {
			inParallel(t)
			dir := t.TempDir()
			binary := filepath.Join(dir, "mutant.test")
			if out, err := m.build(t.Context(), root, binary, m.overlay(t, root, dir)); err != nil {
				t.Fatalf("the patched tree does not build: %v\n%s", err, out)
			}
			out, err := m.run(t, root, binary)
			switch {
			case err == nil:
				t.Errorf("%s survives: %s passes\n%s", m.patch, m.test, out)
			case !bytes.Contains(out, []byte("--- FAIL: "+m.test)) && !bytes.Contains(out, []byte("panic: ")) && !bytes.Contains(out, []byte("fatal error: ")):
				t.Errorf("%s: the run fails for another reason than %s: %v\n%s", m.patch, m.test, err, out)
			}
		})
	}
}

// mostOfAPromise is how many mutants of one promise .ci/run has time for.
const mostOfAPromise = 8

// some returns what .ci/run has time for: no further mutant of the same promise for the same test, and of a promise with many of those,
// some that are spread over them.
func some(ms []*mutant) (chosen []*mutant) {
	seen := make(map[string]bool)
	promises := make(map[string][]*mutant)
	for _, m := range ms {
		promise := fmt.Sprint(m.pack, m.promise)
		if key := fmt.Sprint(promise, m.flags, m.test); !seen[key] {
			seen[key] = true
			promises[promise] = append(promises[promise], m)
		}
	}
	for _, promise := range slices.Sorted(maps.Keys(promises)) {
		of := promises[promise]
		n := min(len(of), mostOfAPromise)
		for i := range n {
			chosen = append(chosen, of[i*len(of)/n])
		}
	}
	return chosen
}

// passWithout runs every test that kills a mutant on the tree as it is: each package is built once for all of its tests,
// and each test runs once.
func passWithout(t *testing.T, root string, ms []*mutant) {
	var (
		dir   = t.TempDir()
		built = make(map[string]string) // the binaries, by package and flags
		seen  = make(map[string]bool)
	)
	for _, m := range ms {
		key := fmt.Sprint(m.pack, m.flags)
		binary, ok := built[key]
		if !ok {
			binary = filepath.Join(dir, fmt.Sprintf("%d.test", len(built)))
			built[key] = binary
			if out, err := m.build(t.Context(), root, binary, ""); err != nil {
				t.Fatalf("%s does not build: %v\n%s", m.pack, err, out)
			}
		}
		if seen[key+m.test] {
			continue
		}
		seen[key+m.test] = true
		t.Run(m.test, func(t *testing.T) {
			inParallel(t)
			out, err := m.run(t, root, binary)
			if err != nil || bytes.Contains(out, []byte("no tests to run")) {
				t.Errorf("%s of %s %v fails without a mutant, or is not there: %v\n%s", m.test, m.pack, m.flags, err, out)
			}
		})
	}
}

// overlay patches copies of the files that the patch names, in dir, and returns the file that has the go command read those
// in place of the tree's: so what the patch doesn't touch is in the build cache already.
func (m *mutant) overlay(t *testing.T, root, dir string) string {
	t.Helper()
	replace := make(map[string]string)
	for _, file := range m.files {
		from, to := filepath.Join(root, filepath.FromSlash(file)), filepath.Join(dir, filepath.FromSlash(file))
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, text, 0o666); err != nil {
			t.Fatal(err)
		}
		replace[from] = to
	}
	patch, err := filepath.Abs(m.patch)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "git", "apply", "--whitespace=nowarn", patch)
	cmd.Dir = dir
	// The copies are no repository; git must not take one above them for theirs.
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git apply: %v\n%s", err, out)
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, text, 0o666); err != nil {
		t.Fatal(err)
	}
	return overlay
}

// build makes the test binary of the mutant's package; of the tree as it is, where overlay is empty. Nothing is inlined in that
// package, which saves a quarter of the time.
func (m *mutant) build(ctx context.Context, root, binary, overlay string) ([]byte, error) {
	args := []string{"test", "-c", "-o", binary, "-vet=off", "-gcflags=-l", "-ldflags=-s -w"}
	if overlay != "" {
		args = append(args, "-overlay="+overlay)
	}
	return command(ctx, root, "go", append(append(args, m.flags...), m.pack)...)
}

// run runs the test as go test would, up to its first failure: what a mutant does after that may never end. It runs in a
// copy of the package's directory, which is where a test that fails may leave how it did.
func (m *mutant) run(t *testing.T, root, binary string) ([]byte, error) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "package")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root, m.pack))); err != nil {
		t.Fatal(err)
	}
	return command(t.Context(), dir, binary, "-test.failfast", "-test.timeout=20s", "-test.run=^"+m.test+"$")
}

func command(ctx context.Context, dir, name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	return cmd.CombinedOutput()
}

// TestMutantsCoverThePromises looks whether each promise has a mutant that .ci/run builds, and each package of the adapters and of
// cursor, and whether the page says of each mutant what its patch does.
func TestMutantsCoverThePromises(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]bool)
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "| `") {
			rows[strings.TrimSpace(line)] = true
		}
	}
	ms := readMutants(t)
	for _, m := range ms {
		if !rows[m.row()] {
			t.Errorf("README.md has no row\n%s", m.row())
		}
		delete(rows, m.row())
	}
	for row := range rows {
		t.Errorf("README.md has a row for no mutant:\n%s", row)
	}
	broken := make(map[string]bool)
	for _, m := range some(ms) {
		broken[m.promise] = true
	}
	for n := 1; n <= 10; n++ {
		if g := fmt.Sprintf("G%d", n); !broken[g] {
			t.Errorf("no mutant breaks %s", g)
		}
	}
	for _, p := range append(packagesBelow(t, "adapters"), packagesBelow(t, "cursor")...) {
		if !broken[p] {
			t.Errorf("no mutant breaks %s", p)
		}
	}
}

// packagesBelow returns those that promise something: all but those that are there for tests.
func packagesBelow(t *testing.T, folder string) (packages []string) {
	t.Helper()
	root := os.DirFS(filepath.Join("..", ".."))
	err := fs.WalkDir(root, folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		sources, err := fs.Glob(root, path.Join(name, "*.go"))
		sources = slices.DeleteFunc(sources, func(file string) bool { return strings.HasSuffix(file, "_test.go") })
		if err == nil && len(sources) > 0 && !slices.Contains([]string{"adapters/internal/step", "adapters/internal/steptest", "cursor/internal/enginetest"}, name) {
			packages = append(packages, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return packages
}
