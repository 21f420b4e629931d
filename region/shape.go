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

	// tables leads to the shapes in use, each the next of the one before, in the order of shape.before.
	//   written by: list and unlist when a shape comes into use or goes out of it; under the owner's mutex
	//   read by:    Matches; one Load, lock-free
	//   order:      a shape's table holds its first Entry, and knows its next, before it is listed here
	tables atomic.Pointer[table[M]]
}

func (f *family[M]) empty() bool { return f.whole.Load() == nil && f.tables.Load() == nil }

func (f *family[M]) table(s shape) *table[M] {
	t := f.tables.Load()
	for t != nil && t.shape != s {
		t = t.next.Load()
	}
	return t
}

// list publishes t among the shapes in use.
func (f *family[M]) list(t *table[M]) {
	link := &f.tables
	for next := link.Load(); next != nil && next.shape.before(t.shape); next = link.Load() {
		link = &next.next
	}
	t.next.Store(link.Load())
	link.Store(t)
}

// unlist takes t, which is empty, from the shapes in use. It is not written again: who has come to it goes on
// from it to those after it.
func (f *family[M]) unlist(t *table[M]) {
	link := &f.tables
	for link.Load() != t {
		link = &link.Load().next
	}
	link.Store(t.next.Load())
}
