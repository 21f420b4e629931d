package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// A chart is lines over two logarithmic axes.
type chart struct {
	ID, Title, Desc string
	XLabel, YLabel  string
	XTicks          []tick
	YText           func(float64) string
	Lines           []line
}

// A tick is a labelled place of an axis.
type tick struct {
	At   float64
	Text string
}

// A line is one side of a chart.
type line struct {
	Name   string
	Points []dot
}

// A dot is a point of a line; it bears a mark, and a bar where its Low and High differ.
type dot struct {
	X, Y, Low, High float64
	Marked          bool
}

// The measures of a drawing. Texts take more room on a narrow screen, where they are drawn larger in proportion.
const (
	width, height   = 640.0, 400.0
	left, right     = 82.0, 120.0
	bottom          = 58.0
	legendRow       = 24.0
	letter          = 11.5 // what a letter of the legend takes at most
	labelGap        = 21.0 // between the names of two lines
	capWidth        = 4.0  // half of what ends an error bar
	styles          = 6    // that a page's style sheet has for lines
	markSize        = 4.5
	legendSwatch    = 34.0
	betweenSwatches = 14.0
)

// A drawing is a chart with everything where it goes. Numbers are texts already, so that equal charts are equal.
type drawing struct {
	ID, Title, Desc  string
	Width, Height    string
	Frame            string // a path round the plot
	Grid             []text // Path
	XTexts, YTexts   []text
	XLabel, YLabel   text
	Lines            []drawn
	Legend, Names    []text
	Leaders          []text // from a line's end to its name, where that had to give way
	Swatches         []drawn
	Standalone       bool
	PlotTop, PlotEnd string
}

type text struct{ X, Y, Path, Text, Class string }

type drawn struct {
	Class, Path string
	Bars, Marks []string
}

func px(v float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0") }

func path(format string, at ...float64) string {
	args := make([]any, len(at))
	for i, v := range at {
		args[i] = px(v)
	}
	return fmt.Sprintf(format, args...)
}

// draw puts everything in its place.
func (c chart) draw() drawing {
	d := drawing{ID: c.ID, Title: c.Title, Desc: c.Desc, Width: px(width), Height: px(height)}
	top := d.legend(c.Lines)
	least, most := math.Inf(1), math.Inf(-1)
	for _, l := range c.Lines {
		for _, p := range l.Points {
			least, most = min(least, p.Low), max(most, p.High)
		}
	}
	if least > most { // nothing was measured
		least, most = 1, 10
	}
	low, high := around(least, most)
	y := scale{low, high, height - bottom, top}
	const inset = 14
	x := scale{c.XTicks[0].At, c.XTicks[len(c.XTicks)-1].At, left + inset, width - right - inset}

	d.Frame = path("M%s %sV%sH%s", left, top, height-bottom, width-right)
	for _, v := range y.ticks() {
		d.Grid = append(d.Grid, text{Path: path("M%s %sH%s", left, y.at(v), width-right)})
		d.YTexts = append(d.YTexts, text{X: px(left - 8), Y: px(y.at(v) + 4), Text: c.YText(v)})
	}
	for _, t := range c.XTicks {
		d.Grid = append(d.Grid, text{Path: path("M%s %sV%s", x.at(t.At), top, height-bottom)})
		d.XTexts = append(d.XTexts, text{X: px(x.at(t.At)), Y: px(height - bottom + 21), Text: t.Text})
	}
	d.XLabel = text{X: px((left + width - right) / 2), Y: px(height - 10), Text: c.XLabel}
	d.YLabel = text{X: px(15), Y: px((top + height - bottom) / 2), Text: c.YLabel}
	for i, l := range c.Lines {
		d.Lines = append(d.Lines, l.draw(i, x, y))
	}
	d.names(c.Lines, x, y)
	return d
}

func (l line) draw(i int, x, y scale) drawn {
	out := drawn{Class: style(i)}
	var b strings.Builder
	for k, p := range l.Points {
		command := "L"
		if k == 0 {
			command = "M"
		}
		at, up := x.at(p.X), y.at(p.Y)
		b.WriteString(command + px(at) + " " + px(up))
		if p.Marked {
			out.Marks = append(out.Marks, mark(i, at, up))
		}
		if low, high := px(y.at(p.Low)), px(y.at(p.High)); low != high {
			out.Bars = append(out.Bars, path("M%s %sH%sM%s %sV%sM%s %sH%s",
				at-capWidth, y.at(p.Low), at+capWidth, at, y.at(p.Low), y.at(p.High), at-capWidth, y.at(p.High), at+capWidth))
		}
	}
	out.Path = b.String()
	return out
}

// style names how the i-th line looks.
func style(i int) string { return fmt.Sprintf("s%d", i%styles) }

// mark returns the i-th line's mark: a circle, a square, a triangle, a diamond, a triangle upside down, a cross.
func mark(i int, x, y float64) string {
	const s = markSize
	switch i % styles {
	case 0:
		return path("M%s %sa%[3]s %[3]s 0 1 0 %[4]s 0a%[3]s %[3]s 0 1 0 -%[4]s 0z", x-s, y, s, 2*s)
	case 1:
		return path("M%s %sh%[3]sv%[3]sh-%[3]sz", x-s+0.5, y-s+0.5, 2*s-1)
	case 2:
		return path("M%s %sL%s %sH%sz", x, y-s-0.7, x+s+0.3, y+s-0.7, x-s-0.3)
	case 3:
		return path("M%s %sL%s %sL%s %sL%s %sz", x, y-s-1, x+s+1, y, x, y+s+1, x-s-1, y)
	case 4:
		return path("M%s %sL%s %sH%sz", x, y+s+0.7, x+s+0.3, y-s+0.7, x-s-0.3)
	}
	return path("M%s %sL%s %sM%s %sL%s %s", x-s, y-s, x+s, y+s, x-s, y+s, x+s, y-s)
}

// legend puts the names above the plot, in as many rows as they need, and returns where the plot begins.
func (d *drawing) legend(lines []line) (top float64) {
	x, y := left, 16.0
	for i, l := range lines {
		takes := legendSwatch + letter*float64(len([]rune(l.Name))) + betweenSwatches
		if x > left && x+takes > width {
			x, y = left, y+legendRow
		}
		d.Swatches = append(d.Swatches, drawn{
			Class: style(i), Path: path("M%s %sh%s", x, y, legendSwatch-8), Marks: []string{mark(i, x+(legendSwatch-8)/2, y)},
		})
		d.Legend = append(d.Legend, text{X: px(x + legendSwatch), Y: px(y + 4.5), Text: l.Name})
		x += takes
	}
	return y + 20
}

// names puts each line's name at its end, one not over the other.
func (d *drawing) names(lines []line, x, y scale) {
	type end struct {
		line     int
		x, y, at float64
	}
	var ends []end
	for i, l := range lines {
		if n := len(l.Points); n > 0 {
			p := l.Points[n-1]
			ends = append(ends, end{i, x.at(p.X), y.at(p.Y), y.at(p.Y)})
		}
	}
	slices.SortStableFunc(ends, func(a, b end) int { return cmp.Compare(a.y, b.y) })
	for i := range ends { // down from the first
		if i > 0 {
			ends[i].at = max(ends[i].at, ends[i-1].at+labelGap)
		}
	}
	for i := len(ends) - 1; i >= 0; i-- { // and up again from the bottom
		limit := height - bottom - 2
		if i < len(ends)-1 {
			limit = ends[i+1].at - labelGap
		}
		ends[i].at = min(ends[i].at, limit)
	}
	for _, e := range ends {
		from, to := e.x+markSize+3, width-right+6
		d.Leaders = append(d.Leaders, text{Class: style(e.line), Path: path("M%s %sL%s %s", from, e.y, to, e.at)})
		d.Names = append(d.Names, text{X: px(to + 3), Y: px(e.at + 4.5), Text: lines[e.line].Name, Class: style(e.line)})
	}
}
