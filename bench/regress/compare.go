package regress

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"text/tabwriter"

	"golang.org/x/perf/benchmath"
)

const (
	least = 0.10 // a loss that nobody is bothered with
	alpha = 0.05
)

// A Verdict says what became of a row.
type Verdict string

// The verdicts.
const (
	Same     Verdict = "~"
	Better   Verdict = "better"
	Worse    Verdict = "WORSE"
	Allocate Verdict = "ALLOCATES MORE"
	Gone     Verdict = "not measured any more"
	New      Verdict = "new"
	Changed  Verdict = "measures something else"
)

// Bad tells whether a Verdict fails the comparison.
func (v Verdict) Bad() bool { return v == Worse || v == Allocate }

// A Line is a row, compared.
type Line struct {
	Row          string
	Unit         string
	Base, Change float64 // medians
	P            float64 // corrected for the number of rows
	Floor        float64 // the loss that the row is allowed
	Verdict      Verdict
}

// Delta is by how much the change is over the base, as a part of it.
func (l Line) Delta() float64 { return l.Change/l.Base - 1 }

// Compare compares two builds, sorted by row. noise is the part by which equal code has been seen to differ on this machine, by
// row; of a row that was not looked at, a stranger's machine for example, it is taken to be what the base's own runs differ by.
func Compare(base, change Samples, noise map[string]float64) []Line {
	var lines []Line
	var compared []*Line
	names := slices.Sorted(maps.Keys(base))
	for _, name := range slices.Sorted(maps.Keys(change)) {
		if base[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		b, c := base[name], change[name]
		l := Line{Row: name, P: 1}
		switch {
		case c == nil:
			l.Verdict = Gone
		case b == nil:
			l.Verdict = New
		case b.Version != c.Version || b.Unit != c.Unit:
			l.Verdict = Changed
		default:
			l.Unit, l.Verdict = b.Unit, Same
			n, known := noise[name]
			if !known {
				n = spread(b.Figures)
			}
			l.Floor = max(least, n)
			from, to := sample(b.Figures), sample(c.Figures)
			l.Base, l.Change = middle(from), middle(to)
			l.P = benchmath.AssumeNothing.Compare(from, to).P
			if middle(sample(c.Allocs)) > middle(sample(b.Allocs)) { // never where a side prints none: their middle is no number
				l.Verdict = Allocate
			}
		}
		lines = append(lines, l)
	}
	for i := range lines {
		if lines[i].Unit != "" {
			compared = append(compared, &lines[i])
		}
	}
	correct(compared)
	for _, l := range compared {
		switch {
		case l.Verdict == Allocate || l.P >= alpha || math.IsNaN(l.Delta()):
		case l.Delta() > l.Floor:
			l.Verdict = Worse
		case l.Delta() < -l.Floor:
			l.Verdict = Better
		}
	}
	return lines
}

// correct turns each P into what it is worth among so many (S. Holm, 1979).
func correct(lines []*Line) {
	lines = slices.Clone(lines)
	slices.SortStableFunc(lines, func(a, b *Line) int { return cmp.Compare(a.P, b.P) })
	before := 0.0
	for i, l := range lines {
		l.P = min(1, max(before, l.P*float64(len(lines)-i)))
		before = l.P
	}
}

func sample(values []float64) *benchmath.Sample {
	return benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds)
}

// spread is half of what lies between the quartiles, as a part of the median.
func spread(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	n := len(s)
	if s[n/2] == 0 {
		return 0
	}
	return (s[n*3/4] - s[n/4]) / 2 / s[n/2]
}

func middle(s *benchmath.Sample) float64 {
	return benchmath.AssumeNothing.Summary(s, 0.95).Center
}

// Noise returns by how much equal code differed, by row: what is to be allowed for on this machine.
func Noise(lines []Line) map[string]float64 {
	noise := make(map[string]float64)
	for _, l := range lines {
		if l.Unit != "" && !math.IsNaN(l.Delta()) {
			noise[l.Row] = math.Abs(l.Delta())
		}
	}
	return noise
}

// Write prints the lines as a table.
func Write(w io.Writer, lines []Line) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "row\tunit\tbase\tchange\tdelta\tallowed\tp\tverdict")
	for _, l := range lines {
		if l.Unit == "" {
			fmt.Fprintf(t, "%s\t\t\t\t\t\t\t%s\n", l.Row, l.Verdict)
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%.4g\t%.4g\t%+.1f %%\t%.1f %%\t%.4f\t%s\n",
			l.Row, l.Unit, l.Base, l.Change, 100*l.Delta(), 100*l.Floor, l.P, l.Verdict)
	}
	return t.Flush()
}
