package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"
)

// A report is what a replay did. Its JSON is a promise to scripts.
type report struct {
	Events       int     `json:"events"`
	Deliveries   int     `json:"deliveries"`
	Seconds      float64 `json:"seconds"`       // from the first byte read to the last delivery
	CountSeconds float64 `json:"count_seconds"` // what counting it all over again took
	Conserved    bool    `json:"conserved"`

	Log *logReport `json:"log,omitempty"` // with --log

	Subscriptions []subscriptionReport `json:"subscriptions"`
}

type subscriptionReport struct {
	Region      string  `json:"region"`
	Adapter     string  `json:"adapter"`
	Matched     int     `json:"matched"`
	Accepted    int     `json:"accepted"`
	Received    int     `json:"received"`
	Held        int     `json:"held"`
	Lost        int     `json:"lost"`
	Pruned      bool    `json:"pruned"`
	FirstMissed *uint64 `json:"first_missed"` // the event's place in the input
	Missed      int     `json:"missed"`
}

// newReport returns what is to be said of the readers and their tallies; log is nil where there is none.
func newReport(events int, took, counting time.Duration, conserved bool, readers []*reader, tallies []tally, log *logReport) *report {
	r := &report{
		Events: events, Seconds: took.Seconds(), CountSeconds: counting.Seconds(), Conserved: conserved, Log: log,
		Subscriptions: make([]subscriptionReport, len(readers)),
	}
	for i, t := range tallies {
		s := subscriptionReport{
			Region: readers[i].region.String(), Adapter: readers[i].adapter,
			Matched: t.matched, Accepted: t.accepted, Received: t.received, Held: t.held, Lost: t.lost, Missed: t.missed(),
		}
		s.Pruned = readers[i].pruned != nil
		s.FirstMissed = t.first
		if log != nil && !readers[i].stuck {
			log.Missed += t.missed()
		}
		r.Deliveries += t.received
		r.Subscriptions[i] = s
	}
	return r
}

func (r *report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// topmost is how many regions the table has where it does not have all.
const topmost = 20

// writeTable writes the regions that matched most, and the totals.
func (r *report) writeTable(w io.Writer, all bool) error {
	rows := slices.Clone(r.Subscriptions)
	slices.SortStableFunc(rows, func(a, b subscriptionReport) int { return cmp.Compare(b.Matched, a.Matched) })
	if !all {
		rows = rows[:min(len(rows), topmost)]
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "matched\treceived\theld\tlost\tmissed\tfirst missed\tadapter\t  region")
	for _, s := range rows {
		first := "-"
		if s.FirstMissed != nil {
			first = strconv.FormatUint(*s.FirstMissed, 10)
		}
		fmt.Fprintf(t, "%d\t%d\t%d\t%d\t%d\t%s\t%s\t  %s\n", s.Matched, s.Received, s.Held, s.Lost, s.Missed, first, s.Adapter, s.Region)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if more := len(r.Subscriptions) - len(rows); more > 0 {
		fmt.Fprintf(w, "... and %d more regions; --all shows them\n", more)
	}

	var pruned, held, lost, missed int
	for _, s := range r.Subscriptions {
		held += s.Held
		lost += s.Lost
		missed += s.Missed
		if s.Pruned {
			pruned++
		}
	}
	fmt.Fprintf(w, "\n%d events to %d regions in %.2f s: %.0f events/s\n", r.Events, len(r.Subscriptions), r.Seconds, rate(r.Events, r.Seconds))
	fmt.Fprintf(w, "%d deliveries: %.0f deliveries/s; %d held and never read; %d lost\n", r.Deliveries, rate(r.Deliveries, r.Seconds), held, lost)
	fmt.Fprintf(w, "%d regions pruned, which missed %d events\n", pruned, missed)
	if r.Log != nil {
		r.Log.writeTable(w)
	}
	answer := "no"
	if r.Conserved {
		answer = "yes"
	}
	_, err := fmt.Fprintf(w, "conserved: %s (counted anew in %.2f s)\n", answer, r.CountSeconds)
	return err
}

func rate(n int, seconds float64) float64 {
	if seconds <= 0 {
		return 0
	}
	return float64(n) / seconds
}
