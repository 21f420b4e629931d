package judge

// A Verdict says how a row did.
type Verdict string

// How a row can do.
const (
	ReachesStretch Verdict = "stretch"
	Passes         Verdict = "pass"
	AtFloor        Verdict = "short by decision" // over its target, and not over the floor that a decision records
	Near           Verdict = "near"              // over its target, and within what a quick run lets pass
	FallsShort     Verdict = "SHORT"
	Allocates      Verdict = "ALLOCATES"
	Shown          Verdict = "-"       // has no target
	Skipped        Verdict = "skipped" // needs what there isn't here
	Fails          Verdict = "FAILED"
)

// Measured says whether there are figures.
func (v Verdict) Measured() bool { return v != Fails && v != Skipped }

// Bad says whether a gate is to fail for it.
func (v Verdict) Bad() bool { return v == FallsShort || v == Allocates || v == Fails }
