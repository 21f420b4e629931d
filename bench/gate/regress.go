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
	if err := checkOut(ctx, base, tree); err != nil {
		return err
	}
	if has, err := hasBench(tree); err != nil || !has {
		fmt.Fprintf(g.out, "base %s has no bench: there is nothing to compare with\n", base)
		return err
	}
	from, err := build(ctx, tree, filepath.Join(dir, "base"), 1)
	if err != nil {
		return fmt.Errorf("base %s: %w\nwhere it can't be built any more, record a new one: go run ./bench/gate --record", base, err)
	}
	to, err := build(ctx, ".", filepath.Join(dir, "change"), 1)
	if err != nil {
		return err
	}
	fmt.Fprintf(g.out, "base %s, %d turns, %v\n", base, turns, judge.ThisMachine())
	if one, err := same(from, to); err != nil || one {
		fmt.Fprintln(g.out, "both build the same binary: there is nothing to compare")
		return err
	}
	gone, err := goneRows(ctx, base)
	if err != nil {
		return err
	}
	for _, row := range gone {
		fmt.Fprintf(g.out, "%s: %s\n", row, regress.Gone)
	}
	fmt.Fprintln(g.out)
	lines, err := g.compareTwice(ctx, from, to, g.compared())
	if err != nil {
		return err
	}
	if slices.ContainsFunc(lines, bad) {
		return errWorse
	}
	return nil
}

// runCalibrate compares this tree with itself, and keeps the greatest difference of three comparisons. No two of their builds
// have a layout in common, since any change to the code makes others, too.
func (g *gate) runCalibrate(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "gate")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	noise := make(map[string]float64)
	for i := range 3 {
		var sides [2][]string
		for j := range sides {
			if sides[j], err = build(ctx, ".", filepath.Join(dir, fmt.Sprintf("side%d-", j)), 1+(2*i+j)*layouts); err != nil {
				return err
			}
		}
		lines, err := g.compare(ctx, sides[0], sides[1], g.compared())
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

// compared returns the rows that are compared: the quick ones, with --long the others, or those that --row names.
func (g *gate) compared() []bench.Row {
	rows, err := g.chosen()
	if err != nil || len(g.rows) > 0 {
		return rows // what --row names has been looked at before
	}
	return slices.DeleteFunc(rows, func(r bench.Row) bool { return r.Quick == g.long })
}

func bad(l regress.Line) bool { return l.Verdict.Bad() }

// compareTwice compares two builds, and those rows once more that look worse. A row is worse if it is so both times: what a
// neighbour did to it for some minutes he will hardly do again, and whoever changed the code does.
func (g *gate) compareTwice(ctx context.Context, from, to []string, rows []bench.Row) ([]regress.Line, error) {
	lines, err := g.compare(ctx, from, to, rows)
	if err != nil {
		return nil, err
	}
	var again []bench.Row
	for _, r := range rows {
		if slices.ContainsFunc(lines, func(l regress.Line) bool { return l.Row == r.Name() && bad(l) }) {
			again = append(again, r)
		}
	}
	if len(again) == 0 {
		return lines, nil
	}
	fmt.Fprintf(g.out, "\nrows that look worse: %d. They are compared once more, and what is found twice counts.\n\n", len(again))
	return g.compare(ctx, from, to, again)
}

// compare runs two builds in turns, in changing order, and prints the table. Each turn has the next of their binaries, of one layout on
// both sides. What the first build can't measure is left out.
func (g *gate) compare(ctx context.Context, from, to []string, rows []bench.Row) ([]regress.Line, error) {
	base, change := make(regress.Samples), make(regress.Samples)
	sides := []struct {
		binaries []string
		samples  regress.Samples
		isBase   bool
	}{{from, base, true}, {to, change, false}}
	failed := make(map[string]bool)
	for turn := range turns {
		for i := range sides {
			s := sides[(i+turn)%2]
			binary := s.binaries[turn%len(s.binaries)]
			fmt.Fprintf(g.notes, "turn %d of %d, %s \r", turn+1, turns, filepath.Base(binary))
			for _, row := range rows {
				if failed[row.Name()] {
					continue
				}
				switch err := g.once(ctx, binary, row, s.samples); {
				case err == nil:
				case ctx.Err() != nil || !s.isBase:
					return nil, err
				default:
					failed[row.Name()] = true
					fmt.Fprintf(g.out, "%s: not compared, since the base itself fails it: %v\n", row.Name(), err)
				}
			}
		}
	}
	for row := range failed {
		delete(base, row)
		delete(change, row)
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
