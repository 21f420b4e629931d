package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/bench/judge"
)

// Chart returns the drawing of a curve.
func (c Curve) Chart() drawing {
	out := chart{
		ID: c.ID, Title: c.Title, XLabel: c.X, YLabel: map[bench.Unit]string{
			bench.PerDelivery: "time of a delivery", bench.PerSecond: "deliveries a second",
		}[c.Unit],
		YText: func(v float64) string { return inUnit(c.Unit, v, digits) },
	}
	for _, p := range c.Points {
		out.XTicks = append(out.XTicks, tick{p.X, c.At(p)})
	}
	var said []string
	for _, side := range c.Sides() {
		l := line{Name: side}
		for _, p := range c.Points {
			if f, ok := p.Of(side); ok {
				l.Points = append(l.Points, dot{X: p.X, Y: f.Value, Low: f.Low, High: f.High, Marked: true})
			}
		}
		out.Lines = append(out.Lines, l)
		first, last := l.Points[0], l.Points[len(l.Points)-1]
		said = append(said, fmt.Sprintf("%s from %s at %s to %s at %s",
			side, inUnit(c.Unit, first.Y, three), c.at(first.X), inUnit(c.Unit, last.Y, three), c.at(last.X)))
	}
	out.Desc = "Both axes are logarithmic. " + strings.Join(said, "; ") + ". The table below has all figures."
	return out.draw()
}

// At says where a point is.
func (c Curve) At(p Point) string { return c.at(p.X) }

func (c Curve) at(x float64) string {
	if strings.HasPrefix(c.X, "bytes") {
		return size(x)
	}
	return short(x)
}

// Sides are the names of its lines, in order.
func (c Curve) Sides() (names []string) {
	seen := make(map[string]bool)
	for _, p := range c.Points {
		for _, f := range p.Sides {
			if !seen[f.Side] {
				seen[f.Side] = true
				names = append(names, f.Side)
			}
		}
	}
	return names
}

// Of returns a side's figure.
func (p Point) Of(side string) (Figure, bool) {
	for _, f := range p.Sides {
		if f.Side == side {
			return f, true
		}
	}
	return Figure{}, false
}

// A cell is a figure in a table, and what the middle half of the rounds lies in.
type cell struct{ Value, Span string }

// Cells are a point's figures in the order of the Curve's sides.
func (c Curve) Cells(p Point) (cells []cell) {
	for _, side := range c.Sides() {
		f, ok := p.Of(side)
		switch {
		case !ok:
			cells = append(cells, cell{Value: "-"})
		case f.Low == f.High:
			cells = append(cells, cell{Value: inUnit(c.Unit, f.Value, three)})
		default:
			cells = append(cells, cell{inUnit(c.Unit, f.Value, three), inUnit(c.Unit, f.Low, three) + " to " + inUnit(c.Unit, f.High, three)})
		}
	}
	return cells
}

// nines puts a percentile where what lies beyond it shrinks by the same for each nine.
func nines(percent float64) float64 { return 1 / (1 - percent/100) }

// Chart returns the drawing of a crowd's distributions: latency over percentile, each nine as wide as the one before.
func (c crowd) Chart() drawing {
	out := chart{ID: c.ID(), Title: c.Title(), XLabel: "percentile of deliveries", YLabel: "latency", YText: func(ns float64) string { return duration(ns, digits) }}
	furthest := 0.0
	var said []string
	for _, d := range c.Of {
		l := line{Name: d.Side}
		for _, v := range d.Values {
			marked := false
			for _, p := range shown {
				marked = marked || v.Percent == p
			}
			ns := max(v.NS, 1)
			l.Points = append(l.Points, dot{X: nines(v.Percent), Y: ns, Low: ns, High: ns, Marked: marked})
			furthest = max(furthest, v.Percent)
		}
		out.Lines = append(out.Lines, l)
		said = append(said, fmt.Sprintf("%s %s", d.Side, strings.Join(d.Cells()[:3], ", ")))
	}
	out.XTicks = []tick{{nines(0), ""}}
	for _, p := range shown {
		if p <= furthest {
			out.XTicks = append(out.XTicks, tick{nines(p), digitsOf(p) + " %"})
		}
	}
	if end := nines(furthest); end > out.XTicks[len(out.XTicks)-1].At*1.01 {
		out.XTicks = append(out.XTicks, tick{end, ""})
	}
	out.Desc = "Latency over percentile, both logarithmic. Median, 90th and 99th percentile: " + strings.Join(said, "; ") + ". The table below has all figures."
	return out.draw()
}

// Heads are the columns of a crowd's table.
func (crowd) Heads() (heads []string) {
	for _, p := range shown {
		heads = append(heads, digitsOf(p)+"\u00a0%")
	}
	return append(heads, "most")
}

// Cells are a distribution's columns.
func (d Distribution) Cells() (cells []string) {
	for _, p := range shown {
		if ns, ok := d.At(p); ok {
			cells = append(cells, duration(ns, three))
		} else {
			cells = append(cells, "-")
		}
	}
	return append(cells, duration(d.Max, three))
}

// digitsOf prints a percentile whole: 99.99.
func digitsOf(percent float64) string { return fmt.Sprint(math.Round(percent*1e4) / 1e4) }

// RatioText is the ratio of a point's times.
func (p Point) RatioText() string { return judge.Ratio(p.Ratio) }
