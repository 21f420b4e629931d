package bench

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A Workload is a population of entities of three segments, and one event for each of them.
//
// Events are visited in an order that has nothing to do with the order of the regions, and carry strings of
// their own: whoever compares an event's entity with a subscription's reads both. The events themselves lie
// in the order in which they are visited, close to the cache, as those that a service has just made do;
// what is measured is the look-up, not the fetching of events.
type Workload struct {
	// Entities are the names, each in memory of its own.
	Entities []string

	// Events has one event for each entity; Sequence is its place here.
	Events []core.Notification

	// Order tells which entity an event is about: Events[i] is of Entities[Order[i]].
	Order []int32

	// Kind is that of all events.
	Kind region.Kind
}

// Scope is that of all of a Workload's events.
const Scope = "shop"

// NewWorkload returns the Workload of entities first to first+n-1, the same for the same arguments.
// Workloads whose numbers don't overlap have no entity in common, and the same depth.
func NewWorkload(seed uint64, first, n int) (*Workload, error) {
	return workloadOf(seed, n, func(i int) string { return entityName(first + i) })
}

// workloadOf returns the Workload of n entities of these names.
func workloadOf(seed uint64, n int, name func(i int) string) (*Workload, error) {
	kind, err := region.NewKind(0x1, 0x002)
	if err != nil {
		return nil, fmt.Errorf("workload: %w", err)
	}
	w := &Workload{
		Entities: make([]string, n),
		Events:   make([]core.Notification, n),
		Order:    make([]int32, n),
		Kind:     kind,
	}
	for i := range w.Entities {
		w.Entities[i] = name(i)
		w.Order[i] = int32(i)
	}
	random := rand.New(rand.NewPCG(seed, uint64(n)))
	random.Shuffle(n, func(i, j int) { w.Order[i], w.Order[j] = w.Order[j], w.Order[i] })

	names := apart(w.Entities, w.Order)
	for i := range w.Events {
		c, err := region.NewCoordinate(names[i], Scope)
		if err != nil {
			return nil, fmt.Errorf("workload: event %d: %w", i, err)
		}
		e := &w.Events[i]
		binary.LittleEndian.PutUint64(e.EventID[:], random.Uint64())
		binary.LittleEndian.PutUint64(e.CorrelationID[:], random.Uint64())
		e.Coordinate = c
		e.Kind = kind
		e.Sequence = uint64(i)
		e.Position = region.Position{WallMS: 1_700_000_000_000 + uint64(i), Depth: 1, Sequence: 1}
	}
	return w, nil
}

// entityName returns the name of entity i: a tenant of a few hundred, a collection of a few, a record.
func entityName(i int) string {
	collections := [...]string{"order", "basket", "invoice", "parcel"}
	return fmt.Sprintf("tenant-%03d:%s:%08x", i%499, collections[i%len(collections)], i)
}

// deepName returns the name of entity i of so many segments, the last of them its own.
func deepName(i, segments int) string {
	var b strings.Builder
	for level := range segments - 1 {
		fmt.Fprintf(&b, "level-%02d:", level)
	}
	fmt.Fprintf(&b, "%08x", i)
	return b.String()
}

// apart copies the names into new memory, in the given order.
func apart(names []string, order []int32) []string {
	var all strings.Builder
	for _, i := range order {
		all.WriteString(names[i])
	}
	rest := all.String()
	copies := make([]string, len(order))
	for at, i := range order {
		copies[at], rest = rest[:len(names[i])], rest[len(names[i]):]
	}
	return copies
}

// Region returns the region of entity i and the workload's kind.
func (w *Workload) Region(i int) region.Region {
	return region.Region{Entity: w.Entities[i], Kind: region.OneKind(w.Kind)}
}

// Keys returns for each entity what its Region is as the key of a Go map.
func (w *Workload) Keys() []MapKey {
	keys := make([]MapKey, len(w.Entities))
	for i, e := range w.Entities {
		keys[i] = MapKey{Entity: e, Kind: w.Kind}
	}
	return keys
}
