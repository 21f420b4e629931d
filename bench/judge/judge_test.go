package judge_test

import (
	"testing"

	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/bench/judge"
)

func TestVerdicts(t *testing.T) {
	ratio := bench.Row{Target: 2, Stretch: 1.5, Against: "it"}
	counted := bench.Row{Target: 99, Counted: true}
	strict := ratio
	strict.NoAllocs = true
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
