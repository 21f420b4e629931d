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
	Shown          Verdict = "-" // has no target
	Fails          Verdict = "FAILED"
)

// Bad says whether a gate is to fail for it.
func (v Verdict) Bad() bool { return v == FallsShort || v == Allocates || v == Fails }
