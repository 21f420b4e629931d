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

	class  uint8     // which kind filter is being walked: exact 1, category 2, any 3
	depth  uint8     // segments in the prefix that the walk has come to
	hashed bool      // scope is the scope's hash
	table  *table[M] // the next shape of the family being walked that is to be aimed at
	whole  *Entry[M] // the family's members that ask for nothing else, still to be returned

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
	m.index, m.class, m.hashed, m.table, m.whole = x, 0, false, nil, nil
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
		if m.table != nil || m.class < lastClass {
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
		t := m.table
		if t == nil {
			if m.whole != nil || !m.nextFamily(p.Kind) {
				m.aimed = nil
				return
			}
			continue
		}
		m.table = t.next.Load()
		s := t.shape
		if s.depth > m.depth && !m.descend(p.Entity, s.depth) {
			m.table = nil // in order of depth: the rest is deeper still
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
	if m.end == len(entity) || entity == "" {
		return false
	}
	end := segmentsEnd(entity, m.end+1, int(depth-m.depth))
	if end < 0 {
		return false
	}
	m.depth, m.end = depth, end
	m.entity = maphash.String(m.index.entities, entity[:end])
	return true
}

// segmentsEnd returns where the last of n segments ends, the first of which begins at start; -1 where there
// are fewer. It looks at eight bytes at a time: segments are short, and a call of strings.IndexByte for
// each costs more than all else in descend.
func segmentsEnd(entity string, start, n int) int {
	rest := entity[start:]
	for len(rest) >= 8 {
		for m := bytesThatAre(load64(rest), ':'); m != 0; m &= m - 1 {
			if n--; n == 0 {
				return len(entity) - len(rest) + bits.TrailingZeros64(m)/8
			}
		}
		rest = rest[8:]
	}
	for i := range len(rest) {
		if rest[i] == ':' {
			if n--; n == 0 {
				return len(entity) - len(rest) + i
			}
		}
	}
	if n == 1 {
		return len(entity)
	}
	return -1
}

// bytesThatAre marks, in its high bit, each byte of word that equals b, and no other.
func bytesThatAre(word uint64, b byte) uint64 {
	x := word ^ eachByte*uint64(b)
	return ^(x&^highBits + ^uint64(highBits) | x | ^uint64(highBits))
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
			if !m.index.broad.Load() {
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
		m.table, m.depth, m.end = f.tables.Load(), 0, -1
		if m.table != nil || m.whole != nil {
			return true
		}
	}
	m.class = lastClass + 1
	return false
}
