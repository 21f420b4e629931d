package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spillwayhq/spillway/bench"
)

// baseCommit returns the commit that last changed the history before HEAD; "" where none has. A clone without
// history gets it first.
func baseCommit(ctx context.Context) (string, error) {
	shallow, err := git(ctx, "rev-parse", "--is-shallow-repository")
	if err != nil {
		return "", err
	}
	if shallow == "true" {
		if _, err := git(ctx, "fetch", "--unshallow"); err != nil {
			return "", fmt.Errorf("this clone has no history to compare with, and can't fetch it: %w", err)
		}
		if shallow, err = git(ctx, "rev-parse", "--is-shallow-repository"); err != nil {
			return "", err
		}
		if shallow == "true" {
			return "", fmt.Errorf("this clone has no history to compare with, and neither has what it was cloned from")
		}
	}
	parents, err := git(ctx, "rev-list", "--parents", "-1", "HEAD")
	if err != nil {
		return "", err
	}
	if !strings.Contains(parents, " ") {
		return "", nil // HEAD is the first commit
	}
	return git(ctx, "rev-list", "--topo-order", "-1", "HEAD^@", "--", historyFile) // of all its parents, where HEAD is a merge
}

// checkOut writes the files of a commit into a folder, with an index of its own: the clone knows nothing of it, so that there is
// nothing to undo but the folder, however this ends.
func checkOut(ctx context.Context, commit, tree string) error {
	if err := os.Mkdir(tree, 0o755); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "git", "--work-tree", tree, "checkout", "--quiet", commit, "--", ":/")
	cmd.Env = append(os.Environ(), "GIT_INDEX_FILE="+tree+".index")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("git checkout of %s: %w\n%s", commit, err, out)
	}
	return nil
}

// hasBench tells whether there is a bench in a tree.
func hasBench(tree string) (bool, error) {
	found, err := filepath.Glob(filepath.Join(tree, "bench", "*_test.go"))
	return len(found) > 0, err
}

// layouts is how many binaries there are of a build, the functions of each in another order. Where the linker happens to put them is
// worth some per cent in rows of a few nanoseconds, up to fifteen were seen, and any change to the code puts them elsewhere: so a
// comparison of two binaries compares two layouts too. Of several, their part is in the samples of both sides.
var layouts = 5 // fewer in tests

// build makes the bench of a tree into binaries, of the layouts that the linker makes of the numbers from first on. Two trees that
// say the same give the same binaries, wherever they lie.
func build(ctx context.Context, tree, path string, first int) (binaries []string, err error) {
	for i := range layouts {
		binary := fmt.Sprintf("%s%d.test", path, i)
		layout := fmt.Sprintf("-ldflags=-randlayout=%d", first+i)
		cmd := exec.CommandContext(ctx, "go", "test", "-c", "-trimpath", layout, "-o", binary, "./bench")
		cmd.Dir = tree
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("building the bench: %w\n%s", err, out)
		}
		binaries = append(binaries, binary)
	}
	return binaries, nil
}

// same tells whether two builds are one: whether their first binaries are.
func same(from, to []string) (bool, error) {
	a, err := os.ReadFile(from[0])
	if err != nil {
		return false, err
	}
	b, err := os.ReadFile(to[0])
	return bytes.Equal(a, b), err
}

// goneRows returns the rows that were recorded last at a commit and that there aren't any more.
func goneRows(ctx context.Context, commit string) (gone []string, err error) {
	there, err := git(ctx, "ls-tree", "--name-only", commit, "--", historyFile)
	if err != nil || there == "" {
		return nil, err // what the commit changed of it was to remove it
	}
	text, err := git(ctx, "show", commit+":"+historyFile)
	if err != nil {
		return nil, err
	}
	var last struct {
		Rows []struct {
			Row string `json:"row"`
		} `json:"rows"`
	}
	if err := json.Unmarshal([]byte(text[strings.LastIndexByte(text, '\n')+1:]), &last); err != nil {
		return nil, fmt.Errorf("%s of %s: %w", historyFile, commit, err)
	}
	for _, r := range last.Rows {
		if _, err := bench.RowsOf(r.Row); err != nil {
			gone = append(gone, r.Row)
		}
	}
	return gone, nil
}
