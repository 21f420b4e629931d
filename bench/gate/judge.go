package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spillwayhq/spillway/bench"
)

const (
	tries     = 3    // how often a row is measured at most
	wide      = 0.10 // a spread from which a row is measured again before it is judged
	mildly    = 1.25 // by how much a quick run may be over a target
	slackened = 1.25 // from which on a baseline is said to have become slower than it was first
)

// A verdict says how a row did.
type verdict string

const (
	reachesStretch verdict = "stretch"
	passes         verdict = "pass"
	near           verdict = "near" // over its target, and within what a quick run lets pass
	fallsShort     verdict = "SHORT"
	allocates      verdict = "ALLOCATES"
	shown          verdict = "-" // has no target
	fails          verdict = "FAILED"
)

func (v verdict) bad() bool { return v == fallsShort || v == allocates || v == fails }

// A judged is a row, measured and judged. It is a line of the JSON document.
type judged struct {
	Row     string  `json:"row"`
	Work    string  `json:"work"`
	Unit    string  `json:"unit"`
	Version int     `json:"version"`
	This    float64 `json:"this"`
	Base    float64 `json:"against"`
	Against string  `json:"baseline"`
	Ratio   float64 `json:"ratio"`
	Spread  float64 `json:"spread"`
	Target  float64 `json:"target"`
	Stretch float64 `json:"stretch"`
	Rounds  int     `json:"rounds"`
	Allocs  uint64  `json:"allocs"`
	Tries   int     `json:"tries"`
	Verdict verdict `json:"verdict"`
	Note    string  `json:"note,omitempty"`

	Beside []bench.Figure `json:"beside,omitempty"`
}

// judge measures the rows, prints how they did, and returns errShort where one did not pass.
func (g *gate) judge(ctx context.Context, rows []bench.Row) error {
	m := thisMachine()
	kept, err := readBaselines()
	if err != nil {
		return err
	}
	var all []judged
	start := time.Now()
	for _, r := range rows {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		fmt.Fprintf(g.notes, "%-32s\r", r.Name())
		j := g.judgeRow(ctx, r)
		if first := kept[m.key()].Baselines[j.Row]; first > 0 && j.Base > first*slackened {
			j.Note = fmt.Sprintf("baseline %.2f times what it was first", j.Base/first)
		}
		all = append(all, j)
	}
	if err := g.print(m, all, time.Since(start)); err != nil {
		return err
	}
	if g.record {
		if err := recordFigures(ctx, m, all); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(all, func(j judged) bool { return j.Verdict.bad() }) {
		return errShort
	}
	return nil
}

// judgeRow measures a row, and again where it is over its target, or was measured too widely to say; all its rounds
// count together.
func (g *gate) judgeRow(ctx context.Context, r bench.Row) (j judged) {
	var sum bench.Result
	for try := 1; try <= tries; try++ {
		result, err := measureApart(ctx, r, g.round)
		if err != nil {
			return judged{Row: r.Name(), Work: r.Work, Unit: r.Unit, Verdict: fails, Note: err.Error(), Tries: try}
		}
		sum = sum.Plus(result)
		j = judged{
			Row: r.Name(), Work: r.Work, Unit: r.Unit, Version: r.Version,
			This: sum.This, Base: sum.Against, Against: r.Against, Ratio: sum.Ratio(), Spread: sum.Spread(),
			Target: r.Target, Stretch: r.Stretch, Rounds: sum.Rounds, Allocs: sum.Allocs, Tries: try, Beside: sum.Beside,
		}
		j.Verdict = g.verdict(r, j)
		if r.Counted || !j.Verdict.bad() && j.Verdict != near && j.Spread <= wide {
			break
		}
	}
	return j
}

func (g *gate) verdict(r bench.Row, j judged) verdict {
	switch {
	case r.NoAllocs && j.Allocs > 0:
		return allocates
	case r.Target == 0:
		return shown
	case j.Ratio <= r.Stretch:
		return reachesStretch
	case j.Ratio <= r.Target:
		return passes
	case g.quick && !r.Counted && j.Ratio <= r.Target*mildly:
		return near
	}
	return fallsShort
}
