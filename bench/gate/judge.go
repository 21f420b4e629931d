package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/bench/judge"
)

// judge measures the rows, prints how they did, and returns errShort where one did not pass.
func (g *gate) judge(ctx context.Context, rows []bench.Row) error {
	m := judge.ThisMachine()
	known, err := readBaselines()
	if err != nil {
		return err
	}
	if len(known[m.Key()].Baselines) == 0 {
		fmt.Fprintln(g.notes, "no baseline of this machine is recorded: whether one has become slower is not known")
	}
	var head string
	if g.record {
		if head, err = git(ctx, "rev-parse", "HEAD"); err != nil {
			return err // now, not when all is measured
		}
	}
	var all []judge.Judged
	start := time.Now()
	for _, r := range rows {
		fmt.Fprintf(g.notes, "%-32s\r", r.Name())
		j := g.judgeRow(ctx, r)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if how := known[m.Key()].slackened(j); how != "" {
			j.Note = how
		}
		all = append(all, j)
	}
	if err := g.print(m, all, time.Since(start)); err != nil {
		return err
	}
	if g.record {
		if err := recordFigures(m, head, all); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(all, func(j judge.Judged) bool { return j.Verdict.Bad() }) {
		return errShort
	}
	return nil
}

// judgeRow measures a row in a process of its own, as often as it takes to judge it.
func (g *gate) judgeRow(ctx context.Context, r bench.Row) judge.Judged {
	return judge.Row(r, g.quick, func() (result bench.Result, err error) {
		err = judge.Apart(ctx, &result, "--alone", "--row", r.Name(), "--time", g.round.String())
		return result, err
	})
}

// measureAlone measures a row in this process, and writes the Result for a gate that is another.
func (g *gate) measureAlone(r bench.Row) error {
	var result bench.Result
	err := judge.Measure(g.round, func(h bench.Host, more func() bool) { result = r.Measure(h, more) })
	if err != nil {
		return err
	}
	return json.NewEncoder(g.out).Encode(result)
}
