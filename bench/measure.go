package bench

import (
	"fmt"
	"runtime"
	"slices"
	"time"
)

// minRounds is the least number of rounds that a median is taken of.
const minRounds = 7

// A Runner is what Compare needs of a *testing.B, so that a program can compare as well.
type Runner interface {
	Helper()
	ReportAllocs()
	Loop() bool
	Fatalf(format string, args ...any)
	ReportMetric(n float64, unit string)
}

// A Section is one of the things that a row compares: what is timed in a round, and what goes before and
// after it untimed.
type Section struct {
	Name   string
	Before func(round int) error // prepares a round; nil: nothing to prepare
	Timed  func() (ops int)      // returns how many operations it was
	Own    func() (ns float64)   // in place of Timed: measures by itself, a percentile for example
	After  func() error          // drains and checks, and says what is wrong; nil: nothing to check
}

// Compare runs subject and baseline in turns, in changing order, until r's Loop ends and at least seven
// rounds are done. It reports the median time of an operation of each, the median ratio of subject to
// baseline within a round, and the target that it is held against. What runs beside is reported without
// a ratio.
//
// The ratio is not that of the medians: a shared machine has two speeds, the one with a busy neighbour and
// the one without, and where a run sees both for about as long, the two medians may be of either.
func Compare(r Runner, target float64, subject, baseline Section, beside ...Section) {
	r.Helper()
	r.ReportAllocs()
	sections := append([]Section{subject, baseline}, beside...)
	times := make([][]float64, len(sections))
	for i := range times {
		times[i] = make([]float64, 0, 1<<18) // so that rows that must not allocate don't do it here
	}
	clock := clockCost()
	round := 0
	play := func() {
		for i := range sections {
			if round%2 == 1 {
				i = len(sections) - 1 - i
			}
			t, err := sections[i].play(round, clock)
			if err != nil {
				r.Fatalf("%s, round %d: %v", sections[i].Name, round, err)
			}
			times[i] = append(times[i], t)
		}
		round++
	}

	runtime.GC() // what the set-up left behind is not collected at the cost of the first rounds
	for r.Loop() {
		play()
	}
	for round < minRounds {
		play()
	}

	ratios := make([]float64, round)
	for i := range ratios {
		ratios[i] = times[0][i] / times[1][i]
	}
	r.ReportMetric(median(ratios), "x-"+baseline.Name)
	r.ReportMetric(median(times[0]), "ns/op")
	for i, s := range sections[1:] {
		r.ReportMetric(median(times[i+1]), "ns-"+s.Name)
	}
	r.ReportMetric(target, "target")
	r.ReportMetric(float64(round), "rounds")
}

// play runs one round of s and returns the nanoseconds that an operation took, or its own figure.
func (s *Section) play(round int, clock time.Duration) (float64, error) {
	if s.Before != nil {
		if err := s.Before(round); err != nil {
			return 0, fmt.Errorf("preparing: %w", err)
		}
	}
	var figure float64
	if s.Own != nil {
		figure = s.Own()
	} else {
		start := time.Now()
		ops := s.Timed()
		figure = float64((time.Since(start) - clock).Nanoseconds()) / float64(ops)
	}
	if s.After != nil {
		if err := s.After(); err != nil {
			return 0, err
		}
	}
	return figure, nil
}

// clockCost returns what reading the clock twice adds to a timed section. Left in, it would
// draw the ratio of two short sections towards one.
func clockCost() time.Duration {
	costs := make([]time.Duration, 1001)
	for i := range costs {
		start := time.Now()
		costs[i] = time.Since(start)
	}
	return median(costs)
}

// median returns the middle one of vs, the upper one of two, and sorts vs.
func median[V float64 | time.Duration](vs []V) V {
	slices.Sort(vs)
	return vs[len(vs)/2]
}
