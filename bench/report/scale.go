package report

import "math"

// A scale puts values on a logarithmic axis: from low at pixel a to high at pixel b.
type scale struct {
	low, high float64
	a, b      float64
}

// at returns where a value is; in the middle where there is but one.
func (s scale) at(v float64) float64 {
	if s.low == s.high {
		return (s.a + s.b) / 2
	}
	return s.a + (s.b-s.a)*(math.Log10(v)-math.Log10(s.low))/(math.Log10(s.high)-math.Log10(s.low))
}

// steps are where an axis may begin and end, and have ticks, in each decade.
var steps = []float64{1, 2, 5}

// around returns the narrowest range of steps that has both values well inside.
func around(least, most float64) (low, high float64) {
	const margin = 1.08
	low, high = math.Inf(-1), math.Inf(1)
	for decade := math.Floor(math.Log10(least)) - 1; decade <= math.Ceil(math.Log10(most))+1; decade++ {
		for _, s := range steps {
			v := s * math.Pow(10, decade)
			if v*margin <= least {
				low = v
			}
			if v >= most*margin && math.IsInf(high, 1) {
				high = v
			}
		}
	}
	return low, high
}

// ticks returns where an axis has lines: each step where it spans little, else each decade.
func (s scale) ticks() (all []float64) {
	every := steps
	if math.Log10(s.high/s.low) > 2.4 {
		every = steps[:1]
	}
	for decade := math.Floor(math.Log10(s.low)); decade <= math.Ceil(math.Log10(s.high)); decade++ {
		for _, step := range every {
			const rounding = 1 + 1e-9
			if v := step * math.Pow(10, decade); v*rounding >= s.low && v <= s.high*rounding {
				all = append(all, v)
			}
		}
	}
	return all
}
