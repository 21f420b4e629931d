package region

import (
	"fmt"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// A Region is the set of Points that a subscription or a query asks for: those that every field matches.
// The zero Region is everything. Regions are comparable, and equal if their texts are.
type Region struct {
	Entity string     // a prefix at colons: "alice" matches alice and alice:child, never alice2; "" is any
	Scope  string     // exact; "" is any
	Kind   KindFilter // OneKind, InCategory
	Lane   LaneFilter // OneLane
	Clock  ClockRange // Clocks; for queries over a log only
}

// Validate returns a *NameError for a name that a Coordinate would refuse, ErrRange for a category over
// 15, or ErrClockRange.
func (r Region) Validate() error {
	if r.Entity != "" {
		if err := checkEntity(r.Entity); err != nil {
			return err
		}
	}
	if r.Scope != "" {
		if err := checkScope(r.Scope); err != nil {
			return err
		}
	}
	if r.Kind.mode == inCategory && r.Kind.value > maxCategory {
		return fmt.Errorf("spillway/region: category %#x: %w: at most 0xf", r.Kind.value, ErrRange)
	}
	if r.Clock.from > r.Clock.to {
		return fmt.Errorf("spillway/region: clock %d..%d: %w", r.Clock.from, r.Clock.to, ErrClockRange)
	}
	return nil
}

// Match tells whether an event at p is asked for. Clock is not looked at: a Point has none.
func (r Region) Match(p Point) bool {
	return r.Kind.Match(p.Kind) &&
		r.Lane.Match(p.Lane) &&
		(r.Scope == "" || r.Scope == p.Scope) &&
		(r.Entity == "" || within(p.Entity, r.Entity))
}

// within tells whether prefix is the whole of entity, or ends there at a colon.
func within(entity, prefix string) bool {
	rest, ok := strings.CutPrefix(entity, prefix)
	return ok && (rest == "" || rest[0] == ':')
}

// Hash returns the xxhash64 of String: the same in every process, on every machine, for good.
func (r Region) Hash() uint64 { return xxhash.Sum64String(r.String()) }
