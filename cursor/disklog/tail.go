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
	of    []*resident // of each entity
	ids   []core.ID

	// The last kind and its category, and the last lane: most events have the same again.
	kind     region.Kind
	kinds    [2]*list
	lane     uint32
	laneList *list

	free []list // to be used next
	room []uint32
}

type list struct{ at []uint32 }

// An entity is what the writer knows of a Coordinate.
type entity struct {
	clock uint32    // of its last event
	in    *resident // of the tail that is being filled; nil where it has no event there
	name  term
	scope term
}

// A resident is an entity in a tail: the lists of its prefixes and scope, and the clock of its last event there.
type resident struct {
	coordinate region.Coordinate
	owner      *entity
	clock      uint32
	lists      []*list
	few        [4]*list // room for them
}

// newTail returns a tail that may become as large as another.
func newTail(base uint64, like *tail) *tail {
	t := &tail{base: base}
	if like == nil {
		t.lists = make(map[term]*list)
		return t
	}
	t.lists = make(map[term]*list, len(like.lists))
	t.of = make([]*resident, 0, len(like.of))
	t.ids = make([]core.ID, 0, len(like.ids))
	return t
}

// push adds an event.
func (t *tail) push(e *core.Envelope, owner *entity) {
	at := uint32(t.count)
	t.count++
	t.ids = append(t.ids, e.EventID)
	if owner.in == nil {
		t.enter(e.Coordinate, owner)
	}
	in := owner.in
	in.clock = e.Position.Sequence
	for _, l := range in.lists {
		l.at = append(l.at, at)
	}
	if t.kinds[0] == nil || t.kind != e.Kind {
		t.kind, t.kinds = e.Kind, [2]*list{t.list(kindTerm(e.Kind)), t.list(categoryTerm(e.Kind.Category()))}
	}
	for _, l := range t.kinds {
		l.at = append(l.at, at)
	}
	if t.laneList == nil || t.lane != e.Position.Lane {
		t.lane, t.laneList = e.Position.Lane, t.list(laneTerm(e.Position.Lane))
	}
	t.laneList.at = append(t.laneList.at, at)
}

// enter makes an entity a resident. The terms of an entity's prefixes begin its own.
func (t *tail) enter(c region.Coordinate, owner *entity) {
	if owner.name == "" {
		owner.name, owner.scope = entityTerm(c.Entity()), scopeTerm(c.Scope())
	}
	in := &resident{coordinate: c, owner: owner}
	in.lists = append(in.few[:0], t.list(owner.scope), t.list(owner.name))
	for end := strings.LastIndexByte(string(owner.name), ':'); end >= 0; end = strings.LastIndexByte(string(owner.name[:end]), ':') {
		in.lists = append(in.lists, t.list(owner.name[:end]))
	}
	t.of = append(t.of, in)
	owner.in = in
}

// leave has all entities be in no tail.
func (t *tail) leave() {
	for _, in := range t.of {
		in.owner.in = nil
	}
}

func (t *tail) list(of term) *list {
	if l := t.lists[of]; l != nil {
		return l
	}
	const some, first = 128, 4
	if len(t.free) == 0 {
		t.free, t.room = make([]list, some), make([]uint32, some*first)
	}
	l := &t.free[0]
	l.at = t.room[:0:first]
	t.free, t.room = t.free[1:], t.room[first:]
	t.lists[of] = l
	return l
}

// listsOf returns the lists of all the terms; none where one of them has no event. They are as they are now for good: what is
// pushed comes behind them.
func (t *tail) listsOf(ts []term) [][]uint32 {
	lists := make([][]uint32, len(ts))
	for i, of := range ts {
		l := t.lists[of]
		if l == nil {
			return nil
		}
		lists[i] = l.at
	}
	return lists
}

// intersect returns what is in all of the lists, from a distance on, in memory of its own; nothing where there is no list.
func intersect(lists [][]uint32, from uint32) (all []uint32) {
	if len(lists) == 0 {
		return nil
	}
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
