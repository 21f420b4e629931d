package judge_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/bench/judge"
)

func TestVerdicts(t *testing.T) {
	ratio := bench.Row{Target: 2, Stretch: 1.5, Against: "it"}
	counted := bench.Row{Target: 99, Counted: true}
	strict := ratio
	strict.NoAllocs = true
	floored := ratio
	floored.Floor, floored.Decision = 3, "0099"
	countedFloor := counted
	countedFloor.Floor, countedFloor.Decision = 120, "0099"
	for _, test := range []struct {
		name  string
		row   bench.Row
		quick bool
		ratio float64
		alloc uint64
		want  judge.Verdict
		bad   bool
	}{
		{"at its stretch", ratio, false, 1.5, 0, judge.ReachesStretch, false},
		{"at its target", ratio, false, 2, 0, judge.Passes, false},
		{"over it", ratio, false, 2.01, 0, judge.FallsShort, true},
		{"over it, quickly", ratio, true, 2.5, 0, judge.Near, false},
		{"far over it, quickly", ratio, true, 2.51, 0, judge.FallsShort, true},
		{"allocating where it may", ratio, false, 2, 7, judge.Passes, false},
		{"allocating where it may not", strict, true, 1, 1, judge.Allocates, true},
		{"a count", counted, true, 99, 0, judge.Passes, false},
		{"a count over its target, quickly", counted, true, 100, 0, judge.FallsShort, true},
		{"met, in spite of a floor", floored, false, 2, 0, judge.Passes, false},
		{"over it, at its floor", floored, false, 3, 0, judge.AtFloor, false},
		{"over its floor", floored, false, 3.01, 0, judge.FallsShort, true},
		{"at its floor, quickly", floored, true, 3, 0, judge.AtFloor, false},
		{"over its floor, quickly", floored, true, 3.75, 0, judge.Near, false},
		{"far over its floor, quickly", floored, true, 3.76, 0, judge.FallsShort, true},
		{"a count at its floor", countedFloor, true, 120, 0, judge.AtFloor, false},
		{"a count over its floor, quickly", countedFloor, true, 121, 0, judge.FallsShort, true},
		{"without a target", bench.Row{Against: "it"}, false, 50, 0, judge.Shown, false},
	} {
		got := judge.Of(test.row, test.quick, judge.Judged{Ratio: test.ratio, Allocs: test.alloc})
		if got != test.want || got.Bad() != test.bad {
			t.Errorf("%s: %q, bad: %v; want %q, %v", test.name, got, got.Bad(), test.want, test.bad)
		}
	}
}

// What goes wrong is returned, and what was opened is closed.
func TestMeasureCleansUp(t *testing.T) {
	var closed []int
	row := bench.Row{ID: "P0", Open: func(h bench.Host) bench.Sides {
		h.Cleanup(func() { closed = append(closed, 1) })
		h.Cleanup(func() { closed = append(closed, 2) })
		h.Fatalf("no %s", "room")
		return bench.Sides{}
	}}
	err := judge.Measure(1, func(h bench.Host, more func() bool) { row.Measure(h, more) })
	if err == nil || err.Error() != "no room" || len(closed) != 2 || closed[0] != 2 {
		t.Errorf("got %v, closed %v; want no room, the last first", err, closed)
	}
}

// measured answers with one result after the other: the ratios of its rounds.
func measured(results ...[]float64) func() (bench.Result, error) {
	return func() (bench.Result, error) {
		ratios := results[0]
		results = results[1:]
		return bench.Result{Rounds: len(ratios), Ratios: ratios, This: ratios[len(ratios)/2], Against: 1}, nil
	}
}

// always are rounds that differ in nothing.
func always(ratio float64) []float64 { return slices.Repeat([]float64{ratio}, 7) }

// A row is measured again before it is said to be short, and where its spread is too wide to say anything.
func TestRowIsMeasuredAgain(t *testing.T) {
	row := bench.Row{ID: "P0", Target: 2, Stretch: 1, Against: "it"}
	counted := bench.Row{ID: "P0", Target: 2, Counted: true}
	wide := []float64{1.1, 1.1, 1.2, 1.5, 1.8, 1.9, 1.9}
	for _, test := range []struct {
		name    string
		row     bench.Row
		quick   bool
		results [][]float64
		want    judge.Verdict
		tries   int
		rounds  int
	}{
		{"it passes", row, false, [][]float64{always(1.9)}, judge.Passes, 1, 7},
		{"it passes the second time, all rounds counted", row, false, [][]float64{always(2.1), slices.Repeat([]float64{1.9}, 9)}, judge.Passes, 2, 16},
		{"it is short three times", row, false, [][]float64{always(2.1), always(2.1), always(2.1)}, judge.FallsShort, 3, 21},
		{"it is short once and then not, of all rounds", row, false, [][]float64{always(2.1), {1.9}, {1.9}}, judge.FallsShort, 3, 9},
		{"too wide to say", row, false, [][]float64{wide, slices.Repeat([]float64{1.5}, 20)}, judge.Passes, 2, 27},
		{"too wide to say, three times", row, false, [][]float64{wide, wide, wide}, judge.Passes, 3, 21},
		{"a count is what it is", counted, false, [][]float64{{2.1}}, judge.FallsShort, 1, 1},
		{"quickly, it is near", row, true, [][]float64{always(2.4)}, judge.Near, 1, 7},
		{"quickly, it is far over twice, and each by itself", row, true, [][]float64{always(9), always(9), {1.9}}, judge.Passes, 3, 1},
		{"quickly, it is far over each time", row, true, [][]float64{always(9), always(9), always(2.6)}, judge.FallsShort, 3, 7},
		{"quickly, too wide to say", row, true, [][]float64{wide, always(1.5)}, judge.Passes, 2, 14},
	} {
		j := judge.Row(test.row, test.quick, measured(test.results...))
		if j.Verdict != test.want || j.Tries != test.tries || j.Rounds != test.rounds {
			t.Errorf("%s: %q after %d tries of %d rounds, want %q, %d, %d", test.name, j.Verdict, j.Tries, j.Rounds, test.want, test.tries, test.rounds)
		}
	}
}

// A row whose needs are not met is skipped, says why, and fails nothing.
func TestRowThatNeedsMore(t *testing.T) {
	missing := bench.Row{ID: "P0", Target: 2, Needs: func() error { return errors.New("no moon") }}
	j := judge.Row(missing, false, func() (bench.Result, error) {
		t.Error("it was measured")
		return bench.Result{}, nil
	})
	if j.Verdict != judge.Skipped || j.Note != "no moon" || j.Verdict.Bad() || j.Verdict.Measured() {
		t.Errorf("got %+v, want that it was skipped", j)
	}
	there := bench.Row{ID: "P0", Target: 2, Needs: func() error { return nil }}
	if j := judge.Row(there, false, measured(always(1.9))); j.Verdict != judge.Passes {
		t.Errorf("with what it needs: %q, want that it passes", j.Verdict)
	}
}

// An allocation is no matter of luck: there is no second try.
func TestRowAllocatesAtOnce(t *testing.T) {
	tries := 0
	j := judge.Row(bench.Row{Target: 2, NoAllocs: true}, true, func() (bench.Result, error) {
		tries++
		return bench.Result{Rounds: 7, Ratios: always(1), Allocs: 1}, nil
	})
	if j.Verdict != judge.Allocates || tries != 1 {
		t.Errorf("%q after %d tries, want %q after one", j.Verdict, tries, judge.Allocates)
	}
}

// What stands beside a verdict is the row's own: target, stretch and floor are handed on as they are.
func TestRowKeepsTheFloor(t *testing.T) {
	row := bench.Row{ID: "P0", Target: 2, Stretch: 1, Floor: 3, Decision: "0099", Against: "it"}
	j := judge.Row(row, false, measured([]float64{2.5}))
	if j.Target != 2 || j.Stretch != 1 || j.Floor != 3 || j.Decision != "0099" || j.Verdict != judge.AtFloor || !j.ByDecision() {
		t.Errorf("judged %+v", j)
	}
	if got, want := j.Says(), "short by decision: 0099 allows 3"; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
}
