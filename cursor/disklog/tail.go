package disklog

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor/disklog/internal/block"
	"github.com/spillwayhq/spillway/region"
)

// A tail is the index of the last events, in memory, until there are enough for a segment. It has, for whatever a Region
// can ask for but its clock, the events that have it, as distances from its beginning.
type tail struct {
	base  uint64
	count int
	lists map[term]*list
	kinds map[region.Kind][2]*list         // of each kind, and of its category
	lanes map[uint32]*list                 // these three find the lists again without building a term
	of    map[region.Coordinate]*residents // of each entity
	ids   []core.ID
}

type list struct{ at []uint32 }

// residents are the lists of an entity's prefixes and scope, and the clock of its last event.
type residents struct {
	lists []*list
	clock uint32
}

func newTail(base uint64) *tail {
	return &tail{
		base: base, lists: make(map[term]*list), kinds: make(map[region.Kind][2]*list), lanes: make(map[uint32]*list),
		of: make(map[region.Coordinate]*residents),
	}
}

// push adds an event.
func (t *tail) push(e *core.Envelope) {
	at := uint32(t.count)
	t.count++
	t.ids = append(t.ids, e.EventID)
	res := t.of[e.Coordinate]
	if res == nil {
		res = t.enter(e.Coordinate)
	}
	res.clock = e.Position.Sequence
	for _, l := range res.lists {
		l.at = append(l.at, at)
	}
	kind, ok := t.kinds[e.Kind]
	if !ok {
		kind = [2]*list{t.list(kindTerm(e.Kind)), t.list(categoryTerm(e.Kind.Category()))}
		t.kinds[e.Kind] = kind
	}
	for _, l := range kind {
		l.at = append(l.at, at)
	}
	lane := t.lanes[e.Position.Lane]
	if lane == nil {
		lane = t.list(laneTerm(e.Position.Lane))
		t.lanes[e.Position.Lane] = lane
	}
	lane.at = append(lane.at, at)
}

func (t *tail) enter(c region.Coordinate) *residents {
	name := c.Entity()
	res := &residents{lists: []*list{t.list(scopeTerm(c.Scope())), t.list(entityTerm(name))}}
	for end := strings.LastIndexByte(name, ':'); end >= 0; end = strings.LastIndexByte(name[:end], ':') {
		res.lists = append(res.lists, t.list(entityTerm(name[:end])))
	}
	t.of[c] = res
	return res
}

func (t *tail) list(of term) *list {
	l := t.lists[of]
	if l == nil {
		l = new(list)
		t.lists[of] = l
	}
	return l
}

// find returns those events from a sequence on that are in all the lists, as distances.
func (t *tail) find(ts []term, from uint64) []uint32 {
	lists := make([][]uint32, len(ts))
	for i, of := range ts {
		l := t.lists[of]
		if l == nil {
			return nil
		}
		lists[i] = l.at
	}
	return intersect(lists, uint32(from-t.base))
}

// intersect returns what is in all of one list or more, from a distance on, in memory of its own.
func intersect(lists [][]uint32, from uint32) (all []uint32) {
	slices.SortFunc(lists, func(a, b []uint32) int { return len(a) - len(b) })
	for i, l := range lists {
		at, _ := slices.BinarySearch(l, from)
		lists[i] = l[at:]
	}
next:
	for _, at := range lists[0] {
		for i, l := range lists[1:] {
			n, found := slices.BinarySearch(l, at)
			lists[1+i] = l[n:]
			if !found {
				continue next
			}
		}
		all = append(all, at)
	}
	return all
}

// encodeList appends a list: the differences.
func encodeList(dst []byte, ats []uint32) []byte {
	last := uint32(0)
	for _, at := range ats {
		dst = binary.AppendUvarint(dst, uint64(at-last))
		last = at
	}
	return dst
}

// decodeList returns the list, all of it below count.
func decodeList(body []byte, count uint64) (ats []uint32, err error) {
	ats = make([]uint32, 0, len(body))
	at := uint64(0)
	for len(body) > 0 {
		d, n := binary.Uvarint(body)
		if n <= 0 || d >= count || at+d >= count || d == 0 && len(ats) > 0 {
			return nil, block.ErrContents
		}
		at += d
		ats, body = append(ats, uint32(at)), body[n:]
	}
	return ats, nil
}
