package region

import (
	"fmt"
	"math/bits"
)

// NewCollidingIndex returns an Index in which every key has the same hash: what is left when names
// are crafted to collide, or luck is bad.
func NewCollidingIndex[M any]() *Index[M] {
	x := NewIndex[M]()
	x.keep = 0
	return x
}

// NewNarrowIndex returns an Index whose hashes have four bits of tag and two of place: some keys
// collide in all, some in one of them, some in none.
func NewNarrowIndex[M any]() *Index[M] {
	x := NewIndex[M]()
	x.keep = 0x18f
	return x
}

// IndexSize says how much of an Index is in use.
type IndexSize struct {
	Families, Tables int // tables: shapes in use, over all families
	Keys             int // leads, in tables and as a family's whole
	Places, Dead     int // of the tables' arrays
	Slots            int // of the lists' arrays
}

// Size walks the whole Index and returns what it holds, or what is wrong with it: a table that is
// empty or out of order, a count that is not what there is, an Entry that its own probe misses.
func (x *Index[M]) Size() (s IndexSize, err error) {
	defer func() {
		if e, ok := recover().(error); ok {
			err = e
		}
	}()
	x.any.size(x, &s)
	for i := range x.category {
		if f := x.category[i].Load(); f != nil {
			s.Families++
			f.mustHold(fmt.Sprintf("category %#x", i))
			f.size(x, &s)
		}
	}
	for i := range x.kinds {
		page := x.kinds[i].Load()
		if page == nil {
			continue
		}
		chunks := 0
		for j := range page.chunks {
			chunk := page.chunks[j].Load()
			if chunk == nil {
				continue
			}
			chunks++
			families := 0
			for k := range chunk.families {
				if f := chunk.families[k].Load(); f != nil {
					families++
					f.mustHold(fmt.Sprintf("kind %v", Kind(i<<12|j<<6|k)))
					f.size(x, &s)
				}
			}
			s.Families += families
			must(families > 0 && families == chunk.used, "chunk %d of %#x: %d families, used says %d", j, i, families, chunk.used)
		}
		must(chunks > 0 && chunks == page.used, "page %#x: %d chunks, used says %d", i, chunks, page.used)
	}
	return s, nil
}

func must(ok bool, format string, args ...any) {
	if !ok {
		panic(fmt.Errorf(format, args...))
	}
}

func (f *family[M]) mustHold(name string) {
	must(!f.empty(), "the family of %s is empty and still linked", name)
}

func (f *family[M]) size(x *Index[M], s *IndexSize) {
	if lead := f.whole.Load(); lead != nil {
		s.Keys++
		lead.size(s)
	}
	var before *table[M]
	for t := f.tables.Load(); t != nil; before, t = t, t.next.Load() {
		must(t.live > 0, "table %+v is empty and still listed", t.shape)
		must(before == nil || before.shape.before(t.shape), "table %+v is out of order", t.shape)
		s.Tables++
		t.size(x, s)
	}
}

func (t *table[M]) size(x *Index[M], s *IndexSize) {
	p := t.places.Load()
	full, dead, empty := 0, 0, 0
	for i := range p.all {
		e := p.all[i].Load()
		switch tag := byte(p.groups[i/8].tags.Load() >> (i % 8 * 8)); tag {
		case tagEmpty, tagDead:
			must(e == nil, "place %d of %+v has tag %#x and an Entry", i, t.shape, tag)
			if tag == tagDead {
				dead++
			} else {
				empty++
			}
		default:
			full++
			must(e != nil, "place %d of %+v has tag %#x and no Entry", i, t.shape, tag)
			must(e.shape() == t.shape, "place %d of %+v holds an Entry of shape %+v", i, t.shape, e.shape())
			must(t.find(x.hash(e, t.shape), e.entity, e.scope, e.lane) == e, "find misses %v", e.Region())
			e.size(s)
		}
	}
	must(full == t.live, "table %+v holds %d keys, live says %d", t.shape, full, t.live)
	must(dead == t.dead, "table %+v has %d tombstones, dead says %d", t.shape, dead, t.dead)
	must(empty*8 >= len(p.all), "table %+v: %d of %d places are empty, less than an eighth", t.shape, empty, len(p.all))
	must(bits.OnesCount(uint(len(p.all))) == 1 && len(p.all) == 8*len(p.groups), "table %+v: %d places, %d words", t.shape, len(p.all), len(p.groups))
	s.Keys += full
	s.Places += len(p.all)
	s.Dead += dead
}

func (e *Entry[M]) size(s *IndexSize) {
	if e.list == nil {
		return
	}
	living := 0
	for i, m := range e.list.entries {
		if m != nil {
			living++
			must(int(m.at) == i, "the list of %v: an Entry at %d says %d", e.Region(), i, m.at)
		}
	}
	must(living > 0 && living == e.list.live, "the list of %v holds %d, live says %d", e.Region(), living, e.list.live)
	must(len(e.Members()) == len(e.list.entries), "the list of %v shows %d members, has %d places", e.Region(), len(e.Members()), len(e.list.entries))
	must(2*living >= len(e.list.entries), "the list of %v: %d living in %d places were not swept", e.Region(), living, len(e.list.entries))
	s.Slots += len(e.list.array.Load().slots)
}
