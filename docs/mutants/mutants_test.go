// Package mutants_test breaks each promise on purpose, and looks whether the test that guards it notices.
package mutants_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// enabled is the environment variable without which the mutants rest: they take minutes.
const enabled = "SPILLWAY_MUTANTS"

// A mutant is a patch, and the test that kills it.
type mutant struct {
	patch    string
	test     string
	pack     string   // its package, as the go command is told
	flags    []string // of go test
	promises []string
}

var (
	killsLine   = regexp.MustCompile(`(?m)^Kills: (\w+) (\./\S+)(.*)$`)
	promiseLine = regexp.MustCompile(`(?m)^Promise: (G\d+)$`)
)

func readMutants(t *testing.T) (ms []mutant) {
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
		kills, promise := killsLine.FindSubmatch(text), promiseLine.FindSubmatch(text)
		if kills == nil || promise == nil {
			t.Fatalf("%s: want a line \"Kills: TEST ./package [flags]\" and a line \"Promise: Gn\"", path)
		}
		ms = append(ms, mutant{
			patch: path, test: string(kills[1]), pack: string(kills[2]),
			flags: strings.Fields(string(kills[3])), promises: []string{string(promise[1])},
		})
	}
	return ms
}

// TestMutantsCoverThePromises looks whether each promise has a mutant, and the page names each mutant.
func TestMutantsCoverThePromises(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var promised []string
	for _, m := range readMutants(t) {
		promised = append(promised, m.promises...)
		if name := strings.TrimSuffix(m.patch, ".patch"); !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("README.md has no row for %s", name)
		}
	}
	for n := 1; n <= 10; n++ {
		if g := fmt.Sprintf("G%d", n); !slices.Contains(promised, g) {
			t.Errorf("no mutant breaks %s", g)
		}
	}
}

// TestMutants applies each patch to a copy of the tree, where the test that it names must fail. It must
// pass without the patch, or its failure would say nothing.
func TestMutants(t *testing.T) {
	if os.Getenv(enabled) == "" {
		t.Skipf("runs in a step of its own, with %s=1", enabled)
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	ms := readMutants(t)
	var sound []string // what has been seen to pass
	for _, m := range ms {
		if key := fmt.Sprint(m.test, m.pack, m.flags); !slices.Contains(sound, key) {
			sound = append(sound, key)
			out, err := m.run(t.Context(), root)
			if err == nil && bytes.Contains(out, []byte("no tests to run")) {
				err = errors.New("there is no such test in that package, with those flags")
			}
			if err != nil {
				t.Fatalf("%s fails without a mutant: %v\n%s", m.test, err, out)
			}
		}
	}
	workers := make(chan struct{}, 2)
	for _, m := range ms {
		t.Run(strings.TrimSuffix(m.patch, ".patch"), func(t *testing.T) {
			t.Parallel()
			workers <- struct{}{}
			defer func() { <-workers }()
			tree := t.TempDir()
			if err := copySources(root, tree); err != nil {
				t.Fatal(err)
			}
			m.apply(t, tree)
			if out, err := m.build(t.Context(), tree); err != nil {
				t.Fatalf("the patched tree does not build: %v\n%s", err, out)
			}
			out, err := m.run(t.Context(), tree)
			switch {
			case err == nil:
				t.Errorf("%s survives: %s passes\n%s", m.patch, m.test, out)
			case !bytes.Contains(out, []byte("--- FAIL: "+m.test)) && !bytes.Contains(out, []byte("panic: ")) && !bytes.Contains(out, []byte("fatal error: ")):
				t.Errorf("%s: the run fails for another reason than %s: %v\n%s", m.patch, m.test, err, out)
			}
		})
	}
}

// apply patches the tree.
func (m *mutant) apply(t *testing.T, tree string) {
	t.Helper()
	patch, err := filepath.Abs(m.patch)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "git", "apply", "--whitespace=nowarn", patch)
	cmd.Dir = tree
	// The copy is no repository; git must not take the one above it for its own.
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(tree))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git apply: %v\n%s", err, out)
	}
}

func (m *mutant) build(ctx context.Context, tree string) ([]byte, error) {
	return gotool(ctx, tree, append([]string{"test", "-trimpath", "-vet=off", "-run", "^$"}, append(m.flags, m.pack)...)...)
}

func (m *mutant) run(ctx context.Context, tree string) ([]byte, error) {
	args := []string{"test", "-count=1", "-trimpath", "-vet=off", "-timeout=60s", "-run", "^" + m.test + "$"}
	return gotool(ctx, tree, append(args, append(m.flags, m.pack)...)...)
}

func gotool(ctx context.Context, dir string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	return cmd.CombinedOutput()
}

// copySources copies the module, less what no build reads.
func copySources(from, to string) error {
	return filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		switch {
		case d.IsDir() && relative != "." && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case d.IsDir():
			return os.MkdirAll(target, 0o777)
		case !d.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, text, 0o666)
	})
}
