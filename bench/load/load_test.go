package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/bench/load/fan"
)

// tiny is the least that goes through all of each part.
var tiny = sizes{
	crowd:    crowdSize{clients: 40, groups: 8, rate: 200, pairs: 1, phase: 200 * time.Millisecond},
	steady:   steadySize{clients: 10, stay: 100 * time.Millisecond, rate: 100, batch: 5, long: time.Second, every: 50 * time.Millisecond, keep: 2_000},
	restarts: restartsSize{restarts: 4, clients: 4, batch: 8, between: 5},
	slow:     slowSize{clients: 10, groups: 2, rate: 100, slow: 10, pairs: 1, phase: 200 * time.Millisecond},
	peers:    fan.Work{Clients: 10, Bytes: 200, Rate: 100, Paced: 200 * time.Millisecond, Block: 20, Fast: 100 * time.Millisecond},
	untimed:  true,
}

// TestParts runs each part in its least form, with the real server in a process of its own: what it asserts of events holds. Peers are
// those of this tree alone, since the others' module may not be here; bench/peers has their tests.
func TestParts(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts processes: not with -short")
	}
	l := &load{sizes: tiny, dir: t.TempDir(), peers: filepath.Join(t.TempDir(), "none"), say: t.Output()}
	if err := l.build(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		t.Run(p.name, func(t *testing.T) {
			table := newTable(p.name, true)
			if err := p.run(t.Context(), l, table); err != nil {
				t.Fatal(err)
			}
			text := table.String()
			t.Log(text)
			if table.broken() {
				t.Errorf("an assertion does not hold:\n%s", text)
			}
			if len(table.rows) == 0 || len(table.kept) == 0 || !strings.Contains(text, "GOMAXPROCS") {
				t.Errorf("it shows nothing, asserts nothing, or names no machine:\n%s", text)
			}
			if p.name == "peers" && strings.Count(text, "can't be built here") != len(rivals) {
				t.Errorf("peers that can't be built are not said to be so:\n%s", text)
			}
		})
	}
}

// An assertion that does not hold, and a part that can't be run, make the command fail, and the page says so; the other parts run.
func TestBrokenAssertionFails(t *testing.T) {
	defer func(kept []part) { parts = kept }(parts)
	parts = []part{
		{"crowd", func(_ context.Context, _ *load, t *table) error {
			t.assert(false, "two is one")
			return nil
		}},
		{"steady", func(context.Context, *load, *table) error { return os.ErrClosed }},
		{"slow", func(_ context.Context, _ *load, t *table) error {
			t.assert(true, "one is one")
			return nil
		}},
	}
	page := filepath.Join(t.TempDir(), "load.md")
	var out, notes bytes.Buffer
	if code := run(t.Context(), []string{"--server", "none", "--out", page}, &out, &notes); code != exitFailure {
		t.Errorf("exit %d, want %d: %s", code, exitFailure, notes.String())
	}
	for _, want := range []string{"**FAILED**: two is one", "**FAILED**: the part runs: file already closed", "asserted: one is one"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output has no %q:\n%s", want, out.String())
		}
		if text, err := os.ReadFile(page); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("the page has no %q: %v\n%s", want, err, text)
		}
	}
	notes.Reset()
	if code := run(t.Context(), []string{"--server", "none", "--only", "slow"}, &out, &notes); code != exitOK {
		t.Errorf("exit %d of a part that holds: %s", code, notes.String())
	}
	if code := run(t.Context(), []string{"--only", "fast"}, &out, &notes); code != exitUsage || !strings.Contains(notes.String(), `"fast" is none of crowd, steady, slow`) {
		t.Errorf("exit %d of a part that isn't there: %s", code, notes.String())
	}
}

// A page keeps what isn't of the part that has run.
func TestPageKeepsOtherParts(t *testing.T) {
	one, two := newTable("crowd", false), newTable("slow", false)
	one.note("first")
	two.note("other")
	page := two.into(one.into(""))
	page = strings.Replace(page, "# Under load", "# Mine", 1)
	again := newTable("crowd", false)
	again.note("second")
	page = again.into(page)
	for _, want := range []string{"# Mine", "- other", "- second"} {
		if strings.Count(page, want) != 1 {
			t.Errorf("%q is not there once:\n%s", want, page)
		}
	}
	if strings.Contains(page, "- first") || strings.Index(page, "- second") > strings.Index(page, "- other") {
		t.Errorf("the part was not put in place of the old one:\n%s", page)
	}
}

// A slope is found in spite of a cycle, and a cycle, or a jump at the beginning, is none.
func TestTrend(t *testing.T) {
	begin := time.Now()
	of := func(f func(i int) float64) trend {
		samples := make([]sample, 400)
		for i := range samples {
			samples[i] = sample{at: begin.Add(time.Duration(i) * time.Second), rss: f(i)}
		}
		return steadied(samples, func(s sample) float64 { return s.rss })
	}
	cycle := func(i int) float64 { return float64(1000 + i*7%50) }
	if got := of(func(i int) float64 { return cycle(i) + float64(i) }); got.drift < 185 || got.drift > 215 || got.n != 200 {
		t.Errorf("one a second is drawn to grow by %v in %d samples, want 199 in 200", got.drift, got.n)
	}
	if got := of(cycle); got.drift < -10 || got.drift > 10 || got.least < 1000 || got.most > 1049 {
		t.Errorf("a cycle is drawn to grow by %+v", got)
	}
	if got := of(func(i int) float64 { return cycle(i) + float64(min(i, 200))*10 }); got.drift < -10 || got.drift > 10 {
		t.Errorf("what has filled a cache is drawn to grow by %v", got.drift)
	}
}
