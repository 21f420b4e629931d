package memlog

import (
	"strings"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// An index has, for whatever a Region can ask for but its clock, the sequences of the events that have it.
type index struct {
	entities   map[region.Coordinate]*entity // kept for good: their clocks go on
	prefixes   map[string]*posting           // by entity, and by each part of one that ends before a colon
	scopes     map[string]*posting
	categories [16]posting

	// Those of kinds and lanes go when they are empty: nothing else bounds their number.
	kinds table[region.Kind, *posting]
	lanes table[uint32, *posting]
}

// An entity is what is known of one Coordinate.
type entity struct {
	clock    uint32     // of its last event
	postings []*posting // of its prefixes and its scope; nil until the first event is added
}

func newIndex() index {
	return index{
		entities: make(map[region.Coordinate]*entity),
		prefixes: make(map[string]*posting),
		scopes:   make(map[string]*posting),
		kinds:    newTable[region.Kind, *posting](),
		lanes:    newTable[uint32, *posting](),
	}
}

// push adds an event.
func (x *index) push(e *core.Envelope, owner *entity) {
	if owner.postings == nil {
		x.enter(e.Coordinate, owner)
	}
	for _, p := range owner.postings {
		p.push(e.Sequence)
	}
	x.categories[e.Kind.Category()].push(e.Sequence)
	pushTo(&x.kinds, e.Kind, e.Sequence)
	pushTo(&x.lanes, e.Position.Lane, e.Sequence)
}

// pop drops an event, the first of all.
func (x *index) pop(e *core.Envelope, owner *entity) {
	for _, p := range owner.postings {
		p.pop()
	}
	x.categories[e.Kind.Category()].pop()
	popOf(&x.kinds, e.Kind)
	popOf(&x.lanes, e.Position.Lane)
}

// enter finds the postings of an entity.
func (x *index) enter(c region.Coordinate, owner *entity) {
	name := c.Entity()
	owner.postings = append(owner.postings, of(x.scopes, c.Scope()), of(x.prefixes, name))
	for end := strings.LastIndexByte(name, ':'); end >= 0; end = strings.LastIndexByte(name[:end], ':') {
		owner.postings = append(owner.postings, of(x.prefixes, name[:end]))
	}
}

// of returns the posting of key, which it makes if there is none.
func of[K comparable](postings map[K]*posting, key K) *posting {
	p := postings[key]
	if p == nil {
		p = new(posting)
		postings[key] = p
	}
	return p
}

func pushTo[K comparable](postings *table[K, *posting], key K, seq uint64) {
	p := postings.rows[key]
	if p == nil {
		p = new(posting)
		postings.put(key, p)
	}
	p.push(seq)
}

func popOf[K comparable](postings *table[K, *posting], key K) {
	p := postings.rows[key]
	p.pop()
	if p.count() == 0 {
		postings.drop(key)
	}
}

// A choice is the shortest of the lists that are known to hold all events of a Region.
type choice struct {
	found bool
	seqs  []uint64
	rest  region.Region // what is left to ask of those in it
}

// offer puts a posting forward, nil being an empty one; rest is what it leaves to ask.
func (c *choice) offer(p *posting, from uint64, rest region.Region) {
	var seqs []uint64
	if p != nil {
		seqs = p.from(from)
	}
	if !c.found || len(seqs) < len(c.seqs) {
		*c = choice{found: true, seqs: seqs, rest: rest}
	}
}

// choose returns the shortest list of the events from a sequence on among which those of r are. None is found where r asks for
// nothing but a clock.
func (x *index) choose(r region.Region, from uint64) (c choice) {
	if r.Entity != "" {
		rest := r
		rest.Entity = ""
		c.offer(x.prefixes[r.Entity], from, rest)
	}
	if r.Scope != "" {
		rest := r
		rest.Scope = ""
		c.offer(x.scopes[r.Scope], from, rest)
	}
	rest := r
	rest.Kind = region.KindFilter{}
	if k, ok := r.Kind.Kind(); ok {
		c.offer(x.kinds.rows[k], from, rest)
	} else if category, ok := r.Kind.Category(); ok {
		c.offer(&x.categories[category], from, rest)
	}
	if lane, ok := r.Lane.Lane(); ok {
		rest := r
		rest.Lane = region.LaneFilter{}
		c.offer(x.lanes.rows[lane], from, rest)
	}
	return c
}
