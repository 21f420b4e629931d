package bench

import (
	"fmt"
	"slices"
)

// A Row is one of the figures that Spillway is built for: what is measured, against what, and how much it
// may be. The benchmarks of this package, the gate and the report all measure rows as they stand here.
type Row struct {
	ID   string // P1, P5m ...
	Case string // which of the ID's, as key=value; "" where there is one alone

	Work    string // what is measured
	Against string // the baseline, whose name its Section bears; "" where the figure stands for itself
	Unit    string // of the figures

	Target  float64 // what the ratio may be at most, or the figure where there is no baseline; 0: it is shown beside others
	Stretch float64 // what the best would reach

	// Floor is what Decision found to be the least that is reached, where that is over the target: the gate prints the row as short
	// of its target, and fails from the floor on. Decision is the number of a file in docs/decisions, as 0006, a line of which
	// names the row and the floor. Most rows have neither.
	Floor    float64
	Decision string

	// Deliveries is how many deliveries the figure's operation makes, where it is nanoseconds; 0 where it is none, or of another kind.
	Deliveries int

	// Version is raised when the row begins to measure something else. Figures of two versions are not compared.
	Version int

	Quick    bool // takes seconds: measured in a quick run, and compared from commit to commit
	Counted  bool // the figure does not depend on the machine: one round is enough, quick runs have it too, and missing the target is an error
	NoAllocs bool // what is timed must not allocate

	// Needs says what the row needs that there isn't here, the events of a file for example: it is skipped then, and not passed. Nil: it
	// needs nothing.
	Needs func() error

	// Open prepares the row. What it opens it has closed by h's Cleanup.
	Open func(h Host) Sides
}

// Name returns the name that a row has everywhere: P5/subs=1k.
func (r Row) Name() string {
	if r.Case == "" {
		return r.ID
	}
	return r.ID + "/" + r.Case
}

// Limit returns what the ratio may be before the row fails: the target, or the floor of a row that has one.
func (r Row) Limit() float64 { return max(r.Target, r.Floor) }

// PerDelivery returns the nanoseconds of a delivery, of the figures of a row that makes some.
func (r Row) PerDelivery(figure float64) float64 { return figure / float64(r.Deliveries) }

// Sides are what a row compares.
type Sides struct {
	Subject  Section
	Baseline Section   // none where the row has no baseline
	Beside   []Section // reported, and in no ratio

	// Allocating is one run of what the subject times, where that allocates by nature: how much is reported for each operation.
	Allocating func() (ops int)
}

// A Host is what a row is opened for: a *testing.B, or a program's own.
type Host interface {
	Helper()
	Cleanup(f func())
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any) // does not return
}

// Rows returns all rows, in the order of the project's targets.
func Rows() []Row {
	return slices.Concat(
		channelRows(), ringRows(), multicastRows(), selectingRows(), comingRows(),
		objectRows(), heapRows(), stuckRows(), wakingRows(), cursorRows(), journalRows(), followRows(), replayRows(), groupRows(), durableRows(),
	)
}

// RowsOf returns the rows of an ID, or the one of a name.
func RowsOf(name string) (rows []Row, err error) {
	for _, r := range Rows() {
		if r.ID == name || r.Name() == name {
			rows = append(rows, r)
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("there is no row %q", name)
	}
	return rows, nil
}
