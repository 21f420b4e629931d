package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/bench"
)

// Ctrl-C ends a bench with what was measured so far.
func TestBenchInterrupted(t *testing.T) {
	out := filepath.Join(t.TempDir(), "page.html")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var says strings.Builder
	code := run(ctx, []string{"bench", "--quick", "--out", out}, stdio{in: strings.NewReader(""), out: &says, err: &says})
	page, err := os.ReadFile(out)
	if code != exitInterrupted || err != nil || !strings.Contains(string(page), "interrupted, so this is what there was") {
		t.Errorf("exit %d, %v, %s: %s", code, err, says.String(), page)
	}
}

// Everything has its step; with --quick there are fewer rows, and nothing else is left out.
func TestBenchSteps(t *testing.T) {
	steps := func(o benchmark) (names []string) {
		o.parts = append(o.parts, parts...)
		rows, err := o.chosen()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range newMeasuring(&o, stdio{err: &strings.Builder{}}, rows).steps {
			names = append(names, s.name)
		}
		return names
	}
	all, quick := steps(benchmark{}), steps(benchmark{quick: true})
	want := len(bench.Rows()) + 1 + len(bench.Latencies()) + 1
	for _, c := range bench.Curves() {
		want += len(c.Points)
	}
	if len(all) != want {
		t.Errorf("%d steps, want %d", len(all), want)
	}
	for _, r := range bench.Rows() {
		if slices.Contains(quick, r.Name()) != r.Quick {
			t.Errorf("%s is a step of a quick bench: %v", r.Name(), !r.Quick)
		}
		all = slices.DeleteFunc(all, func(name string) bool { return name == r.Name() })
		quick = slices.DeleteFunc(quick, func(name string) bool { return name == r.Name() })
	}
	if !slices.Equal(all, quick) {
		t.Errorf("besides rows a bench has %v, and a quick one %v", all, quick)
	}
}

// The command that a page names is the one that made it.
func TestBenchCommand(t *testing.T) {
	for _, test := range []struct {
		o    benchmark
		want string
	}{
		{benchmark{quick: true, parts: parts, out: []string{"a.html", "b.md"}}, "go run ./cmd/spillway bench --quick --out a.html --out b.md"},
		{benchmark{rows: []string{"P1", "P2"}, parts: []string{"rows"}}, "go run ./cmd/spillway bench --row P1 --row P2"},
		{benchmark{parts: []string{"rows", "curves"}}, "go run ./cmd/spillway bench --part rows,curves"},
	} {
		if got := test.o.command(); got != test.want {
			t.Errorf("got %s; want %s", got, test.want)
		}
	}
}
