package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"
)

// print writes the table, or the document.
func (g *gate) print(m machine, all []judged, took time.Duration) error {
	if g.asJSON {
		e := json.NewEncoder(g.out)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			Machine machine  `json:"machine"`
			Seconds float64  `json:"seconds"`
			Rows    []judged `json:"rows"`
		}{m, took.Seconds(), all})
	}
	fmt.Fprintf(g.out, "%v\n\n", m)
	w := tabwriter.NewWriter(g.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "id\twork\tthis\tagainst\tratio\tspread\ttarget\tstretch\tverdict")
	for _, j := range all {
		against, ratio := "-", "-"
		if j.Against != "" {
			against = figure(j.Base) + " " + j.Against
			ratio = short(j.Ratio)
		}
		target, stretch := "-", "-"
		if j.Target != 0 {
			target, stretch = short(j.Target), short(j.Stretch)
		}
		fmt.Fprintf(w, "%s\t%s\t%s %s\t%s\t%s\t±%.1f %%\t%s\t%s\t%s\n",
			j.Row, j.Work, figure(j.This), j.Unit, against, ratio, j.Spread*100, target, stretch, j.Verdict)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, j := range all {
		if j.Note != "" {
			fmt.Fprintf(g.out, "%s: %s\n", j.Row, j.Note)
		}
	}
	_, err := fmt.Fprintf(g.out, "%d rows in %.0f s\n", len(all), took.Seconds())
	return err
}

// figure prints a measured value: three digits that count.
func figure(v float64) string {
	if v >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// short prints a ratio: as 1/40 where that is how one would say it.
func short(v float64) string {
	if v > 0 && v < 0.1 {
		return "1/" + strconv.FormatFloat(1/v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
