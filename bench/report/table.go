package report

import (
	"fmt"

	"github.com/spillwayhq/spillway/bench/judge"
)

// heads are the columns of the table of rows: the gate's.
var heads = []string{"id", "work", "this", "against", "ratio", "spread", "target", "stretch", "verdict"}

// cells are a row's columns.
func cells(j judge.Judged) []string {
	against, ratio, target, stretch := "-", "-", "-", "-"
	if j.Against != "" {
		against, ratio = figureOf(j.Base, j.Unit)+", "+j.Against, judge.Ratio(j.Ratio)
	}
	if j.Target != 0 {
		target, stretch = judge.Ratio(j.Target), judge.Ratio(j.Stretch)
	}
	if !j.Verdict.Measured() {
		return []string{j.Row, j.Work, "-", against, "-", "-", "-", "-", string(j.Verdict)}
	}
	return []string{
		j.Row, j.Work, figureOf(j.This, j.Unit), against, ratio,
		fmt.Sprintf("±%.1f %%", j.Spread*100), target, stretch, j.Says(),
	}
}

// notes are what there is to say of rows besides.
func (r Report) notes() (all []string) {
	for _, j := range r.Rows {
		if j.Note != "" {
			all = append(all, j.Row+": "+j.Note)
		}
		for _, f := range j.Beside {
			all = append(all, fmt.Sprintf("%s: %s beside takes %s", j.Row, f.Name, figureOf(f.Value, j.Unit)))
		}
	}
	return all
}

// nullText says what the null row showed.
func (r Report) nullText() string {
	if r.Null == nil || !r.Null.Verdict.Measured() {
		return ""
	}
	return fmt.Sprintf("Equal code against itself (%s) gave a ratio of %.3f, spread ±%.1f %%, in %d rounds: differences as small as that mean nothing here.",
		r.Null.Work, r.Null.Ratio, r.Null.Spread*100, r.Null.Rounds)
}

// about is what has to be known of the run.
func (r Report) about() [][2]string {
	kind := "all rows, at their full length"
	if r.Quick {
		kind = "quick: the rows that take seconds, each for less time"
	}
	if r.Cut {
		kind += "; interrupted, so this is what there was by then"
	}
	return [][2]string{
		{"processor", fmt.Sprintf("%s, %d cores", r.Machine.CPU, r.Machine.Cores)},
		{"system", r.Machine.OS + "/" + r.Machine.Arch},
		{"Go", fmt.Sprintf("%s, GOMAXPROCS %d", r.Machine.Go, r.Machine.GOMAXPROCS)},
		{"Spillway", r.Spillway},
		{"measured", fmt.Sprintf("%s, in %.0f s", r.Date, r.Seconds)},
		{"kind", kind},
		{"to repeat", r.Command},
	}
}
