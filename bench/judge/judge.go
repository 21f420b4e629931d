package judge

import (
	"fmt"
	"strconv"

	"github.com/spillwayhq/spillway/bench"
)

const (
	tries  = 3    // how often a row is measured at most
	wide   = 0.10 // a spread from which a row is measured again before it is judged
	mildly = 1.25 // by how much a quick run may be over a target
)

// A Judged is a row, measured and judged.
type Judged struct {
	Row     string  `json:"row"`
	Work    string  `json:"work"`
	Unit    string  `json:"unit"`
	Version int     `json:"version"`
	This    float64 `json:"this"`
	Base    float64 `json:"against"`
	Against string  `json:"baseline"`
	Ratio   float64 `json:"ratio"`
	Spread  float64 `json:"spread"`
	Target  float64 `json:"target"`
	Stretch float64 `json:"stretch"`

	Floor    float64 `json:"floor,omitempty"` // of a row that can't meet its target
	Decision string  `json:"decision,omitempty"`

	Rounds  int     `json:"rounds"`
	Allocs  uint64  `json:"allocs"`
	Tries   int     `json:"tries"`
	Verdict Verdict `json:"verdict"`
	Note    string  `json:"note,omitempty"`

	Beside []bench.Figure `json:"beside,omitempty"`
}

// ByDecision tells whether the row is over its target and passes because of a decision.
func (j Judged) ByDecision() bool { return j.Decision != "" && j.Ratio > j.Target && !j.Verdict.Bad() }

// Says is the verdict, and where to read why a target that isn't met is let pass.
func (j Judged) Says() string {
	if j.Decision == "" || j.Ratio <= j.Target {
		return string(j.Verdict)
	}
	return fmt.Sprintf("%s: %s allows %s", j.Verdict, j.Decision, Ratio(j.Floor))
}

// Row measures a row, and again where it is over its target, or was measured too widely to say; all its rounds
// count together. A mild one lets pass what is not far over, and fails a row if it was too far over each time, by itself: a
// neighbour who was busy for a while is not held against it later.
func Row(r bench.Row, mild bool, measure func() (bench.Result, error)) (j Judged) {
	if r.Needs != nil {
		if err := r.Needs(); err != nil {
			return Judged{Row: r.Name(), Work: r.Work, Unit: r.Unit, Verdict: Skipped, Note: err.Error()}
		}
	}
	var sum bench.Result
	for try := 1; try <= tries; try++ {
		result, err := measure()
		if err != nil {
			return Judged{Row: r.Name(), Work: r.Work, Unit: r.Unit, Verdict: Fails, Note: err.Error(), Tries: try}
		}
		sum = sum.Plus(result)
		j = Judged{
			Row: r.Name(), Work: r.Work, Unit: r.Unit, Version: r.Version,
			This: sum.This, Base: sum.Against, Against: r.Against, Ratio: sum.Ratio(), Spread: sum.Spread(),
			Target: r.Target, Stretch: r.Stretch, Floor: r.Floor, Decision: r.Decision,
			Rounds: sum.Rounds, Allocs: sum.Allocs, Tries: try, Beside: sum.Beside,
		}
		j.Verdict = Of(r, mild, j)
		if r.Counted || j.Verdict == Allocates || !j.Verdict.Bad() && j.Spread <= wide {
			break
		}
		if mild && j.Verdict.Bad() {
			sum = bench.Result{}
		}
	}
	return j
}

// Of returns the verdict on a row of which this was measured.
func Of(r bench.Row, mild bool, j Judged) Verdict {
	switch {
	case r.NoAllocs && j.Allocs > 0:
		return Allocates
	case r.Target == 0:
		return Shown
	case j.Ratio <= r.Stretch:
		return ReachesStretch
	case j.Ratio <= r.Target:
		return Passes
	case j.Ratio <= r.Floor:
		return AtFloor
	case mild && !r.Counted && j.Ratio <= r.Limit()*mildly:
		return Near
	}
	return FallsShort
}

// Digits prints a measured value: three digits that count.
func Digits(v float64) string {
	if v >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// Ratio prints a ratio: as 1/40 where that is how one would say it.
func Ratio(v float64) string {
	if v > 0 && v < 0.1 {
		return "1/" + strconv.FormatFloat(1/v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
