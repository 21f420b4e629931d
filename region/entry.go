package region

import "sync/atomic"

// An Entry is one member's place in an [Index]. The owner of the member embeds it, fills it
// once with [NewEntry], and hands it to Insert and Remove; no field but Mark is the owner's to touch.
//
// The fields that a look-up reads come first and fill one cache line of 64 bytes when M is four
// words: a look-up that finds a lone member has read all it needs with that line, but where scopes are asked for.
type Entry[M any] struct {
	list   *list[M] // of a lead alone: the members that share its key; nil in a lone Entry
	member [1]M     // an array, so that a lone member is a slice without an allocation
	entity string

	// Mark is the owner's, for what it has to know of each member that it comes past: it shares the line.
	// The Index never looks at it.
	Mark atomic.Uint32

	lane  uint32
	scope string

	// Only Insert and Remove look at these.
	kind   KindFilter
	at     uint32 // place in its list's entries, where the Entry shares its key
	onLane bool   // lane is asked for
}

// NewEntry returns the Entry of a member that asks for r. The clock of r is not looked at:
// an Index answers for events, not for queries.
func NewEntry[M any](r Region, member M) Entry[M] {
	return Entry[M]{
		member: [1]M{member},
		entity: r.Entity,
		scope:  r.Scope,
		kind:   r.Kind,
		lane:   r.Lane.lane,
		onLane: r.Lane.set,
	}
}

// Region returns the Region that the Entry was made with, less its clock.
func (e *Entry[M]) Region() Region {
	return Region{
		Entity: e.entity,
		Scope:  e.scope,
		Kind:   e.kind,
		Lane:   LaneFilter{set: e.onLane, lane: e.lane},
	}
}

// Member returns where the Entry itself keeps its member. Once it has been removed, and no look-up can be
// reading there, the owner may wipe what the member refers to.
func (e *Entry[M]) Member() *M { return &e.member[0] }

// Members returns those that share the Entry's key, as they were at one moment. The slice is
// read only. Among them may be members that were removed and not yet swept: their owner knows
// them by a mark of its own.
func (e *Entry[M]) Members() []M {
	if e.list == nil {
		return e.member[:]
	}
	return e.list.snapshot()
}

// A list holds the members of one key, in the order they came. Look-ups walk a prefix of an
// array that is only ever appended to; removals leave tombstones that a later copy sweeps.
//
//	array  [ a | b | x | d | . | . ]     x: a tombstone, skipped by its owner's own mark
//	                        ^ size       a slot is filled before size says so
type list[M any] struct {
	// array is what look-ups walk.
	//   written by: Insert, Remove; under the owner's mutex, one Store of a filled array
	//   read by:    Members; one Load, lock-free
	//   order:      an array is filled before it is stored, and never written below its size afterwards
	array atomic.Pointer[array[M]]

	entries []*Entry[M] // by place; nil is a tombstone. Writers only
	live    int         // entries that are not tombstones. Writers only
}

type array[M any] struct {
	// size is how many slots are filled.
	//   written by: Insert, under the owner's mutex
	//   read by:    Members; lock-free
	//   order:      the slot is filled before size counts it; this one store makes a member visible
	size  atomic.Int64
	slots []M
}

func (l *list[M]) snapshot() []M {
	a := l.array.Load()
	return a.slots[:a.size.Load()]
}

// add appends e, into the spare capacity where there is some.
func (l *list[M]) add(e *Entry[M]) {
	a := l.array.Load()
	if a == nil || len(l.entries) == len(a.slots) {
		a = l.sweep(2*l.live + 2)
	}
	n := len(l.entries)
	e.at = uint32(n)
	l.entries = append(l.entries, e)
	l.live++
	a.slots[n] = e.member[0]
	a.size.Store(int64(n + 1))
}

// remove turns e's slot into a tombstone and returns the slot: look-ups still find it there.
func (l *list[M]) remove(e *Entry[M]) *M {
	slot := &l.array.Load().slots[e.at]
	l.entries[e.at] = nil
	l.live--
	if l.live > 0 && l.live <= len(l.entries)/2 {
		l.sweep(l.live + l.live/2 + 1)
	}
	return slot
}

// sweep copies the living into a new array of the given capacity and publishes it. A sweep
// follows as many changes as it copies members, so that a change costs constant time on average.
func (l *list[M]) sweep(capacity int) *array[M] {
	a := &array[M]{slots: make([]M, capacity)}
	entries := make([]*Entry[M], 0, capacity)
	for _, e := range l.entries {
		if e == nil {
			continue
		}
		e.at = uint32(len(entries))
		a.slots[e.at] = e.member[0]
		entries = append(entries, e)
	}
	a.size.Store(int64(len(entries)))
	l.entries = entries
	l.array.Store(a)
	return a
}
