package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/bench/judge"
)

// inEmptyTree runs the test in a folder that has nothing but the one for the figures.
func inEmptyTree(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.Mkdir("bench", 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestRecordFigures(t *testing.T) {
	inEmptyTree(t)
	m := judge.ThisMachine()
	record := func(head string, version int, base float64) {
		t.Helper()
		err := recordFigures(m, head, []judge.Judged{
			{Row: "P0", Version: version, Against: "it", Base: base, Verdict: judge.Passes},
			{Row: "P0c", Version: 1, This: 7, Ratio: 7, Verdict: judge.FallsShort}, // without a baseline
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	firsts := func() map[string]first {
		t.Helper()
		known, err := readBaselines()
		if err != nil {
			t.Fatal(err)
		}
		return known[m.Key()].Baselines
	}
	record("one", 1, 10)
	if err := keep(m, func(k *kept) { k.Noise["P0"] = 0.2 }); err != nil {
		t.Fatal(err)
	}
	record("two", 1, 11)
	if got := firsts(); len(got) != 1 || got["P0"] != (first{1, 10}) {
		t.Errorf("baselines %v, want P0's as it was first", got)
	}
	record("three", 2, 12)
	if got := firsts()["P0"]; got != (first{2, 12}) {
		t.Errorf("baseline %v, want the first of the row that measures something else", got)
	}
	if known, _ := readBaselines(); known[m.Key()].Noise["P0"] != 0.2 || known[m.Key()].Go != m.Go {
		t.Errorf("kept %+v, want the noise beside the baselines, and the Go version", known)
	}

	text, err := os.ReadFile(historyFile)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines, want one of each record:\n%s", len(lines), text)
	}
	for i, head := range []string{"one", "two", "three"} {
		var line figuresLine
		if err := json.Unmarshal([]byte(lines[i]), &line); err != nil {
			t.Fatal(err)
		}
		if line.After != head || line.Machine != m || len(line.Rows) != 2 || line.Rows[1].Verdict != judge.FallsShort {
			t.Errorf("line %d is %+v", i, line)
		}
	}

	err = recordFigures(m, "four", []judge.Judged{{Row: "P0", Verdict: judge.Fails}})
	if again, _ := os.ReadFile(historyFile); err == nil || !strings.Contains(err.Error(), "P0") || len(again) != len(text) {
		t.Errorf("a row that could not be measured: %v, and %d bytes of history, want %d and why", err, len(again), len(text))
	}
}

func TestSlackened(t *testing.T) {
	k := kept{Baselines: map[string]first{"P0": {1, 10}}}
	for _, test := range []struct {
		name string
		j    judge.Judged
		want string
	}{
		{"as it was", judge.Judged{Row: "P0", Version: 1, Base: 12.5}, ""},
		{"slower", judge.Judged{Row: "P0", Version: 1, Base: 15}, "1.50 times"},
		{"of another version", judge.Judged{Row: "P0", Version: 2, Base: 15}, ""},
		{"of a row that was not recorded", judge.Judged{Row: "P0z", Version: 1, Base: 15}, ""},
	} {
		if got := k.slackened(test.j); (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s: %q, want %q in it", test.name, got, test.want)
		}
	}
}

// Where nothing can be recorded that is said before an hour of measuring.
func TestRecordNeedsARepository(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs git")
	}
	inEmptyTree(t)
	if code, out, notes := runGate("--record", "--row", "P9"); code != exitFailure || out != "" || !strings.Contains(notes, "git rev-parse") {
		t.Errorf("exit %d, %q, %q; want 1, nothing, and that git says no", code, out, notes)
	}
}

func TestInterrupted(t *testing.T) {
	inEmptyTree(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, notes strings.Builder
	if code := run(ctx, []string{"--row", "P9"}, &out, &notes); code != exitFailure || out.Len() > 0 || !strings.HasSuffix(notes.String(), "gate: interrupted\n") {
		t.Errorf("exit %d, %q, %q; want 1, no table, and that it was interrupted", code, &out, &notes)
	}
}
