package block

import (
	"sync"

	"github.com/spillwayhq/spillway/region"
)

// Names gives each Coordinate that is read its strings once, as long as they are not too many: those of an event that is
// read again are there already.
type Names struct {
	mu    sync.Mutex
	known map[string]map[string]region.Coordinate // by scope, by entity
	count int
}

const mostNames = 1 << 14

func (n *Names) coordinate(entity, scope []byte) (region.Coordinate, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if c, ok := n.known[string(scope)][string(entity)]; ok {
		return c, nil
	}
	c, err := region.NewCoordinate(string(entity), string(scope))
	if err != nil {
		return c, err
	}
	if n.known == nil || n.count == mostNames {
		n.known, n.count = make(map[string]map[string]region.Coordinate), 0
	}
	of := n.known[c.Scope()]
	if of == nil {
		of = make(map[string]region.Coordinate)
		n.known[c.Scope()] = of
	}
	of[c.Entity()] = c
	n.count++
	return c, nil
}
