package regress

import (
	"fmt"
	"io"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// Samples are what runs of one build measured, by row.
type Samples map[string]*Row

// A Row is what several runs measured of one row.
type Row struct {
	Version int       // of what it measures
	Unit    string    // of the figures: x-BASELINE for ratios
	Figures []float64 // one a run
	Allocs  []float64 // objects that a round, or an operation, allocates; one a run, and none where that is not the row's to say
}

// Read adds what one run of go test -bench printed.
func (s Samples) Read(out io.Reader, name string) error {
	r := benchfmt.NewReader(out, name)
	for r.Scan() {
		switch rec := r.Result().(type) {
		case *benchfmt.Result:
			if err := s.add(rec); err != nil {
				file, line := rec.Pos()
				return fmt.Errorf("%s:%d: %w", file, line, err)
			}
		case *benchfmt.SyntaxError:
			return rec
		}
	}
	return r.Err()
}

func (s Samples) add(rec *benchfmt.Result) error {
	name, _, _ := strings.Cut(rec.Name.String(), "-")
	version, ok := rec.Value("version")
	if !ok {
		return nil // a benchmark that is no row
	}
	figure, unit := figureOf(rec)
	if unit == "" {
		return fmt.Errorf("%s has no figure", name)
	}
	row := s[name]
	if row == nil {
		row = &Row{Version: int(version), Unit: unit}
		s[name] = row
	}
	if row.Version != int(version) || row.Unit != unit {
		return fmt.Errorf("%s is of version %d and in %s, and was of version %d and in %s before", name, int(version), unit, row.Version, row.Unit)
	}
	row.Figures = append(row.Figures, figure)
	if allocs, ok := rec.Value("allocs/op"); ok {
		row.Allocs = append(row.Allocs, allocs)
	}
	return nil
}

// figureOf returns the ratio to the baseline, or the figure of a row that has none.
func figureOf(rec *benchfmt.Result) (figure float64, unit string) {
	for _, v := range rec.Values {
		switch {
		case strings.HasPrefix(v.Unit, "x-"):
			return v.Value, v.Unit
		case v.Unit == "objects" || v.Unit == "B/subscription":
			figure, unit = v.Value, v.Unit
		}
	}
	return figure, unit
}
