package region

import (
	"hash/maphash"
	"math/bits"
)

// Matches walks the keys of an Index that match one Point, but for the zero Region: that one
// answers without a Point, by Everything. It lives on the caller's stack: Begin, then Next with the
// same Point until it returns nil.
//
// A member that is inserted or removed while the walk is under way may be found or not; one that
// was there before and stays is found, once.
type Matches[M any] struct {
	index *Index[M]

	class  uint8       // which kind filter is being walked: exact 1, category 2, any 3
	depth  uint8       // segments in the prefix that the walk has come to
	hashed bool        // scope is the scope's hash
	tables []*table[M] // the shapes of the family being walked that are still to be aimed at
	whole  *Entry[M]   // its members that ask for nothing else, still to be returned

	end    int // the prefix is entity[:end]; -1 before the first segment
	entity uint64
	scope  uint64

	aimed *table[M] // the next to be probed, with hash; nil: none is left
	hash  uint64
}

const lastClass = 3

// Begin starts a walk, and has the memory fetched that the first Next will read: by then it has come, if
// the caller has something else to do before. It sets field by field: the Matches is the caller's, on its
// stack, and a copy of the whole would pay for write barriers.
func (m *Matches[M]) Begin(x *Index[M], p *Point) {
	m.index, m.class, m.hashed, m.tables, m.whole = x, 0, false, nil, nil
	m.aim(p)
}

// Next returns an Entry whose key matches p, or nil after the last: all its Members match.
func (m *Matches[M]) Next(p *Point) *Entry[M] {
	for {
		if e := m.whole; e != nil {
			m.whole = nil
			return e
		}
		t, hash := m.aimed, m.hash
		if t == nil {
			if m.class > lastClass {
				return nil
			}
			m.aim(p)
			continue
		}
		prefix := ""
		if t.shape.depth > 0 {
			prefix = p.Entity[:m.end]
		}
		if len(m.tables) > 0 || m.class < lastClass {
			m.aim(p) // at the next one, whose memory comes while this one is looked at
		} else {
			m.aimed, m.class = nil, lastClass+1
		}
		if e := t.find(hash, prefix, p.Scope, p.Lane); e != nil {
			return e
		}
	}
}

// aim goes on to the next table that p is deep enough for, computes the hash to look for there, and has
// the memory fetched. It stops at a family that has members without a table: they are returned first.
func (m *Matches[M]) aim(p *Point) {
	for {
		tables := m.tables
		if len(tables) == 0 {
			if m.whole != nil || !m.nextFamily(p.Kind) {
				m.aimed = nil
				return
			}
			continue
		}
		t := tables[0]
		m.tables = tables[1:]
		s := t.shape
		if s.depth > m.depth && !m.descend(p.Entity, s.depth) {
			m.tables = nil // sorted by depth: the rest is deeper still
			continue
		}
		entity := uint64(0)
		if s.depth > 0 {
			entity = m.entity
		}
		if s.scoped && !m.hashed {
			m.scope, m.hashed = maphash.String(m.index.scopes, p.Scope), true
		}
		m.aimed, m.hash = t, m.index.combine(s, entity, m.scope, p.Lane)
		t.prefetch(m.hash)
		return
	}
}

// descend moves the prefix on to depth segments; false where the entity has fewer.
func (m *Matches[M]) descend(entity string, depth uint8) bool {
	if entity == "" {
		return false
	}
	at, end := m.depth, m.end
	for at < depth {
		if end == len(entity) {
			return false
		}
		end = segmentEnd(entity, end+1)
		at++
	}
	m.depth, m.end = at, end
	m.entity = maphash.String(m.index.entities, entity[:end])
	return true
}

// segmentEnd returns where the segment that begins at start ends. It looks at eight bytes at a time:
// segments are short, and a call of strings.IndexByte for each costs more than all else in descend.
func segmentEnd(entity string, start int) int {
	for ; start+8 <= len(entity); start += 8 {
		if m := bytesEqual(load64(entity[start:]), ':'); m != 0 { // the lowest mark is a true one
			return start + bits.TrailingZeros64(m)/8
		}
	}
	rest := len(entity) - start
	if len(entity) >= 8 { // the last eight bytes, less those that have been looked at
		if m := bytesEqual(load64(entity[len(entity)-8:])>>(64-8*rest), ':'); m != 0 {
			return start + bits.TrailingZeros64(m)/8
		}
		return len(entity)
	}
	for start < len(entity) && entity[start] != ':' {
		start++
	}
	return start
}

// load64 returns the first eight bytes of s, the first one lowest. The compiler makes it one load.
func load64(s string) uint64 {
	s = s[:8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// nextFamily goes on to the next kind filter that k falls under; false after the last.
func (m *Matches[M]) nextFamily(k Kind) bool {
	for m.class < lastClass {
		m.class++
		var f *family[M]
		switch m.class {
		case 1:
			f = m.index.exactly(k)
			if m.index.broad.Load() == 0 {
				m.class = lastClass // nobody asks for a category, or any kind: there is no other
			}
		case 2:
			f = m.index.category[k>>12].Load()
		case lastClass:
			f = &m.index.any
		}
		if f == nil {
			continue
		}
		if f != &m.index.any {
			m.whole = f.whole.Load() // the zero Region's members are Everything's
		}
		tables := f.tables.Load()
		if tables != nil {
			m.tables, m.depth, m.end = *tables, 0, -1
		}
		if tables != nil || m.whole != nil {
			return true
		}
	}
	m.class = lastClass + 1
	return false
}
