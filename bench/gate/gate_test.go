package main

import (
	"bytes"
	"context"
	"encoding/json"
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

// The gate measures each row by running itself; here that is this test.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "--alone" {
		main()
	}
	layouts = 1 // one build of each tree is enough to see what becomes of it
	os.Exit(m.Run())
}

// inRoot runs the test in the root of the tree, where the gate is run.
func inRoot(t *testing.T) {
	t.Helper()
	t.Chdir(filepath.Join("..", ".."))
}

func runGate(args ...string) (code int, out, notes string) {
	var o, n bytes.Buffer
	code = run(context.Background(), args, &o, &n)
	return code, o.String(), n.String()
}

func TestUsage(t *testing.T) {
	inRoot(t)
	for _, args := range [][]string{
		{"--row", "P0"},
		{"--row", "P1/subs=7"},
		{"--time", "0s"},
		{"--regress", "--peers"},
		{"--nothing"},
		{"P1"},
		{"--long"},
		{"--long", "--quick"},
		{"--json", "--regress"},
		{"--quick", "--selfcheck"},
		{"--row", "P1", "--peers"},
		{"--time", "1s", "--calibrate"},
	} {
		if code, out, notes := runGate(args...); code != exitUsage || out != "" || !strings.HasPrefix(notes, "gate: ") {
			t.Errorf("%v: exit %d, %q, %q; want 2, nothing, and why", args, code, out, notes)
		}
	}
}

// A quick run has what takes seconds, and all that is counted; a row that is named twice is measured once.
func TestChosen(t *testing.T) {
	names := func(g gate) (names []string) {
		g.round = 1
		rows, err := g.chosen()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			names = append(names, r.Name())
		}
		return names
	}
	all, quick := names(gate{}), names(gate{quick: true})
	if len(all) != len(bench.Rows()) || len(quick) >= len(all) {
		t.Errorf("%d rows, %d of them quick; want %d, and fewer", len(all), len(quick), len(bench.Rows()))
	}
	for name, want := range map[string]bool{"P1/subs=1": true, "P8/adapter=ring": true, "P9/sink=free": true, "P5/subs=1M": false} {
		if slices.Contains(quick, name) != want {
			t.Errorf("%s in a quick run: %v, want %v", name, !want, want)
		}
	}
	if got := names(gate{quick: true, rows: []string{"P5/subs=1M", "P9c", "P5/subs=1M"}}); !slices.Equal(got, []string{"P5/subs=1M", "P9c/sink=free", "P9c/sink=channel"}) {
		t.Errorf("named: %v", got)
	}
}

// A row by itself is measured, printed and judged; without a baseline's help of course, as the machine is busy testing.
func TestOneRow(t *testing.T) {
	if testing.Short() {
		t.Skip("measures for a moment")
	}
	inRoot(t)
	code, out, notes := runGate("--row", "P1z", "--time", "20ms", "--json")
	var doc struct {
		Machine judge.Machine
		Rows    []judge.Judged
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatalf("%v in %s%s", err, out, notes)
	}
	if len(doc.Rows) != 1 || doc.Machine != judge.ThisMachine() {
		t.Fatalf("got %+v", doc)
	}
	j := doc.Rows[0]
	if j.Row != "P1z" || j.This <= 0 || j.Base <= 0 || j.Ratio <= 0 || j.Rounds < 7 || j.Target != 0.4 || j.Verdict.Bad() != (code == exitFailure) {
		t.Errorf("exit %d with %+v", code, j)
	}
	if _, out, _ = runGate("--row", "P1z", "--time", "20ms"); !strings.Contains(out, "P1z") || !strings.Contains(out, "rawoffer") || !strings.Contains(out, "0.4") {
		t.Errorf("the table is\n%s", out)
	}
}

// What goes wrong in a row's process is its verdict.
func TestRowThatFails(t *testing.T) {
	row := bench.Row{ID: "P0"}
	if j := (&gate{round: 1}).judgeRow(t.Context(), row); j.Verdict != judge.Fails || !strings.Contains(j.Note, "no row \"P0\"") {
		t.Errorf("judged %+v, want that its process has no such row", j)
	}
}

// Each patch of the selfcheck applies to the tree as it is, and says which row is to catch it.
func TestPatchesApply(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs git")
	}
	inRoot(t)
	patches, err := filepath.Glob("bench/regress/*.patch")
	if err != nil || len(patches) < 5 {
		t.Fatalf("%d patches, %v; want five at least", len(patches), err)
	}
	for _, p := range patches {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		row, want := patchRow.FindSubmatch(text), patchVerdict.FindSubmatch(text)
		if row == nil || want == nil || !regress.Verdict(want[1]).Bad() {
			t.Errorf("%s: want lines Row: and Verdict:, the latter one that fails", p)
			continue
		}
		if _, err := bench.RowsOf(string(row[1])); err != nil {
			t.Errorf("%s: %v", p, err)
		}
		if out, err := exec.Command("git", "apply", "--check", p).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", p, err, out)
		}
	}
}
