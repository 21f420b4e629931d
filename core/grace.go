package core

import "sync/atomic"

// grace tells when no broadcast can still be looking at what was taken out of its sight.
//
// A broadcast counts itself into the open epoch, reads the epoch again and moves if it has changed;
// what it loads afterwards is at least as new as that epoch. The reaper opens a new epoch and waits
// until the one before is empty: later broadcasts count themselves elsewhere and never delay it.
// Two words suffice, one for even epochs and one for odd, since an epoch is opened only when the
// last but one is empty. It is the Linux kernel's sleepable RCU (docs.kernel.org/RCU/whatisRCU.html)
// with the second look that spares it the kernel's second flip.
//
//	broadcast   enter ── loads, offers ─────────────── leave ── empties a closed epoch: wakes the reaper
//	                     │ sees all that was over before its epoch opened
//	reaper      epoch+1 ─┴─ parks until the old word is empty ── closes what was over before
//
// docs/models/grace.pml is the proof, docs/decisions/0001 the choice and its figures.
type grace struct {
	// epoch is the open epoch.
	//   written by: the reaper, one Store at the start of a wait
	//   read by:    every broadcast, twice; lock-free
	//   order:      counted in first, looked at again second: a wait that begins after the second look sees the count
	epoch atomic.Uint64

	// parked says that the reaper waits for an epoch to empty.
	//   written by: the reaper, around its park
	//   read by:    whoever empties an epoch, after counting out
	//   order:      the reaper sets it and then looks at the count; a broadcast counts out and then looks at it: one sees the other
	parked atomic.Bool

	// wake holds one token at most. A token may be stale: whoever takes one looks again.
	wake chan struct{}

	// carries counts how often a mark's upper part has overflowed.
	//   written by: the leave that overflowed it
	//   read by:    finished
	//   order:      none needed: a statistic
	carries atomic.Uint64

	_    [88]byte // marks are written by every broadcast; what is above is only read by them
	mark [2]mark
}

// A mark has a cache line pair of its own: two, because adjacent lines are fetched together.
type mark struct {
	// word counts the broadcasts inside its epoch in the lower 24 bits, and in the upper 40 those that
	// have left it, so that being counted costs a broadcast nothing.
	//   written by: every broadcast, twice
	//   read by:    the reaper while it waits; finished
	//   order:      see grace.epoch and grace.parked
	word atomic.Uint64

	// matched counts the offers of finished broadcasts.
	//   written by: broadcasts that matched something, once each
	//   read by:    Stats
	//   order:      added to before the pruned counters are, so that Stats, reading in the opposite order, never finds fewer offers than refusals
	matched atomic.Uint64

	_ [112]byte
}

const (
	insideBits = 24
	inside     = 1<<insideBits - 1
)

// enter counts the caller into the open epoch and returns it. Each retry means that the reaper has
// opened another epoch meanwhile: someone else got on.
func (g *grace) enter() uint64 {
	for {
		e := g.epoch.Load()
		step("grace:read-epoch")
		g.mark[e&1].word.Add(1)
		step("grace:counted-in")
		if g.epoch.Load() == e {
			return e
		}
		g.leave(e, 0)
	}
}

// leave counts the caller out of epoch e, and n broadcasts as finished.
func (g *grace) leave(e, n uint64) {
	w := g.mark[e&1].word.Add(n<<insideBits - 1)
	if w>>insideBits < n {
		g.carries.Add(1)
	}
	if invariants && w&inside == inside {
		panic("spillway/core: a broadcast has left an epoch that it was not in")
	}
	step("grace:counted-out")
	if w&inside == 0 && g.parked.Load() {
		step("grace:waking")
		select {
		case g.wake <- struct{}{}:
		default: // a token is there already
		}
	}
}

// alone tells whether the caller, who is inside, is the only one. Best effort.
func (g *grace) alone() bool {
	return (g.mark[0].word.Load()+g.mark[1].word.Load())&inside == 1
}

// wait returns when every broadcast that began before it has left. The reaper alone calls it.
func (g *grace) wait() {
	e := g.epoch.Load()
	g.epoch.Store(e + 1)
	step("grace:opened-epoch")
	old := &g.mark[e&1].word
	for {
		g.parked.Store(true)
		step("grace:said-parked")
		if old.Load()&inside == 0 {
			g.parked.Store(false)
			return
		}
		<-g.wake
	}
}

// finished returns how many broadcasts have left.
func (g *grace) finished() uint64 {
	return g.carries.Load()<<(64-insideBits) + g.mark[0].word.Load()>>insideBits + g.mark[1].word.Load()>>insideBits
}
