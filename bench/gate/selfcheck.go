package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/bench/regress"
)

var (
	patchRow     = regexp.MustCompile(`(?m)^Row: (\S+)$`)
	patchVerdict = regexp.MustCompile(`(?m)^Verdict: (.+)$`)
)

// runSelfcheck applies each patch to a copy of this tree, and expects that the comparison with this tree catches it, by
// the verdict and in the row that the patch names.
func (g *gate) runSelfcheck(ctx context.Context) error {
	patches, err := filepath.Glob("bench/regress/*.patch")
	if err != nil {
		return err
	}
	if len(patches) == 0 {
		return fmt.Errorf("no bench/regress/*.patch here: run it from the root of the tree")
	}
	dir, err := os.MkdirTemp("", "gate")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	base, err := build(ctx, ".", filepath.Join(dir, "base"), 1)
	if err != nil {
		return err
	}
	missed := 0
	for _, patch := range patches {
		caught, err := g.catches(ctx, patch, base, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", patch, err)
		}
		if !caught {
			missed++
		}
	}
	fmt.Fprintf(g.out, "%d of %d caught\n", len(patches)-missed, len(patches))
	if missed > 0 {
		return errShort
	}
	return nil
}

func (g *gate) catches(ctx context.Context, patch string, base []string, dir string) (caught bool, err error) {
	text, err := os.ReadFile(patch)
	if err != nil {
		return false, err
	}
	row, want := patchRow.FindSubmatch(text), patchVerdict.FindSubmatch(text)
	if row == nil || want == nil {
		return false, fmt.Errorf("it has no lines that begin with Row and Verdict")
	}
	rows, err := bench.RowsOf(string(row[1]))
	if err != nil {
		return false, err
	}
	tree := filepath.Join(dir, "tree")
	if err := os.CopyFS(tree, os.DirFS(".")); err != nil {
		return false, err
	}
	defer func() { _ = os.RemoveAll(tree) }()
	absolute, err := filepath.Abs(patch)
	if err != nil {
		return false, err
	}
	apply := exec.CommandContext(ctx, "git", "apply", absolute)
	apply.Dir = tree
	if out, err := apply.CombinedOutput(); err != nil {
		return false, fmt.Errorf("git apply: %w\n%s", err, out)
	}
	change, err := build(ctx, tree, filepath.Join(dir, "change"), 1)
	if err != nil {
		return false, err
	}
	fmt.Fprintf(g.out, "%s\n", patch)
	lines, err := g.compareTwice(ctx, base, change, rows)
	if err != nil {
		return false, err
	}
	caught = slices.ContainsFunc(lines, func(l regress.Line) bool { return l.Verdict == regress.Verdict(want[1]) })
	if !caught {
		fmt.Fprintf(g.out, "NOT CAUGHT: want %s\n", want[1])
	}
	fmt.Fprintln(g.out)
	return caught, nil
}
