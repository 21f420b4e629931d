package region

import (
	"fmt"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// A Region is the set of Points that a subscription or a query asks for: those that every field matches.
// The zero Region is everything. Regions are comparable; two valid ones are equal if and only if their texts are.
type Region struct {
	Entity string     // a prefix at colons: "alice" matches alice and alice:child, never alice2; "" is any
	Scope  string     // exact; "" is any
	Kind   KindFilter // OneKind, InCategory; the zero KindFilter is any
	Lane   LaneFilter // OneLane; the zero LaneFilter is any
	Clock  ClockRange // Clocks; the zero ClockRange is any. For queries over a log: a live subscription has none
}

// Validate returns nil, or what is wrong with the first field at fault: a *NameError for a name that
// NewCoordinate would refuse, unless it is empty; ErrRange for a category over 0xF; ErrClockRange.
func (r Region) Validate() error {
	if r.Entity != "" {
		if err := checkName("entity", r.Entity); err != nil {
			return err
		}
	}
	if r.Scope != "" {
		if err := checkName("scope", r.Scope); err != nil {
			return err
		}
	}
	if r.Kind.mode == inCategory && r.Kind.value > maxCategory {
		return fmt.Errorf("%w: category %#x of a region; want at most %#x", ErrRange, r.Kind.value, maxCategory)
	}
	if r.Clock.from > r.Clock.to {
		return fmt.Errorf("%w: %d..%d; want from up to to", ErrClockRange, r.Clock.from, r.Clock.to)
	}
	return nil
}

// Match tells whether an event at p is asked for. Clock is not looked at: a Point has none. Nothing is
// checked, neither r nor p, and nothing allocated.
func (r Region) Match(p Point) bool {
	return r.Kind.Match(p.Kind) &&
		r.Lane.Match(p.Lane) &&
		(r.Scope == "" || r.Scope == p.Scope) &&
		(r.Entity == "" || within(p.Entity, r.Entity))
}

// within tells whether prefix is the whole of entity, or is followed by a colon there.
func within(entity, prefix string) bool {
	rest, ok := strings.CutPrefix(entity, prefix)
	return ok && (rest == "" || rest[0] == ':')
}

// Hash returns the xxhash64 of String: the same in every process, on every machine, for good. Whoever can
// choose names can compute Regions whose hashes collide; compare the Regions themselves where that matters.
func (r Region) Hash() uint64 { return xxhash.Sum64String(r.String()) }
