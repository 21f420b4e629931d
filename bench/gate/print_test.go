package main

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/bench/judge"
)

// columns are what lies between two of them.
var columns = regexp.MustCompile(` +`)

// A row that passes by a decision alone is seen not to meet its target, in the table and in the document.
func TestPrintFloors(t *testing.T) {
	var all []judge.Judged
	for _, c := range []struct {
		id      string
		ratio   float64
		verdict judge.Verdict
		decided bool
	}{
		{"P0a", 1.9, judge.Passes, false},
		{"P0b", 1.9, judge.Passes, true},
		{"P0c", 2.5, judge.AtFloor, true},
		{"P0d", 2.9, judge.Near, true},
		{"P0e", 3.5, judge.FallsShort, true},
		{"P0f", 2.5, judge.FallsShort, false},
	} {
		j := judge.Judged{Row: c.id, Against: "it", Ratio: c.ratio, Target: 2, Stretch: 1.5, Verdict: c.verdict}
		if c.decided {
			j.Floor, j.Decision = 2.75, "0099"
		}
		all = append(all, j)
	}
	all[0].Beside, all[0].Unit, all[0].Note = []bench.Figure{{Name: "pointers", Value: 26}}, "ns", "as it is"
	var out bytes.Buffer
	g := &gate{out: &out}
	if err := g.print(judge.ThisMachine(), all, time.Second); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"P0a: beside it pointers takes 26 ns\n", "P0a: as it is\n",
		"P0b 0 0 it 1.9 ±0.0 % 2 1.5 pass\n",
		"P0c 0 0 it 2.5 ±0.0 % 2 1.5 short by decision: 0099 allows 2.75\n",
		"near: 0099 allows 2.75\n", "SHORT: 0099 allows 2.75\n", "SHORT\n",
		"2 of the rows are short of their targets by decision, and why is in docs/decisions: P0c, P0d\n",
	} {
		if !strings.Contains(columns.ReplaceAllString(out.String(), " "), want) {
			t.Errorf("want %q in\n%s", want, out.String())
		}
	}
	out.Reset()
	g.asJSON = true
	if err := g.print(judge.ThisMachine(), all, time.Second); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Rows  []judge.Judged
		Short []string `json:"short_by_decision"`
	}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(doc.Short, []string{"P0c", "P0d"}) || len(doc.Rows) != len(all) {
		t.Fatalf("got %+v", doc)
	}
	if j := doc.Rows[2]; j.Verdict != "short by decision" || j.Decision != "0099" || j.Floor != 2.75 || j.Target != 2 {
		t.Errorf("got %+v", j)
	}
}
