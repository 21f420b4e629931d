package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spillwayhq/spillway/bench/judge"
)

// print writes the table, or the document.
func (g *gate) print(m judge.Machine, all []judge.Judged, took time.Duration) error {
	if g.asJSON {
		e := json.NewEncoder(g.out)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			Machine judge.Machine  `json:"machine"`
			Seconds float64        `json:"seconds"`
			Rows    []judge.Judged `json:"rows"`
			Short   []string       `json:"short_by_decision"`
		}{m, took.Seconds(), all, shortOnes(all)})
	}
	fmt.Fprintf(g.out, "%v\n\n", m)
	w := tabwriter.NewWriter(g.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "id\twork\tthis\tagainst\tratio\tspread\ttarget\tstretch\tverdict")
	for _, j := range all {
		against, ratio := "-", "-"
		if j.Against != "" {
			against = judge.Digits(j.Base) + " " + j.Against
			ratio = judge.Ratio(j.Ratio)
		}
		target, stretch := "-", "-"
		if j.Target != 0 {
			target, stretch = judge.Ratio(j.Target), judge.Ratio(j.Stretch)
		}
		fmt.Fprintf(w, "%s\t%s\t%s %s\t%s\t%s\t±%.1f %%\t%s\t%s\t%s\n",
			j.Row, j.Work, judge.Digits(j.This), j.Unit, against, ratio, j.Spread*100, target, stretch, j.Says())
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, j := range all {
		for _, f := range j.Beside {
			fmt.Fprintf(g.out, "%s: beside it %s takes %s %s\n", j.Row, f.Name, judge.Digits(f.Value), j.Unit)
		}
		if j.Note != "" {
			fmt.Fprintf(g.out, "%s: %s\n", j.Row, j.Note)
		}
	}
	if names := shortOnes(all); len(names) > 0 {
		fmt.Fprintf(g.out, "%d of the rows are short of their targets by decision, and why is in docs/decisions: %s\n", len(names), strings.Join(names, ", "))
	}
	_, err := fmt.Fprintf(g.out, "%d rows in %.0f s\n", len(all), took.Seconds())
	return err
}

// shortOnes returns the names of the rows that pass by a decision alone.
func shortOnes(all []judge.Judged) []string {
	names := []string{} // not null in JSON
	for _, j := range all {
		if j.ByDecision() {
			names = append(names, j.Row)
		}
	}
	return names
}
