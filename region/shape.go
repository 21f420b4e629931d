package region

import "sync/atomic"

// A shape says which of entity, scope and lane a Region fixes, and how deep its entity is.
// Regions of one shape and one kind filter share a table: one probe finds all that match.
type shape struct {
	depth  uint8 // segments of the entity; 0: any entity
	scoped bool
	onLane bool
}

// before orders shapes by depth: a look-up walks an event's entity once, front to back, and
// stops at the first shape that is deeper than it.
func (s shape) before(o shape) bool {
	switch {
	case s.depth != o.depth:
		return s.depth < o.depth
	case s.scoped != o.scoped:
		return o.scoped
	}
	return !s.onLane && o.onLane
}

// A family is everything under one kind filter: the members that ask for nothing else, and a
// table for each shape in use.
type family[M any] struct {
	// whole leads to the members whose Regions fix neither entity, scope nor lane.
	//   written by: Insert, Remove; under the owner's mutex
	//   read by:    Matches, Everything; one Load, lock-free
	//   order:      an Entry is filled before it is stored
	whole atomic.Pointer[Entry[M]]

	// tables are the shapes in use, in the order of shape.before; the slice is never changed.
	//   written by: Insert and Remove when a shape comes into use or goes out of it; under the owner's mutex
	//   read by:    Matches; one Load, lock-free
	//   order:      a shape's table holds its first Entry before it is listed here
	tables atomic.Pointer[[]*table[M]]
}

func (f *family[M]) empty() bool { return f.whole.Load() == nil && f.tables.Load() == nil }

// shapes returns the tables in use; nil where there is none.
func (f *family[M]) shapes() []*table[M] {
	if p := f.tables.Load(); p != nil {
		return *p
	}
	return nil
}

func (f *family[M]) table(s shape) *table[M] {
	for _, t := range f.shapes() {
		if t.shape == s {
			return t
		}
	}
	return nil
}

// list publishes t among the shapes in use.
func (f *family[M]) list(t *table[M]) {
	old := f.shapes()
	tables := make([]*table[M], 0, len(old)+1)
	i := 0
	for i < len(old) && old[i].shape.before(t.shape) {
		i++
	}
	tables = append(tables, old[:i]...)
	tables = append(tables, t)
	tables = append(tables, old[i:]...)
	f.tables.Store(&tables)
}

// unlist takes t, which is empty, from the shapes in use.
func (f *family[M]) unlist(t *table[M]) {
	old := f.shapes()
	if len(old) == 1 {
		f.tables.Store(nil)
		return
	}
	tables := make([]*table[M], 0, len(old)-1)
	for _, o := range old {
		if o != t {
			tables = append(tables, o)
		}
	}
	f.tables.Store(&tables)
}
