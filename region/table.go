package region

import (
	"math/bits"
	"sync/atomic"
	"unsafe"
)

// A table finds the Entry of a key among those of one shape and one kind filter.
//
// It is an open-addressed hash table with a byte a place set apart, eight to a word, in the
// manner of Abseil's Swiss tables (abseil.io/about/design/swisstables): a probe that finds
// nothing reads one word of a dense array, which stays in the cache when the places do not.
// With a million members that is the difference between a miss that costs 15 ns and one that
// costs 80, and most shapes of most events are misses.
//
// Look-ups are lock-free. One goroutine at a time inserts or removes, under the owner's mutex.
type table[M any] struct {
	index *Index[M] // whose hashes it goes by
	shape shape

	// next is the next deeper shape in use of the same kind filter; written and read as family.tables is.
	next atomic.Pointer[table[M]]

	// places is the current array.
	//   written by: put and drop, when they rehash; under the owner's mutex, one Store of a filled array
	//   read by:    find; one Load, lock-free
	//   order:      a new array holds all of the old one's before it is stored; the old one is not written again
	places atomic.Pointer[places[M]]

	_    [64]byte // what is above is read by every look-up, and what is below written by every change
	live int      // keys held. Writers only
	dead int      // tombstones in tags. Writers only
}

type places[M any] struct {
	groups []group // one for each eight places

	// all are the keys' Entries. One may be filled anew between the looks at its tag and at itself: find
	// compares the key in the Entry. The hash isn't kept beside it: the key would have to be compared all
	// the same, and twice as many places fit in the cache.
	all []atomic.Pointer[Entry[M]]
}

// A group says of eight places what they hold, a byte each. Its two words are on one cache line.
type group struct {
	// tags' bytes are empty, dead, or 0x80 and seven bits of the hash.
	//   written by: put, drop; under the owner's mutex
	//   read by:    find; lock-free
	//   order:      a place is filled before its tag is stored; a place is emptied after its tag is
	tags atomic.Uint64

	// more's bytes are eight further bits of the hash, where tags' says that the place is full. Seven alone are another key's
	// in one look-up of thirty, and each of those reads three lines that are in no cache.
	//   written by: put, under the owner's mutex
	//   read by:    find, after tags; lock-free
	//   order:      written before the place's tag is stored: who has read the tag reads what belongs to it, or to a later one
	more atomic.Uint64
}

const (
	eachByte = 0x0101010101010101
	highBits = 0x8080808080808080

	tagEmpty = 0x00
	tagDead  = 0x01
	tagFull  = 0x80
)

// bytesEqual marks, in its high bit, each byte of word that equals b. It may mark a byte above a
// true match too (a borrow); it never misses one, and its answer is zero only where there is none.
func bytesEqual(word uint64, b byte) uint64 {
	x := word ^ eachByte*uint64(b)
	return (x - eachByte) &^ x & highBits
}

// place numbers come from the hash's upper bits, tags from its lowest fifteen.
func (p *places[M]) first(hash uint64) uint64 { return hash >> 15 & uint64(len(p.groups)-1) }

func tag(hash uint64) byte { return tagFull | byte(hash&0x7f) }

func more(hash uint64) byte { return byte(hash >> 7) }

// match marks, in the high bit of their bytes, the places that may hold a key with this hash. word is the group's tags.
func (g *group) match(word, hash uint64) uint64 {
	m := bytesEqual(word, tag(hash))
	if m != 0 {
		m &= bytesEqual(g.more.Load(), more(hash))
	}
	return m
}

// inCache is how many groups stay in a second-level cache: asking for them would be for nothing.
const inCache = 1 << 12

// prefetch has fetched what find will wait for. Among a million keys that is the word of tags, found or not;
// among few, where that word is close by, the Entry.
func (t *table[M]) prefetch(hash uint64) {
	p := t.places.Load()
	if p == nil {
		return
	}
	i := p.first(hash)
	g := &p.groups[i]
	if len(p.groups) > inCache {
		prefetch(unsafe.Pointer(g))
		return
	}
	if m := bytesEqual(g.tags.Load(), tag(hash)); m != 0 {
		prefetch(unsafe.Pointer(p.all[i*8+uint64(bits.TrailingZeros64(m))/8].Load()))
	}
}

// find returns the Entry that holds a key with this hash, or nil. It ends because every array
// keeps one empty place in eight, and after a full round in any case.
func (t *table[M]) find(hash uint64, entity, scope string, lane uint32) *Entry[M] {
	p := t.places.Load()
	if p == nil {
		return nil
	}
	i := p.first(hash)
	for step := uint64(1); step <= uint64(len(p.groups)); step++ {
		g := &p.groups[i]
		word := g.tags.Load()
		for m := g.match(word, hash); m != 0; m &= m - 1 {
			e := p.all[i*8+uint64(bits.TrailingZeros64(m))/8].Load()
			if e != nil && t.holds(e, entity, scope, lane) {
				return e
			}
		}
		if bytesEqual(word, tagEmpty) != 0 {
			return nil
		}
		i = (i + step) & uint64(len(p.groups)-1) // triangular steps visit every group once
	}
	return nil
}

// holds compares what the shape fixes, and that alone.
func (t *table[M]) holds(e *Entry[M], entity, scope string, lane uint32) bool {
	return (t.shape.depth == 0 || e.entity == entity) &&
		(!t.shape.scoped || e.scope == scope) &&
		(!t.shape.onLane || e.lane == lane)
}

// slot returns where the key of e is held, or nil: writers swap what stands there.
func (t *table[M]) slot(hash uint64, e *Entry[M]) *atomic.Pointer[Entry[M]] {
	if p, i, ok := t.locate(hash, e); ok {
		return &p.all[i]
	}
	return nil
}

func (t *table[M]) locate(hash uint64, e *Entry[M]) (p *places[M], i uint64, ok bool) {
	if p = t.places.Load(); p == nil {
		return nil, 0, false
	}
	at := p.first(hash)
	for step := uint64(1); step <= uint64(len(p.groups)); step++ {
		g := &p.groups[at]
		word := g.tags.Load()
		for m := g.match(word, hash); m != 0; m &= m - 1 {
			i = at*8 + uint64(bits.TrailingZeros64(m))/8
			if h := p.all[i].Load(); h != nil && t.holds(h, e.entity, e.scope, e.lane) {
				return p, i, true
			}
		}
		if bytesEqual(word, tagEmpty) != 0 {
			return nil, 0, false
		}
		at = (at + step) & uint64(len(p.groups)-1)
	}
	return nil, 0, false
}

// put adds a key that the table does not hold.
func (t *table[M]) put(hash uint64, e *Entry[M]) {
	p := t.places.Load()
	if p == nil || (t.live+t.dead+1)*8 > len(p.all)*7 {
		p = t.rehash(t.live + 1)
	}
	t.dead -= p.fill(hash, e)
	t.live++
}

// fill writes a key into the first free place of its probe and returns how many tombstones that used up.
func (p *places[M]) fill(hash uint64, e *Entry[M]) (reused int) {
	i := p.first(hash)
	for step := uint64(1); ; step++ {
		g := &p.groups[i]
		word := g.tags.Load()
		if free := ^word & highBits; free != 0 {
			shift := uint64(bits.TrailingZeros64(free)) - 7
			p.all[i*8+shift/8].Store(e)
			g.more.Store(g.more.Load()&^(0xff<<shift) | uint64(more(hash))<<shift)
			g.tags.Store(word&^(0xff<<shift) | uint64(tag(hash))<<shift)
			return int(word >> shift & 0xff) // tagEmpty is 0, tagDead is 1
		}
		i = (i + step) & uint64(len(p.groups)-1)
	}
}

// drop takes out the key of e. Where its group has an empty place, no probe ever went past the
// group, so the place becomes empty too; otherwise it keeps a tombstone.
func (t *table[M]) drop(hash uint64, e *Entry[M]) {
	p, i, ok := t.locate(hash, e)
	if !ok {
		return
	}
	g, shift := &p.groups[i/8], i%8*8
	word := g.tags.Load()
	cleared := word &^ (0xff << shift)
	if bytesEqual(word, tagEmpty) == 0 {
		cleared |= tagDead << shift
		t.dead++
	}
	g.tags.Store(cleared)
	p.all[i].Store(nil)
	t.live--
	switch {
	case t.live == 0:
		t.places.Store(nil)
		t.dead = 0
	case len(p.all) > 8 && t.live*8 < len(p.all):
		t.rehash(t.live)
	}
}

// rehash moves the living into the smallest array that want keys fill to three quarters at most:
// tombstones go, memory comes back, and an eighth stays free for the changes to come.
func (t *table[M]) rehash(want int) *places[M] {
	n := 8
	for n*3 < want*4 {
		n *= 2
	}
	p := &places[M]{groups: make([]group, n/8), all: make([]atomic.Pointer[Entry[M]], n)}
	if old := t.places.Load(); old != nil {
		for i := range old.all {
			if e := old.all[i].Load(); e != nil {
				p.fill(t.index.hash(e, t.shape), e)
			}
		}
	}
	t.dead = 0
	t.places.Store(p)
	return p
}
