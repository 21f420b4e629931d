package bench

import (
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A MapKey is what a region of one entity and one kind looks like as the key of a Go map.
type MapKey struct {
	Entity string
	Kind   region.Kind
}

// A MapOffer finds the one channel that an event concerns by one look-up in a Go map, and offers it
// there: the least that selecting one of many can cost with what the language has. The map is made at its final size,
// and reading it takes no lock, so nobody can subscribe while events flow.
type MapOffer struct {
	chans map[MapKey]chan core.Notification
}

// NewMapOffer returns a MapOffer with a channel of the given capacity for each key.
func NewMapOffer(keys []MapKey, capacity int) *MapOffer {
	chans := make(map[MapKey]chan core.Notification, len(keys))
	for _, k := range keys {
		chans[k] = make(chan core.Notification, capacity)
	}
	return &MapOffer{chans: chans}
}

// Offer sends what n points to, to the channel of its entity and kind, and says whether there was one with room.
func (m *MapOffer) Offer(n *core.Notification) (accepted bool) {
	c, ok := m.chans[MapKey{Entity: n.Coordinate.Entity(), Kind: n.Kind}]
	if !ok {
		return false
	}
	select {
	case c <- *n:
		return true
	default:
		return false
	}
}

// Output returns the channel of k, to read from, or nil.
func (m *MapOffer) Output(k MapKey) <-chan core.Notification {
	return m.chans[k]
}
