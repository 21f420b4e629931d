package core

import "math"

// A population is who a broadcast has to think of: one word, so that one that concerns nobody reads no other.
//
//	 63      62          32 31         0
//	[closed |   retiring   |    live   ]
//
// It is 0 only where no subscription is live, and none is on its way out that an event could concern: one that
// was pruned has to learn of an event before the one that it missed, from a broadcast that overlaps the prune.
type population int64

const (
	oneLive     population = 1
	oneRetiring population = 1 << 32
	closedWhole population = math.MinInt64
)

func (p population) live() int {
	if p.closed() {
		return 0
	}
	return int(p & (oneRetiring - 1))
}

func (p population) retiring() int { return int(p &^ closedWhole >> 32) }

func (p population) closed() bool { return p < 0 }

// population loads it.
func (f *Fanout[T]) population() population { return population(f.people.Load()) }

// count changes it.
func (f *Fanout[T]) count(change population) { f.people.Add(int64(change)) }
