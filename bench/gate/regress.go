package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/bench/judge"
	"github.com/spillwayhq/spillway/bench/regress"
)

// turns is how often two builds alternate.
const turns = 10

// errWorse ends a comparison that found a loss.
var errWorse = errors.New("the change is worse than the base")

// runRegress compares this tree with the commit that last changed the history.
func (g *gate) runRegress(ctx context.Context) error {
	base, err := baseCommit(ctx)
	if err != nil {
		return err
	}
	if base == "" {
		fmt.Fprintf(g.out, "no commit before HEAD has changed %s: there is nothing to compare with\n", historyFile)
		return nil
	}
	dir, err := os.MkdirTemp("", "gate")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	tree := filepath.Join(dir, "base")
	if _, err := git(ctx, "worktree", "add", "--detach", tree, base); err != nil {
		return err
	}
	defer func() { _, _ = git(context.WithoutCancel(ctx), "worktree", "remove", "--force", tree) }()
	from, err := build(ctx, tree, filepath.Join(dir, "base.test"))
	if err != nil {
		return fmt.Errorf("base %s: %w", base, err)
	}
	to, err := build(ctx, ".", filepath.Join(dir, "change.test"))
	if err != nil {
		return err
	}
	fmt.Fprintf(g.out, "base %s, %d turns, %v\n\n", base, turns, judge.ThisMachine())
	lines, err := g.compare(ctx, from, to, g.compared())
	if err != nil {
		return err
	}
	if slices.ContainsFunc(lines, func(l regress.Line) bool { return l.Verdict.Bad() }) {
		return errWorse
	}
	return nil
}

// runCalibrate compares this tree with itself, and keeps the greatest difference of three comparisons.
func (g *gate) runCalibrate(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "gate")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary, err := build(ctx, ".", filepath.Join(dir, "it.test"))
	if err != nil {
		return err
	}
	noise := make(map[string]float64)
	for range 3 {
		lines, err := g.compare(ctx, binary, binary, g.compared())
		if err != nil {
			return err
		}
		for row, n := range regress.Noise(lines) {
			noise[row] = max(noise[row], n)
		}
	}
	return keep(judge.ThisMachine(), func(k *kept) {
		maps.Copy(k.Noise, noise)
	})
}

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
	}
	parents, err := git(ctx, "rev-list", "--parents", "-1", "HEAD")
	if err != nil {
		return "", err
	}
	if !strings.Contains(parents, " ") {
		return "", nil // HEAD is the first commit
	}
	return git(ctx, "rev-list", "-1", "HEAD^", "--", historyFile)
}

// build makes the bench of a tree a binary.
func build(ctx context.Context, tree, binary string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-o", binary, "./bench")
	cmd.Dir = tree
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the bench: %w\n%s", err, out)
	}
	return binary, nil
}

// compared returns the rows that are compared: the quick ones, with --long the others, or those that --row names.
func (g *gate) compared() []bench.Row {
	rows, err := g.chosen()
	if err != nil || len(g.rows) > 0 {
		return rows // what --row names has been looked at before
	}
	return slices.DeleteFunc(rows, func(r bench.Row) bool { return r.Quick == g.long })
}

// compare runs two binaries in turns, in changing order, and prints the table.
func (g *gate) compare(ctx context.Context, from, to string, rows []bench.Row) ([]regress.Line, error) {
	base, change := make(regress.Samples), make(regress.Samples)
	sides := []struct {
		binary  string
		samples regress.Samples
	}{{from, base}, {to, change}}
	for turn := range turns {
		for i := range sides {
			s := sides[(i+turn)%2]
			fmt.Fprintf(g.notes, "turn %d of %d, %s \r", turn+1, turns, filepath.Base(s.binary))
			for _, row := range rows {
				if err := measureOnce(ctx, s.binary, row, s.samples); err != nil {
					return nil, err
				}
			}
		}
	}
	known, err := readBaselines()
	if err != nil {
		return nil, err
	}
	lines := regress.Compare(base, change, known[judge.ThisMachine().Key()].Noise)
	return lines, regress.Write(g.out, lines)
}

// measureOnce has a binary measure one row, briefly. A binary that doesn't have the row prints nothing.
func measureOnce(ctx context.Context, binary string, row bench.Row, into regress.Samples) error {
	parts := strings.Split(row.Name(), "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	parts[0] = "^Benchmark" + strings.TrimPrefix(parts[0], "^")
	cmd := exec.CommandContext(ctx, binary, "-test.run", "^$", "-test.bench", strings.Join(parts, "/"), "-test.benchtime", "100ms")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s of %s: %w\n%s%s", row.Name(), filepath.Base(binary), err, out, stderr.String())
	}
	return into.Read(bytes.NewReader(out), row.Name())
}
