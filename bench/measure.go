package bench

import (
	"fmt"
	"runtime"
	"slices"
	"time"
)

// minRounds is the least number of rounds that a median is taken of.
const minRounds = 7

// A Section is one of the things that a row compares: what is timed in a round, and what goes before and
// after it untimed.
type Section struct {
	Name   string
	Before func(round int) error   // prepares a round; nil: nothing to prepare
	Timed  func() (ops int)        // returns how many operations it was
	Own    func() (float64, error) // in place of Timed: measures by itself, a percentile for example
	After  func() error            // drains and checks, and says what is wrong; nil: nothing to check
}

// A Result is what was measured of a row.
type Result struct {
	Rounds        int
	This, Against float64 // medians; Against is 0 without a baseline
	ThisSpan      Span    // of the same figures
	AgainstSpan   Span
	Ratios        []float64 // of each round, sorted; the figures themselves without a baseline
	Beside        []Figure
	Allocs, Bytes uint64 // that a round allocates, of all sides; or an operation, where the row allocates by nature
	Own           bool   // these are the row's to say, and not what the runtime happened to make for goroutines that waited
}

// A Figure is the median of a Section that ran beside.
type Figure struct {
	Name  string
	Value float64
	Span  Span
}

// A Span is what the middle half of the rounds lies in.
type Span struct{ Low, High float64 }

// Ratio is the median of the rounds' ratios.
//
// It is not the ratio of the medians: a shared machine has two speeds, the one with a busy neighbour and
// the one without, and where a run sees both for about as long, the two medians may be of either.
func (r Result) Ratio() float64 { return r.Ratios[len(r.Ratios)/2] }

// Spread is half of what lies between the quartiles of the rounds' ratios, as a part of their median.
func (r Result) Spread() float64 {
	n := len(r.Ratios)
	if r.Ratio() == 0 {
		return 0
	}
	return (r.Ratios[n*3/4] - r.Ratios[n/4]) / 2 / r.Ratio()
}

// Measure opens the row and runs its sides in turns, in changing order, as long as more is true, and seven rounds at
// least, or one of a Counted row. What goes wrong is h's Fatalf.
func (r Row) Measure(h Host, more func() bool) Result {
	h.Helper()
	sides := r.Open(h)
	sections := []Section{sides.Subject}
	if r.Against != "" {
		sections = append(sections, sides.Baseline)
	}
	m := meter{sections: append(sections, sides.Beside...), clock: clockCost()}
	m.figures = make([][]float64, len(m.sections))
	for i := range m.figures {
		m.figures[i] = make([]float64, 0, 1<<18) // so that rows that must not allocate don't do it here
	}
	least := minRounds
	if r.Counted {
		least = 1
	}
	runtime.GC() // what the set-up left behind is not collected at the cost of the first rounds
	allocs, bytes := allocating(func() (ops int) {
		if err := m.play(more, least); err != nil {
			h.Fatalf("%s: %v", r.Name(), err)
		}
		return m.rounds
	})
	result := m.result(r.Against != "")
	if sides.Allocating != nil {
		allocs, bytes = allocating(sides.Allocating)
	}
	result.Allocs, result.Bytes = allocs, bytes
	result.Own = r.NoAllocs || sides.Allocating != nil
	return result
}

// allocating returns how many objects and bytes an operation of f allocates: whole ones, as the runtime makes a few of its own
// now and then.
func allocating(f func() (ops int)) (objects, bytes uint64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ops := uint64(f())
	runtime.ReadMemStats(&after)
	return (after.Mallocs - before.Mallocs) / ops, (after.TotalAlloc - before.TotalAlloc) / ops
}

// A meter plays rounds and keeps their figures.
type meter struct {
	sections []Section
	clock    time.Duration
	figures  [][]float64
	rounds   int
}

// play plays rounds as long as more is true, and at least so many. Once more is false it isn't asked again: testing.B's Loop is
// over then.
func (m *meter) play(more func() bool, least int) error {
	for going := true; ; {
		going = going && more()
		if !going && m.rounds >= least {
			return nil
		}
		if err := m.round(); err != nil {
			return err
		}
	}
}

func (m *meter) round() error {
	for i := range m.sections {
		if m.rounds%2 == 1 {
			i = len(m.sections) - 1 - i
		}
		t, err := m.sections[i].play(m.rounds, m.clock)
		if err != nil {
			return fmt.Errorf("%s, round %d: %w", m.sections[i].Name, m.rounds, err)
		}
		m.figures[i] = append(m.figures[i], t)
	}
	m.rounds++
	return nil
}

func (m *meter) result(compared bool) Result {
	r := Result{Rounds: m.rounds, Ratios: slices.Clone(m.figures[0])}
	beside := 1
	if compared {
		beside = 2
		for i := range r.Ratios {
			r.Ratios[i] /= m.figures[1][i]
		}
		r.Against, r.AgainstSpan = median(m.figures[1]), span(m.figures[1])
	}
	slices.Sort(r.Ratios)
	r.This, r.ThisSpan = median(m.figures[0]), span(m.figures[0])
	for i, s := range m.sections[beside:] {
		figures := m.figures[beside+i]
		r.Beside = append(r.Beside, Figure{s.Name, median(figures), span(figures)})
	}
	return r
}

// play runs one round of s and returns the nanoseconds that an operation took, or its own figure.
func (s *Section) play(round int, clock time.Duration) (figure float64, err error) {
	if s.Before != nil {
		if err := s.Before(round); err != nil {
			return 0, fmt.Errorf("preparing: %w", err)
		}
	}
	if s.Own != nil {
		if figure, err = s.Own(); err != nil {
			return 0, err
		}
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

// span returns the quartiles of sorted figures.
func span(sorted []float64) Span {
	n := len(sorted)
	return Span{sorted[n/4], sorted[n*3/4]}
}

// Plus is both results as if of one run.
func (r Result) Plus(o Result) Result {
	if r.Rounds == 0 {
		return o
	}
	sum := Result{
		Rounds: r.Rounds + o.Rounds, Ratios: slices.Concat(r.Ratios, o.Ratios), Beside: o.Beside, Own: o.Own,
		Allocs: max(r.Allocs, o.Allocs), Bytes: max(r.Bytes, o.Bytes),
	}
	slices.Sort(sum.Ratios)
	share := float64(o.Rounds) / float64(sum.Rounds)
	sum.This = r.This + (o.This-r.This)*share
	sum.Against = r.Against + (o.Against-r.Against)*share
	sum.ThisSpan = r.ThisSpan.towards(o.ThisSpan, share)
	sum.AgainstSpan = r.AgainstSpan.towards(o.AgainstSpan, share)
	return sum
}

func (s Span) towards(o Span, share float64) Span {
	return Span{s.Low + (o.Low-s.Low)*share, s.High + (o.High-s.High)*share}
}
