package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/bench/judge"
	pages "github.com/spillwayhq/spillway/bench/report"
)

// A measuring is a bench under way: its steps, one after the other, each of which adds something to the report.
type measuring struct {
	bench  *benchmark
	steps  []step
	report pages.Report

	step     func(int)
	finished func()
	describe func(string)
}

// A step measures one thing. Where it can't, it returns why.
type step struct {
	name string
	do   func(ctx context.Context) error
}

func newMeasuring(o *benchmark, std stdio, rows []bench.Row) *measuring {
	m := &measuring{bench: o, report: pages.Report{
		Machine: judge.ThisMachine(), Command: o.command(), Quick: o.quick,
	}}
	for _, r := range rows {
		m.steps = append(m.steps, step{r.Name(), m.row(r)})
	}
	if len(rows) > 0 && len(o.rows) == 0 {
		m.steps = append(m.steps, step{"null", m.null})
	}
	if slices.Contains(o.parts, "latency") {
		for _, l := range bench.Latencies() {
			m.steps = append(m.steps, step{"latency " + l.Name(), m.latency(l)})
		}
	}
	if slices.Contains(o.parts, "curves") {
		for _, c := range bench.Curves() {
			i := len(m.report.Curves)
			m.report.Curves = append(m.report.Curves, pages.NewCurve(c))
			for _, p := range c.Points {
				m.steps = append(m.steps, step{p.Row.Name(), m.point(i, p)})
			}
		}
	}
	if slices.Contains(o.parts, "peers") && o.peers == "" {
		m.steps = append(m.steps, step{"other libraries", m.peers})
	}
	m.step, m.describe, m.finished = bar(std.err, len(m.steps))
	return m
}

// all takes the steps, up to an interruption.
func (m *measuring) all(ctx context.Context) {
	start := time.Now()
	m.report.Spillway = versionHere(ctx)
	m.report.Date = start.UTC().Format("2006-01-02 15:04 UTC")
	for _, s := range m.steps {
		m.describe(s.name)
		err := s.do(ctx)
		if ctx.Err() != nil {
			m.report.Cut = true
			break
		}
		if err != nil {
			m.report.Failures = append(m.report.Failures, fmt.Sprintf("%s: %s", s.name, oneLine(err.Error())))
		}
		m.step(1)
	}
	m.finished()
	m.report.Seconds = time.Since(start).Seconds()
	m.report.Curves = slices.DeleteFunc(m.report.Curves, func(c pages.Curve) bool { return len(c.Points) == 0 })
}

// apart measures one thing for so long in a process of its own.
func apart(ctx context.Context, result any, what string, long time.Duration) error {
	return judge.Apart(ctx, result, "bench", "--alone", what, "--time", long.String())
}

// judged measures a row, and judges it as the gate does.
func (m *measuring) judged(ctx context.Context, r bench.Row) (j judge.Judged, err error) {
	j = judge.Row(r, m.bench.quick, func() (result bench.Result, _ error) {
		err = apart(ctx, &result, r.Name(), m.bench.time)
		return result, err
	})
	return j, err
}

func (m *measuring) row(r bench.Row) func(context.Context) error {
	return func(ctx context.Context) error {
		j, err := m.judged(ctx, r)
		if ctx.Err() == nil {
			m.report.Rows = append(m.report.Rows, j)
		}
		return err
	}
}

func (m *measuring) null(ctx context.Context) error {
	j, err := m.judged(ctx, bench.Null())
	if err == nil {
		m.report.Null = &j
	}
	return err
}

func (m *measuring) latency(l bench.Latency) func(context.Context) error {
	return func(ctx context.Context) error {
		var d pages.Distribution
		const patient = 4 // rare latencies take many to be told
		if err := apart(ctx, &d, l.Name(), patient*m.bench.time); err != nil {
			return err
		}
		m.report.Latencies = append(m.report.Latencies, d)
		return nil
	}
}

func (m *measuring) point(curve int, p bench.Point) func(context.Context) error {
	return func(ctx context.Context) error {
		var result bench.Result
		if err := apart(ctx, &result, p.Row.Name(), m.bench.time); err != nil {
			return err
		}
		m.report.Curves[curve].Add(p, result)
		return nil
	}
}

// how says how to get other libraries' figures.
const how = `They take go and Spillway's sources: there "go run ./bench/gate --peers --json > peers.json", and then "spillway bench --peers peers.json".`

// peers measures other libraries where that can be done.
func (m *measuring) peers(ctx context.Context) error {
	root, err := sources()
	if err != nil {
		m.report.NoPeers = fmt.Sprintf("Not measured: %v. %s", err, how)
		return nil
	}
	args := []string{"--json"}
	if m.bench.quick {
		args = append(args, "--n", "1,100", "--time", "250ms")
	}
	var out, notes bytes.Buffer
	if err := judge.Peers(ctx, root, &out, &notes, args...); err != nil {
		m.report.NoPeers = "They could not be measured here. " + how
		return fmt.Errorf("%w %s", err, notes.String())
	}
	m.report.Peers, err = pages.ReadPeers(&out)
	return err
}

// sources returns the root of Spillway's sources around the current folder.
func sources() (root string, err error) {
	if _, err := exec.LookPath("go"); err != nil {
		return "", errors.New("there is no go on the PATH")
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "bench", "peers", "go.mod")); err == nil {
			return dir, nil
		}
		if up := filepath.Dir(dir); up != dir {
			dir = up
			continue
		}
		return "", errors.New("this is no folder of Spillway's sources")
	}
}

// runAlone measures one thing in this process, and prints what the bench that started it reads.
func (o *benchmark) runAlone(std stdio) error {
	var found any
	err := judge.Measure(o.time, func(h bench.Host, more func() bool) { found = measureNamed(h, more, o.alone) })
	if err != nil {
		return err
	}
	return json.NewEncoder(std.out).Encode(found)
}

// measureNamed measures the row, the point or the latency of a name.
func measureNamed(h bench.Host, more func() bool, name string) any {
	for _, l := range bench.Latencies() {
		if l.Name() == name {
			return pages.NewDistribution(l, l.Measure(h, more))
		}
	}
	if null := bench.Null(); null.Name() == name {
		return null.Measure(h, more)
	}
	if points, err := bench.PointsOf(name); err == nil {
		return points[0].Row.Measure(h, more)
	}
	rows, err := bench.RowsOf(name)
	if err != nil {
		h.Fatalf("%v", err)
	}
	return rows[0].Measure(h, more)
}

// bar returns what is called with each number of steps taken, with what the next one is, and at the end. On a
// terminal they draw a bar, and take it away.
func bar(w io.Writer, steps int) (step func(int), describe func(string), finished func()) {
	b := terminalBar(w, steps, "bench")
	if b == nil {
		return func(int) {}, func(string) {}, func() {}
	}
	longest := 0
	return func(n int) { _ = b.Add(n) },
		func(what string) {
			longest = max(longest, len(what))
			b.Describe(what + strings.Repeat(" ", longest-len(what)))
		},
		func() { _ = b.Finish() }
}
