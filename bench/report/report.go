package report

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/bench/judge"
)

// A Report is what one run measured, and what has to be known of it. Its JSON can be read again.
type Report struct {
	Spillway string        `json:"spillway"` // its version
	Date     string        `json:"date"`
	Machine  judge.Machine `json:"machine"`
	Command  string        `json:"command"` // that does it again
	Quick    bool          `json:"quick"`
	Seconds  float64       `json:"seconds"`
	Cut      bool          `json:"cut"` // it was interrupted, and this is what there was by then

	Rows      []judge.Judged `json:"rows,omitempty"`
	Null      *judge.Judged  `json:"null,omitempty"` // equal code against itself
	Latencies []Distribution `json:"latencies,omitempty"`
	Curves    []Curve        `json:"curves,omitempty"`
	Peers     *Peers         `json:"peers,omitempty"`
	NoPeers   string         `json:"no_peers,omitempty"` // why there are none, and how to get them

	Failures []string `json:"failures,omitempty"` // what could not be measured, and why
}

// A Curve is a bench.Curve, measured.
type Curve struct {
	ID     string     `json:"id"`
	Title  string     `json:"title"`
	X      string     `json:"x"`
	Unit   bench.Unit `json:"unit"`
	Note   string     `json:"note"`
	Points []Point    `json:"points"`
}

// A Point is what was measured at one place: of Spillway first, then of its baseline, then of what runs beside.
type Point struct {
	X     float64  `json:"x"`
	Ratio float64  `json:"ratio"`
	Sides []Figure `json:"sides"`
}

// A Figure is a median, in the Curve's unit, and what the middle half of the rounds lies in.
type Figure struct {
	Side  string  `json:"side"`
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// NewCurve returns a Curve without points yet.
func NewCurve(c bench.Curve) Curve {
	return Curve{ID: c.ID, Title: c.Title, X: c.X, Unit: c.Unit, Note: c.Note}
}

// Add adds what was measured at a point.
func (c *Curve) Add(p bench.Point, r bench.Result) {
	figure := func(side string, value float64, span bench.Span) Figure {
		low, high := c.Unit.Of(p.Row, span.Low), c.Unit.Of(p.Row, span.High)
		return Figure{side, c.Unit.Of(p.Row, value), min(low, high), max(low, high)}
	}
	sides := []Figure{figure("spillway", r.This, r.ThisSpan), figure(p.Row.Against, r.Against, r.AgainstSpan)}
	for _, f := range r.Beside {
		sides = append(sides, figure(f.Name, f.Value, f.Span))
	}
	c.Points = append(c.Points, Point{X: p.X, Ratio: r.Ratio(), Sides: sides})
}

// Read reads a Report's JSON.
func Read(in io.Reader) (Report, error) {
	var r Report
	d := json.NewDecoder(in)
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return Report{}, fmt.Errorf("a report's figures: %w", err)
	}
	return r, nil
}

// JSON writes what Read reads.
func (r Report) JSON(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// Short are the rows that are over their targets, by however little, or allocate, or failed.
func (r Report) Short() (short []judge.Judged) {
	for _, j := range r.Rows {
		if j.Verdict.Bad() || j.Target != 0 && j.Ratio > j.Target {
			short = append(short, j)
		}
	}
	return short
}
