package region

import (
	"hash/maphash"
	"strings"
)

// Matches walks the keys of an Index that match one Point, but for the zero Region: that one
// answers without a Point, by Everything. It lives on the caller's stack: Begin, then Next with the
// same Point until it returns nil.
//
// A member that is inserted or removed while the walk is under way may be found or not; one that
// was there before and stays is found, once.
type Matches[M any] struct {
	index *Index[M]

	class  int         // which kind filter comes next: exact, category, any
	tables []*table[M] // shapes of the family being walked that are still to be probed
	whole  *Entry[M]   // its members that ask for nothing else, still to be returned

	depth  uint8 // segments in the prefix that the walk has come to
	hashed bool  // scope is the scope's hash
	end    int   // the prefix is entity[:end]; -1 before the first segment
	entity uint64
	scope  uint64
}

// Begin starts a walk. It sets field by field: the Matches is the caller's, on its stack, and a copy of
// the whole would pay for write barriers.
func (m *Matches[M]) Begin(x *Index[M]) {
	m.index, m.class, m.tables, m.whole, m.hashed = x, 0, nil, nil, false
}

// Next returns an Entry whose key matches p, or nil after the last: all its Members match.
func (m *Matches[M]) Next(p *Point) *Entry[M] {
	for {
		if e := m.whole; e != nil {
			m.whole = nil
			return e
		}
		for len(m.tables) > 0 {
			t := m.tables[0]
			m.tables = m.tables[1:]
			if t.shape.depth > m.depth && !m.descend(p.Entity, t.shape.depth) {
				m.tables = nil // sorted by depth: the rest is deeper still
				break
			}
			if e := m.probe(t, p); e != nil {
				return e
			}
		}
		if !m.nextFamily(p.Kind) {
			return nil
		}
	}
}

func (m *Matches[M]) probe(t *table[M], p *Point) *Entry[M] {
	s := t.shape
	entity, prefix := uint64(0), ""
	if s.depth > 0 {
		entity, prefix = m.entity, p.Entity[:m.end]
	}
	if s.scoped && !m.hashed {
		m.scope, m.hashed = maphash.String(m.index.scopes, p.Scope), true
	}
	return t.find(m.index.combine(s, entity, m.scope, p.Lane), prefix, p.Scope, p.Lane)
}

// descend moves the prefix on to depth segments; false where the entity has fewer.
func (m *Matches[M]) descend(entity string, depth uint8) bool {
	if entity == "" {
		return false
	}
	for m.depth < depth {
		if m.end == len(entity) {
			return false
		}
		next := strings.IndexByte(entity[m.end+1:], ':')
		if next < 0 {
			m.end = len(entity)
		} else {
			m.end += 1 + next
		}
		m.depth++
	}
	m.entity = maphash.String(m.index.entities, entity[:m.end])
	return true
}

// nextFamily goes on to the next kind filter that k falls under.
func (m *Matches[M]) nextFamily(k Kind) bool {
	for m.class < 3 {
		m.class++
		var f *family[M]
		switch m.class {
		case 1:
			f = m.index.exactly(k)
		case 2:
			f = m.index.category[k>>12].Load()
		case 3:
			f = &m.index.any
		}
		if f == nil {
			continue
		}
		if m.class < 3 {
			m.whole = f.whole.Load() // the zero Region's members are Everything's
		}
		m.tables = f.shapes()
		m.depth, m.end = 0, -1
		return true
	}
	return false
}
