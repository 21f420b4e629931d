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

	// finished and accepted are what the marks have handed over: broadcasts that have left, and the offers that were accepted.
	//   written by: spill; leave, where a word has no room; by Add
	//   read by:    figures
	//   order:      none needed: statistics
	finished, accepted atomic.Uint64

	_    [128]byte // marks are written by every broadcast; what is above is only read by them
	mark [2]mark
}

// A mark has a cache line pair of its own: two, because adjacent lines are fetched together.
//
// Its word counts three things, so that being counted costs a broadcast nothing:
//
//	 63        42 41        24 23          0
//	[  accepted  |  finished  |   inside    ]
//
// The two upper ones are handed over to the grace's own counters when they are half full. Whoever leaves sees to that,
// so that one overflows only where five hundred are stopped between leaving and seeing to it; then Stats is wrong by
// what the field holds, and nothing else. The lowest must not overflow: sixteen million broadcasts inside one
// epoch, each on a goroutine of its own or nested, would be taken for none. Their stacks alone are 32 GiB.
type mark struct {
	// word counts the broadcasts inside its epoch, those that have left it, and what was accepted of these.
	//   written by: every broadcast, twice; spill, by compare-and-swap
	//   read by:    the reaper while it waits; figures
	//   order:      see grace.epoch and grace.parked
	word atomic.Uint64

	_ [120]byte
}

const (
	finishedAt = 24
	acceptedAt = 42

	inside   = 1<<finishedAt - 1
	halfFull = 1<<63 | 1<<(acceptedAt-1) // of accepted, or of finished

	// mostAtOnce is how many one leave may not count as accepted in a word.
	mostAtOnce = 1 << 11
)

// tryEnter counts the caller into the open epoch. Where ok is false the reaper has opened another meanwhile, and the caller has
// to reenter: apart from each other, since the two in one function would be too large to be inlined.
func (g *grace) tryEnter() (e uint64, ok bool) {
	e = g.epoch.Load()
	step("grace:read-epoch")
	g.mark[e&1].word.Add(1)
	step("grace:counted-in")
	return e, g.epoch.Load() == e
}

// reenter moves the caller from epoch e into the open one. Each retry means that the reaper has
// opened another epoch meanwhile: someone else got on.
func (g *grace) reenter(e uint64) uint64 {
	for ok := false; !ok; {
		g.leave(e, 0, 0)
		e, ok = g.tryEnter()
	}
	return e
}

// leave counts the caller out of epoch e, and as finished n broadcasts with so many offers accepted.
func (g *grace) leave(e, n, accepted uint64) {
	if word, more := g.countOut(e, n, accepted); more {
		g.settle(e, word)
	}
}

// countOut is leave, but for what there is to do seldom; where that is to be done now, the caller has settle do it.
func (g *grace) countOut(e, n, accepted uint64) (word uint64, more bool) {
	if accepted >= mostAtOnce {
		g.accepted.Add(accepted)
		accepted = 0
	}
	word = g.mark[e&1].word.Add(accepted<<acceptedAt + n<<finishedAt - 1)
	step("grace:counted-out")
	return word, word&halfFull != 0 || word&inside == 0 && g.parked.Load() || invariants && word&inside == inside
}

// settle hands over the figures of a word that is half full of them, and wakes the reaper that waits for whoever has left.
func (g *grace) settle(e, word uint64) {
	if invariants && word&inside == inside {
		panic("spillway/core: a broadcast has left an epoch that it was not in")
	}
	if word&halfFull != 0 {
		g.spill(&g.mark[e&1])
	}
	if word&inside == 0 && g.parked.Load() {
		step("grace:waking")
		select {
		case g.wake <- struct{}{}:
		default: // a token is there already
		}
	}
}

// spill takes the figures out of a word that is half full of them. Each retry means that somebody else came or
// left; who finds another's spill has nothing to do.
func (g *grace) spill(m *mark) {
	for w := m.word.Load(); w&halfFull != 0; w = m.word.Load() {
		if m.word.CompareAndSwap(w, w&inside) {
			step("grace:spilling")
			finished, accepted := figuresOf(w)
			g.finished.Add(finished)
			g.accepted.Add(accepted)
			return
		}
	}
}

func figuresOf(word uint64) (finished, accepted uint64) {
	return word >> finishedAt & (1<<(acceptedAt-finishedAt) - 1), word >> acceptedAt
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

// figures returns how many broadcasts have left, and how many offers were accepted. For a moment it may lack what a
// mark is handing over.
func (g *grace) figures() (finished, accepted uint64) {
	finished, accepted = g.finished.Load(), g.accepted.Load()
	for i := range g.mark {
		f, a := figuresOf(g.mark[i].word.Load())
		finished += f
		accepted += a
	}
	return finished, accepted
}
