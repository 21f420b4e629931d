package region

import (
	"hash/maphash"
	"math/bits"
	"math/rand/v2"
	"strings"
	"sync/atomic"
)

// An Index answers which members' Regions match a Point, in time that does not grow with those
// that don't: first by kind (exact, category, any), then one hash probe for each shape in use
// that the Point is deep enough for.
//
// Look-ups take no lock and may run at any time; a look-up sees every Insert that finished before
// it began. Insert and Remove must not overlap: their caller holds a mutex.
//
// Removing the last member of a key, a shape or a kind gives its memory back.
//
// Names come from outside, so the hash is seeded anew in each Index: nobody can compute names
// that collide, and if they did, every probe compares the key itself.
type Index[M any] struct {
	any      family[M]
	category [16]atomic.Pointer[family[M]]

	// kinds is a radix tree: four bits of category, six and six of type. No hash to attack, no
	// array of 65,536 pointers in a fan-out that knows three kinds.
	//   written by: Insert, Remove; under the owner's mutex; a node is linked when filled
	//   read by:    Matches; a Load a level, lock-free
	//   order:      a node holds its first child before its parent links it
	kinds [16]atomic.Pointer[kindPage[M]]

	// selective tells whether a member has a Region other than the zero Region.
	//   written by: Insert, Remove; under the owner's mutex, when the first such comes and the last has gone
	//   read by:    Selective; lock-free
	//   order:      true before such a member can be found, false after it is gone
	selective atomic.Bool

	// broad tells whether one of them asks for no single kind: where none does, a walk is over after one family.
	//   written by, read by, order: as selective, but Matches reads it
	broad atomic.Bool

	entities, scopes maphash.Seed
	salt             [3]uint64
	keep             uint64 // bits of the hash that count: all, but in the test that makes every key collide

	_                  [64]byte // what is above is read by every look-up, and what is below written by every change
	selectives, broads int      // how many there are. Writers only
}

type kindPage[M any] struct {
	chunks [64]atomic.Pointer[kindChunk[M]]
	used   int
}

type kindChunk[M any] struct {
	families [64]atomic.Pointer[family[M]]
	used     int
}

// NewIndex returns an empty Index.
func NewIndex[M any]() *Index[M] {
	return &Index[M]{
		entities: maphash.MakeSeed(),
		scopes:   maphash.MakeSeed(),
		salt:     [3]uint64{rand.Uint64() | 1, rand.Uint64() | 1, rand.Uint64() | 1},
		keep:     ^uint64(0),
	}
}

// Insert adds e, which is in no Index, and whose Region is valid. One store makes it visible.
func (x *Index[M]) Insert(e *Entry[M]) {
	s := e.shape()
	x.count(e, s, 1)
	f := x.family(e.kind)
	if s == (shape{}) {
		if !join(&f.whole, e) {
			f.whole.Store(e)
		}
		x.link(e.kind, f)
		return
	}
	hash := x.hash(e, s)
	t := f.table(s)
	if t == nil {
		t = &table[M]{index: x, shape: s}
		t.put(hash, e)
		f.list(t)
		x.link(e.kind, f)
		return
	}
	if slot := t.slot(hash, e); slot == nil || !join(slot, e) {
		t.put(hash, e)
	}
}

// Remove takes out e, which is in the Index. It returns where look-ups that have begun, and those
// that walk past its tombstone, still find the member: once none can be reading there, the owner
// may wipe what the member refers to.
func (x *Index[M]) Remove(e *Entry[M]) *M {
	s := e.shape()
	f := x.family(e.kind)
	rest := &e.member[0]
	if s == (shape{}) {
		if lead := f.whole.Load(); lead.list != nil {
			rest = lead.list.remove(e)
			if lead.list.live == 0 {
				f.whole.Store(nil)
			}
		} else {
			f.whole.Store(nil)
		}
	} else {
		hash := x.hash(e, s)
		t := f.table(s)
		if lead := t.slot(hash, e).Load(); lead.list != nil {
			rest = lead.list.remove(e)
			if lead.list.live == 0 {
				t.drop(hash, e)
			}
		} else {
			t.drop(hash, e)
		}
		if t.live == 0 {
			f.unlist(t)
		}
	}
	if f.empty() {
		x.unlink(e.kind)
	}
	x.count(e, s, -1)
	return rest
}

// count tells look-ups of the first member of a sort, and of the last one's end, and of no other: a word that every change
// writes would have to be fetched anew by every look-up that overlaps one.
func (x *Index[M]) count(e *Entry[M], s shape, n int) {
	if s == (shape{}) && e.kind.mode == anyKind {
		return
	}
	if e.kind.mode != oneKind {
		tell(&x.broad, &x.broads, n)
	}
	tell(&x.selective, &x.selectives, n)
}

func tell(some *atomic.Bool, count *int, n int) {
	before := *count
	*count += n
	if (before > 0) != (*count > 0) {
		some.Store(*count > 0)
	}
}

// join adds e to those that share the key held in slot; false where the slot is empty. The second
// member of a key gets a lead of its own, so that no Entry ever changes what look-ups read in it.
func join[M any](slot *atomic.Pointer[Entry[M]], e *Entry[M]) bool {
	first := slot.Load()
	switch {
	case first == nil:
		return false
	case first.list != nil:
		first.list.add(e)
	default:
		l := &list[M]{}
		l.add(first)
		l.add(e)
		slot.Store(&Entry[M]{list: l, entity: e.entity, scope: e.scope, kind: e.kind, lane: e.lane, onLane: e.onLane})
	}
	return true
}

// Everything returns the members with the zero Region; nil where there is none.
func (x *Index[M]) Everything() []M {
	if lead := x.any.whole.Load(); lead != nil {
		return lead.Members()
	}
	return nil
}

// Selective tells whether any member has a Region that isn't zero. Where none has, Everything is
// the whole answer, and no Point is needed.
func (x *Index[M]) Selective() bool { return x.selective.Load() }

// family returns the family of a kind filter, a new one that is not linked yet where it has none.
func (x *Index[M]) family(k KindFilter) *family[M] {
	var f *family[M]
	switch k.mode {
	case anyKind:
		return &x.any
	case inCategory:
		f = x.category[k.value&0xf].Load()
	case oneKind:
		f = x.exactly(Kind(k.value))
	}
	if f == nil {
		f = new(family[M])
	}
	return f
}

func (x *Index[M]) exactly(k Kind) *family[M] {
	page := x.kinds[k>>12].Load()
	if page == nil {
		return nil
	}
	chunk := page.chunks[k>>6&63].Load()
	if chunk == nil {
		return nil
	}
	return chunk.families[k&63].Load()
}

// link makes f the family of k, if it isn't yet.
func (x *Index[M]) link(k KindFilter, f *family[M]) {
	switch k.mode {
	case inCategory:
		x.category[k.value&0xf].Store(f)
	case oneKind:
		kind := Kind(k.value)
		page := x.kinds[kind>>12].Load()
		if page == nil {
			page = new(kindPage[M])
		}
		chunk := page.chunks[kind>>6&63].Load()
		if chunk == nil {
			chunk = new(kindChunk[M])
		}
		if chunk.families[kind&63].Load() == nil {
			chunk.used++
		}
		chunk.families[kind&63].Store(f)
		if page.chunks[kind>>6&63].Load() == nil {
			page.used++
			page.chunks[kind>>6&63].Store(chunk)
		}
		x.kinds[kind>>12].Store(page)
	}
}

// unlink takes out the family of k, which is empty, and the nodes that led to it alone.
func (x *Index[M]) unlink(k KindFilter) {
	switch k.mode {
	case inCategory:
		x.category[k.value&0xf].Store(nil)
	case oneKind:
		kind := Kind(k.value)
		page := x.kinds[kind>>12].Load()
		chunk := page.chunks[kind>>6&63].Load()
		chunk.families[kind&63].Store(nil)
		if chunk.used--; chunk.used > 0 {
			return
		}
		page.chunks[kind>>6&63].Store(nil)
		if page.used--; page.used == 0 {
			x.kinds[kind>>12].Store(nil)
		}
	}
}

func (e *Entry[M]) shape() shape {
	s := shape{scoped: e.scope != "", onLane: e.onLane}
	if e.entity != "" {
		s.depth = uint8(strings.Count(e.entity, ":") + 1)
	}
	return s
}

func (x *Index[M]) hash(e *Entry[M], s shape) uint64 {
	var entity, scope uint64
	if s.depth > 0 {
		entity = maphash.String(x.entities, e.entity)
	}
	if s.scoped {
		scope = maphash.String(x.scopes, e.scope)
	}
	return x.combine(s, entity, scope, e.lane)
}

// combine makes one hash of the hashes of what the shape fixes.
func (x *Index[M]) combine(s shape, entity, scope uint64, lane uint32) uint64 {
	h := entity
	if s.scoped {
		h = fold(h^x.salt[0], scope^x.salt[1])
	}
	if s.onLane {
		h = fold(h^x.salt[1], uint64(lane)^x.salt[2])
	}
	return h & x.keep
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
