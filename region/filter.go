package region

// A KindFilter says which kinds are asked for. The zero KindFilter is any.
type KindFilter struct {
	mode  uint8
	value uint16 // a Kind, or a category; 0 where mode is anyKind, so that equal filters are equal values
}

const (
	anyKind uint8 = iota
	oneKind
	inCategory
)

// OneKind asks for one kind. OneKind(0) is kind 0, not any.
func OneKind(k Kind) KindFilter { return KindFilter{mode: oneKind, value: uint16(k)} }

// InCategory asks for every kind of a category from 0 to 15; the reserved ones may be asked for, and
// InCategory(0) is category 0, not any. Over 15 is ErrRange from Region.Validate, and matches nothing.
func InCategory(c uint8) KindFilter { return KindFilter{mode: inCategory, value: uint16(c)} }

// IsZero tells whether f is any.
func (f KindFilter) IsZero() bool { return f == KindFilter{} }

// Kind returns the one kind that is asked for; false where it is any, or a category.
func (f KindFilter) Kind() (k Kind, ok bool) {
	if f.mode != oneKind {
		return 0, false
	}
	return Kind(f.value), true
}

// Category returns the one category that is asked for; false where it is any, or a kind.
func (f KindFilter) Category() (c uint8, ok bool) {
	if f.mode != inCategory {
		return 0, false
	}
	return uint8(f.value), true
}

// Match tells whether k is asked for.
func (f KindFilter) Match(k Kind) bool {
	switch f.mode {
	case oneKind:
		return Kind(f.value) == k
	case inCategory:
		return f.value == uint16(k.Category())
	}
	return true
}

// A LaneFilter says which lane is asked for. The zero LaneFilter is any.
type LaneFilter struct {
	set  bool
	lane uint32
}

// OneLane asks for lane n. OneLane(0) is lane 0, not any.
func OneLane(n uint32) LaneFilter { return LaneFilter{set: true, lane: n} }

// IsZero tells whether f is any.
func (f LaneFilter) IsZero() bool { return !f.set }

// Lane returns the one lane that is asked for; false where it is any.
func (f LaneFilter) Lane() (n uint32, ok bool) { return f.lane, f.set }

// Match tells whether lane n is asked for.
func (f LaneFilter) Match(n uint32) bool { return !f.set || f.lane == n }

// A ClockRange is an inclusive range of an entity's own clock, Position.Sequence, for queries over a log. The
// zero ClockRange is any.
type ClockRange struct {
	set      bool
	from, to uint32
}

// Clocks asks for clocks from and to and what lies between. Clocks(0, 0) is clock 0, not any. A from over to
// is ErrClockRange from Region.Validate, and matches nothing.
func Clocks(from, to uint32) ClockRange { return ClockRange{set: true, from: from, to: to} }

// IsZero tells whether c is any.
func (c ClockRange) IsZero() bool { return !c.set }

// Bounds returns the clocks that are asked for; false where they are any.
func (c ClockRange) Bounds() (from, to uint32, ok bool) { return c.from, c.to, c.set }

// Match tells whether an entity's clock is asked for.
func (c ClockRange) Match(clock uint32) bool { return !c.set || c.from <= clock && clock <= c.to }
