package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/bench/judge"
	"github.com/spillwayhq/spillway/bench/regress"
)

// printing is a bench whose P1z prints always the same.
const printing = `package bench

import "testing"

func BenchmarkP1z(b *testing.B) {
	%s
	b.ReportAllocs()
	b.ReportMetric(%v, "x-rawoffer")
	b.ReportMetric(%v, "version")
	b.ReportMetric(%v, "allocs/op")
}
`

// A small tree, whose bench has one row, is compared with what it was when it recorded its figures, from the flags to the exit code.
func TestRegress(t *testing.T) {
	needsGo(t)
	row := func(ratio float64, version, allocs int) string {
		return fmt.Sprintf(printing, "", ratio, version, allocs)
	}
	broken := fmt.Sprintf(printing, `b.Fatal("it lost one")`, 1, 1, 0)
	for _, test := range []struct {
		name         string
		base, change string // the bench, before and after; "": there is none
		recorded     string // a row that the history has
		code         int
		want         []string // in the output or the notes
		twice        bool     // a second table
	}{
		{name: "the base has no bench", change: row(1, 1, 0), want: []string{"has no bench: there is nothing to compare with"}},
		{name: "the same", base: row(1, 1, 0), change: row(1, 1, 0), want: []string{"both build the same binary: there is nothing to compare"}},
		{name: "no matter", base: row(1, 1, 0), change: row(1.09, 1, 0), want: []string{"P1z x-rawoffer 1 1.09 +9.0 % 10.0 %", "~\n"}},
		{name: "better", base: row(1, 1, 0), change: row(0.5, 1, 0), want: []string{"better\n"}},
		{name: "worse", base: row(1, 1, 0), change: row(1.2, 1, 0), code: exitFailure, want: []string{"WORSE\n", "gate: the change is worse than the base"}, twice: true},
		{name: "it allocates", base: row(1, 1, 0), change: row(1, 1, 1), code: exitFailure, want: []string{"ALLOCATES MORE\n"}, twice: true},
		{name: "it measures something else", base: row(1, 1, 0), change: row(9, 2, 9), want: []string{"measures something else\n"}},
		{name: "the base can't be built", base: "package bench\nfunc", change: row(1, 1, 0), code: exitFailure, want: []string{"gate: base ", "building the bench", "record a new one"}},
		{name: "the change can't be built", base: row(1, 1, 0), change: "package bench\nfunc", code: exitFailure, want: []string{"gate: building the bench"}},
		{name: "the base fails its row", base: broken, change: row(1, 1, 0), want: []string{"P1z: not compared, since the base itself fails it", "it lost one"}},
		{name: "the change fails its row", base: row(1, 1, 0), change: broken, code: exitFailure, want: []string{"gate: P1z of change0.test", "it lost one"}},
		{name: "a row is gone", base: row(1, 1, 0), change: row(1.01, 1, 0), recorded: "P0old", want: []string{"P0old: not measured any more\n", "P1z x-rawoffer"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRepository(t)
			scratch := t.TempDir()
			t.Setenv("TMPDIR", scratch)
			r.write("go.mod", "module tiny\n\ngo 1.26\n")
			if test.base != "" {
				r.write("bench/p1z_test.go", test.base)
			}
			r.commit(historyFile, fmt.Sprintf(`{"rows":[{"row":%q}]}`, "P1z"+test.recorded))
			if test.recorded != "" {
				r.commit(historyFile, fmt.Sprintf(`{"rows":[{"row":%q}]}`, test.recorded))
			}
			r.write("bench/p1z_test.go", test.change)
			r.commit("other", "")
			code, out, notes := runGate("--regress", "--row", "P1z")
			if code != test.code {
				t.Errorf("exit %d, want %d", code, test.code)
			}
			said := columns.ReplaceAllString(out+notes, " ")
			for _, want := range test.want {
				if !strings.Contains(said, want) {
					t.Errorf("want %q in\n%s", want, said)
				}
			}
			if again := strings.Contains(said, "rows that look worse: 1."); again != test.twice {
				t.Errorf("compared twice: %v, want %v, in\n%s", again, test.twice, said)
			}
			if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
			if trees := r.git("worktree", "list"); strings.Contains(trees, "\n") {
				t.Errorf("worktrees: %s", trees)
			}
		})
	}
}

// figures is a gate's once that makes up what a binary measures: of the base always 1, of the change what figure says of the n-th time.
func figures(figure func(row string, n int) float64) func(context.Context, string, bench.Row, regress.Samples) error {
	times := make(map[string]int)
	return func(_ context.Context, binary string, row bench.Row, into regress.Samples) error {
		f := 1.0
		if binary == "change" {
			f = figure(row.Name(), times[row.Name()])
			times[row.Name()]++
		}
		return into.Read(strings.NewReader(fmt.Sprintf("Benchmark%s-2 1 %v x-it 1 version 0 allocs/op\n", row.Name(), f)), row.Name())
	}
}

// What looks worse is compared once more, alone, and only what is found twice is bad.
func TestCompareTwice(t *testing.T) {
	t.Chdir(t.TempDir())
	rows := []bench.Row{{ID: "P0a"}, {ID: "P0b"}, {ID: "P0c"}}
	measured := make(map[string]int)
	var out strings.Builder
	g := &gate{out: &out, notes: &strings.Builder{}, once: figures(func(row string, n int) float64 {
		measured[row] = n + 1
		switch {
		case row == "P0b" && n < turns: // a neighbour
			return 1.5
		case row == "P0c":
			return 1.2
		}
		return 1
	})}
	lines, err := g.compareTwice(t.Context(), []string{"base"}, []string{"change"}, rows)
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 2 || lines[0].Row != "P0b" || bad(lines[0]) || lines[1].Row != "P0c" || lines[1].Verdict != regress.Worse {
		t.Errorf("got %+v, want P0b cleared and P0c worse", lines)
	}
	if measured["P0a"] != turns || measured["P0b"] != 2*turns || measured["P0c"] != 2*turns {
		t.Errorf("measured %v, want %d turns of P0a and twice as many of the others", measured, turns)
	}
	if got := strings.Count(out.String(), "verdict"); got != 2 {
		t.Errorf("%d tables, want two:\n%s", got, &out)
	}
}

// What the base fails once, however late, is no row of the comparison: it isn't new either.
func TestCompareLeavesOutWhatTheBaseFails(t *testing.T) {
	t.Chdir(t.TempDir())
	measure, times := figures(func(string, int) float64 { return 1 }), 0
	var out strings.Builder
	g := &gate{out: &out, notes: &strings.Builder{}, once: func(ctx context.Context, binary string, row bench.Row, into regress.Samples) error {
		if binary == "base" && row.ID == "P0a" {
			if times++; times == 3 {
				return errors.New("it lost one")
			}
		}
		return measure(ctx, binary, row, into)
	}}
	lines, err := g.compare(t.Context(), []string{"base"}, []string{"change"}, []bench.Row{{ID: "P0a"}, {ID: "P0b"}})
	if err != nil || len(lines) != 1 || lines[0].Row != "P0b" || times != 3 || !strings.Contains(out.String(), "P0a: not compared, since the base itself fails it: it lost one") {
		t.Errorf("got %+v, %v, after %d times of P0a in the base; want P0b alone, after 3\n%s", lines, err, times, &out)
	}
}

// Both sides of a turn have the same layout, each layout in as many turns as the others.
func TestCompareChangesLayouts(t *testing.T) {
	t.Chdir(t.TempDir())
	var order []string
	measure := figures(func(string, int) float64 { return 1 })
	g := &gate{out: &strings.Builder{}, notes: &strings.Builder{}, once: func(ctx context.Context, binary string, row bench.Row, into regress.Samples) error {
		order = append(order, binary)
		return measure(ctx, binary, row, into)
	}}
	if _, err := g.compare(t.Context(), []string{"a0", "a1"}, []string{"b0", "b1"}, []bench.Row{{ID: "P0"}}); err != nil {
		t.Fatal(err)
	}
	var want []string
	for range turns / 2 {
		want = append(want, "a0", "b0", "b1", "a1")
	}
	if !slices.Equal(order, want) {
		t.Errorf("ran %v, want %v", order, want)
	}
}

// needsGo skips a test that builds a few small binaries where that is too much, or can't be.
func needsGo(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds a few small binaries")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs go")
	}
}

// Calibrating compares equal code three times, each time laid out otherwise, and keeps the greatest difference of each row.
func TestCalibrate(t *testing.T) {
	needsGo(t)
	r := newRepository(t)
	r.write("go.mod", "module tiny\n\ngo 1.26\n")
	r.write("bench/p1z_test.go", fmt.Sprintf(printing, "", 1, 1, 0))
	times, equal := 0, 0
	g := &gate{out: &strings.Builder{}, notes: &strings.Builder{}, rows: []string{"P1z"}, round: 1}
	g.once = func(_ context.Context, binary string, row bench.Row, into regress.Samples) error {
		figure := 1.0
		if filepath.Base(binary) == "side1-0.test" {
			figure = []float64{1.02, 0.93, 1.04}[times/turns]
			times++
			if one, err := same([]string{binary}, []string{filepath.Join(filepath.Dir(binary), "side0-0.test")}); err != nil || one {
				equal++
			}
		}
		return into.Read(strings.NewReader(fmt.Sprintf("Benchmark%s-2 1 %v x-it 1 version\n", row.Name(), figure)), row.Name())
	}
	if err := g.runCalibrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	known, err := readBaselines()
	if noise := known[judge.ThisMachine().Key()].Noise["P1z"]; err != nil || math.Abs(noise-0.07) > 1e-9 || times != 3*turns || equal > 0 {
		t.Errorf("noise %v, %v, after %d turns, of %d binaries laid out alike; want 0.07, the greatest, after three times ten, and none", noise, err, times, equal)
	}
}

// An interrupt in the middle of the turns leaves nothing behind.
func TestRegressInterrupted(t *testing.T) {
	needsGo(t)
	r := newRepository(t)
	scratch := t.TempDir()
	t.Setenv("TMPDIR", scratch)
	r.write("go.mod", "module tiny\n\ngo 1.26\n")
	r.write("bench/p1z_test.go", fmt.Sprintf(printing, "", 1, 1, 0))
	r.commit(historyFile, `{"rows":[]}`)
	r.write("bench/p1z_test.go", fmt.Sprintf(printing, "", 2, 1, 0))
	r.commit("other", "")
	ctx, cancel := context.WithCancel(t.Context())
	var out strings.Builder
	began := false
	g := &gate{out: &out, notes: &strings.Builder{}, rows: []string{"P1z"}, round: 1, once: func(ctx context.Context, binary string, _ bench.Row, _ regress.Samples) error {
		_, err := os.Stat(binary)
		began = err == nil
		cancel()
		return ctx.Err()
	}}
	if err := g.runRegress(ctx); err == nil || !began {
		t.Errorf("got %v, began: %v; want that it was interrupted while it measured\n%s", err, began, &out)
	}
	if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// What is compared: the quick rows, with --long the others, and together all.
func TestCompared(t *testing.T) {
	names := func(long bool) (names []string) {
		for _, r := range (&gate{round: 1, long: long}).compared() {
			names = append(names, r.Name())
		}
		return names
	}
	quick, long := names(false), names(true)
	if len(quick)+len(long) != len(bench.Rows()) || !slices.Contains(quick, "P1z") || !slices.Contains(long, "P9/sink=free") {
		t.Errorf("quick %v, long %v", quick, long)
	}
}
