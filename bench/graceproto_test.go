package bench

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
)

// The candidates for the grace protocol of core, each in the least code that is right: how a broadcast
// says that it is inside, and how whoever took something out of sight learns that nobody can still see it.
// core's own is the first, less its statistics. docs/decisions has the choice.

// A graceProtocol is one candidate. Broadcasts call enter and leave, any number at once; retirements come one at a time.
type graceProtocol interface {
	// enter announces a broadcast and loads the snapshot that it may look at until it leaves.
	enter() (s *snapshot, mark int)
	// leave takes the announcement back.
	leave(s *snapshot, mark int)
	// retire publishes a new snapshot. What only the old one reached may be closed as soon as due is true.
	retire()
	// due tells whether every broadcast that could see what was retired has left. Whoever leaves may ask.
	due() bool
}

// A snapshot stands for what a broadcast walks.
type snapshot struct {
	_    [64]byte
	refs atomic.Int64 // for refcounts alone
	_    [56]byte
}

// graceProtocols are all candidates. Of each a test makes a new one.
var graceProtocols = []struct {
	name string
	open func() graceProtocol
}{
	{"epochs", func() graceProtocol { g := &epochs{}; g.live.Store(&snapshot{}); return g }},
	{"marks", func() graceProtocol { g := &marks{}; g.live.Store(&snapshot{}); return g }},
	{"refcounts", func() graceProtocol { g := &refcounts{}; g.live.Store(&snapshot{}); return g }},
	{"counter", func() graceProtocol { g := &counter{}; g.live.Store(&snapshot{}); return g }},
	{"rwmutex", func() graceProtocol { g := &rwmutex{}; g.live.Store(&snapshot{}); return g }},
	{"never", func() graceProtocol { g := &never{}; g.live.Store(&snapshot{}); return g }},
}

// padded is a word that shares its pair of cache lines with no other.
type padded struct {
	word atomic.Uint64
	_    [120]byte
}

// epochs counts broadcasts in and out of the open one of two epochs. A broadcast looks at the epoch
// again after it is counted: a retirement that begins later sees the count.
type epochs struct {
	live   atomic.Pointer[snapshot]
	epoch  atomic.Uint64
	parked atomic.Bool // stands for the reaper's word, which every leave that empties an epoch looks at
	woken  atomic.Bool
	_      [64]byte
	inside [2]padded
}

func (g *epochs) enter() (*snapshot, int) {
	for {
		e := g.epoch.Load()
		g.inside[e&1].word.Add(1)
		if g.epoch.Load() == e {
			return g.live.Load(), int(e & 1)
		}
		g.leave(nil, int(e&1))
	}
}

func (g *epochs) leave(_ *snapshot, mark int) {
	if g.inside[mark].word.Add(^uint64(0)) == 0 && g.parked.Load() {
		g.woken.Store(true)
	}
}

func (g *epochs) retire() {
	g.live.Store(&snapshot{})
	g.epoch.Add(1)
}

func (g *epochs) due() bool {
	return g.inside[(g.epoch.Load()-1)&1].word.Load() == 0
}

// marks has a word for each broadcast inside, odd while one is. Broadcast has no handle to keep a word
// of its own by, so it takes a free one, beginning anywhere. With more broadcasts at once than words the last waits
// for a free one, which a writer must not: this bounds the writers, or the words must become more on the way.
type marks struct {
	live  atomic.Pointer[snapshot]
	_     [56]byte
	seen  [16]atomic.Uint64 // what retire found
	_     [64]byte
	words [16]padded
}

func (g *marks) enter() (*snapshot, int) {
	for at := rand.Uint32(); ; at++ {
		mark := at % uint32(len(g.words))
		w := &g.words[mark].word
		if v := w.Load(); v&1 == 0 && w.CompareAndSwap(v, v+1) {
			return g.live.Load(), int(mark)
		}
	}
}

func (g *marks) leave(_ *snapshot, mark int) {
	g.words[mark].word.Add(1)
}

func (g *marks) retire() {
	g.live.Store(&snapshot{})
	for i := range g.words {
		g.seen[i].Store(g.words[i].word.Load())
	}
}

func (g *marks) due() bool {
	for i := range g.words {
		if v := g.seen[i].Load(); v&1 == 1 && g.words[i].word.Load() == v {
			return false
		}
	}
	return true
}

// refcounts counts the broadcasts that look at each snapshot. One that has counted itself looks again
// whether the snapshot is still the live one: else its count may have come after the last look.
type refcounts struct {
	live atomic.Pointer[snapshot]
	old  atomic.Pointer[snapshot]
}

func (g *refcounts) enter() (*snapshot, int) {
	for {
		s := g.live.Load()
		s.refs.Add(1)
		if g.live.Load() == s {
			return s, 0
		}
		s.refs.Add(-1)
	}
}

func (g *refcounts) leave(s *snapshot, _ int) { s.refs.Add(-1) }

func (g *refcounts) retire() { g.old.Store(g.live.Swap(&snapshot{})) }

func (g *refcounts) due() bool { return g.old.Load().refs.Load() == 0 }

// counter is one count in and out. It needs a moment without any broadcast, which overlapping writers may never leave.
type counter struct {
	live    atomic.Pointer[snapshot]
	_       [64]byte
	inside  atomic.Int64
	_       [64]byte
	waiting atomic.Bool
	reached atomic.Bool
}

func (g *counter) enter() (*snapshot, int) {
	g.inside.Add(1)
	return g.live.Load(), 0
}

func (g *counter) leave(*snapshot, int) {
	if g.inside.Add(-1) == 0 && g.waiting.Load() {
		g.reached.Store(true)
	}
}

func (g *counter) retire() {
	g.live.Store(&snapshot{})
	g.reached.Store(false)
	g.waiting.Store(true)
	if g.inside.Load() == 0 {
		g.reached.Store(true)
	}
}

func (g *counter) due() bool { return g.reached.Load() }

// rwmutex holds a read lock for as long as a broadcast lasts. A retirement waits in retire, and meanwhile
// no broadcast begins: writers wait for the slowest of them, which is what a fan-out must not do.
type rwmutex struct {
	live atomic.Pointer[snapshot]
	mu   sync.RWMutex
}

func (g *rwmutex) enter() (*snapshot, int) {
	g.mu.RLock()
	return g.live.Load(), 0
}

func (g *rwmutex) leave(*snapshot, int) { g.mu.RUnlock() }

func (g *rwmutex) retire() {
	g.mu.Lock()
	g.live.Store(&snapshot{})
	g.mu.Unlock()
}

func (g *rwmutex) due() bool { return true }

// never announces nothing, because nothing is ever closed: the floor. Readers must learn of the end by
// another way than a closed channel, and a sink of the user's can't be told that its last Offer is over.
type never struct {
	live atomic.Pointer[snapshot]
}

func (g *never) enter() (*snapshot, int) { return g.live.Load(), 0 }

func (g *never) leave(*snapshot, int) {}

func (g *never) retire() { g.live.Store(&snapshot{}) }

func (g *never) due() bool { return true }
