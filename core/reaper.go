package core

import "time"

// A batch is what the reaper has in hand. It is the Fanout's, not the reaper's own: when user code
// ends a reaper by runtime.Goexit, the next one goes on where it was.
type batch[T any] struct {
	endings []ending[T]
	done    int       // of endings, seen off
	chores  *chore[T] // the oldest first
}

// An ending is a node that something has happened to: it is to be warned of, or on its way out.
type ending[T any] struct {
	node *node[T]
	warn bool // the LagObserver is to be told
	over bool

	rest   *member[T]  // where broadcasts may still come past its member; nil: it was never registered
	sink   Sink[T]     // to be closed
	out    chan<- T    // where the sink is nothing but a channel
	unhook func() bool // stops its context's watch, where it was the last on it
}

// atOnce is how many subscriptions the reaper takes out before it lets the mutex go.
const atOnce = 1000

// reaper does what is left to do when something ends, and exits when nothing is. There is one at a time.
//
//	retire list ──> grace ──> out of registry and index ──> Err ──> Sink.Close ──> Ended ──> Done
func (f *Fanout[T]) reaper() {
	exited := false
	defer func() {
		if !exited {
			go f.reap()
		}
	}()
	for {
		f.seeOff()
		if c := f.batch.chores; c != nil {
			f.batch.chores = c.next
			f.do(c)
			continue
		}
		// Chores are taken first: what was pushed before a barrier is then retired before it.
		step("reaper:taking")
		f.batch.chores = f.chores.take()
		if f.collect() || f.batch.chores != nil {
			continue
		}
		f.batch = batch[T]{}
		f.reaping.Store(false)
		step("reaper:said-idle")
		if f.retired.empty() && f.chores.empty() || !f.reaping.CompareAndSwap(false, true) {
			exited = true
			return
		}
	}
}

// do does one chore.
func (f *Fanout[T]) do(c *chore[T]) {
	switch c.kind {
	case choreBarrier:
		close(c.passed)
	case choreWatch:
		f.endAll(c.watch)
		f.collect()
	case choreClose:
		for _, n := range f.registered() {
			n.end(&errClosed)
		}
		f.collect()
	}
}

// collect takes the retire list, waits for the grace, and takes what is over out of registry and
// index; false where the list was empty. No user code runs here.
func (f *Fanout[T]) collect() bool {
	first := f.retired.take()
	if first == nil {
		return false
	}
	b := &f.batch
	for s := first; s != nil; {
		n, _ := s.self.(*node[T])
		s, n.next = s.next, nil // before queued is cleared: then others may push it again
		before := n.state().And(^(queued | warned))
		if before&phaseMask == phaseRetired {
			continue // its canceller queued it once more after its end had been seen to
		}
		e := ending[T]{node: n, warn: before&warned != 0, over: before&phaseMask != phaseLive && before&ready != 0}
		if e.warn || e.over {
			b.endings = append(b.endings, e)
		}
	}
	// First the grace, then out: a broadcast that began before a prune has come past the pruned
	// subscription by then, and has told it if its event comes before what was missed first.
	f.grace.wait()
	f.inTurns(func(e *ending[T]) {
		n := e.node
		if *n.sink() == nil {
			return // never registered: its Subscribe failed
		}
		if invariants && offerable(n.state().Load()) {
			panic("spillway/core: a subscription that lives is on its way out")
		}
		e.rest = f.unregister(n)
		e.unhook = f.unwatch(n)
		// No broadcast can be inside the sink any more, and none that comes past will look at it: the state
		// says over. A tombstone need not keep sink and buffer alive.
		own := n.entry.Member()
		e.sink, e.out = own.sink, own.out
		own.sink, own.out, e.rest.sink, e.rest.out = nil, nil, nil, nil
		step("reaper:unregistered")
	})
	return true
}

// inTurns calls do for each ending that is over, under the mutex, which it lets go now and then.
func (f *Fanout[T]) inTurns(do func(*ending[T])) {
	for es := f.batch.endings; len(es) > 0; {
		n := min(atOnce, len(es))
		f.mu.Lock()
		for i := range es[:n] {
			if es[i].over {
				do(&es[i])
			}
		}
		f.mu.Unlock()
		es = es[n:]
	}
}

// seeOff does for each ending in hand what is left after the grace.
func (f *Fanout[T]) seeOff() {
	b := &f.batch
	for b.done < len(b.endings) {
		e := b.endings[b.done]
		b.endings[b.done] = ending[T]{}
		b.done++
		f.tell(e)
	}
	b.endings, b.done = b.endings[:0], 0
}

// tell runs the user's code for one ending. What is to follow it is deferred: user code may exit.
func (f *Fanout[T]) tell(e ending[T]) {
	if e.over {
		defer f.bury(e)
	}
	if e.warn {
		f.slowly(func() { f.inform(e, f.lag.Lagging) })
	}
}

// bury closes the sink, and Done whatever becomes of that.
func (f *Fanout[T]) bury(e ending[T]) {
	n := e.node
	if e.rest == nil { // its Subscribe failed after it was cancelled inside Attach
		n.speak()
		n.closeDone()
		return
	}
	defer func() {
		f.count(-oneRetiring)
		n.closeDone()
	}()
	f.sayWhy(n)
	step("reaper:closing")
	defer f.tellEnded(e)
	f.slowly(func() { e.sink.Close(*n.cause) })
}

func (f *Fanout[T]) tellEnded(e ending[T]) {
	// Deferred, each: what comes before may call runtime.Goexit.
	defer step("reaper:told")
	if f.told != nil {
		defer f.slowly(func() { f.inform(e, func(i Info) { f.told.Ended(i, *e.node.cause) }) })
	}
	if e.unhook != nil {
		defer f.slowly(func() { e.unhook() })
	}
	if s, ok := e.sink.(lossySink); ok {
		var lost uint64
		defer func() {
			f.mu.Lock()
			delete(f.lossy, e.node)
			if len(f.lossy) == 0 {
				f.lossy = nil // a map never shrinks
			}
			f.lost += lost
			f.mu.Unlock()
		}()
		lost = f.lostBy(s)
	}
}

// inform tells the Observer, with what there is to know of a subscription; with less where its sink exits when asked.
func (f *Fanout[T]) inform(e ending[T], tell func(Info)) {
	i := Info{ID: e.node.id, Region: e.node.region(), Err: e.node.Err()}
	defer func() { tell(i) }()
	i = f.infoOf(e)
}

// infoOf is info for an ending, whose sink the node may have no more.
func (f *Fanout[T]) infoOf(e ending[T]) Info {
	f.mu.Lock()
	if own := e.node.entry.Member(); own.sink != nil {
		e.sink, e.out = own.sink, own.out
	}
	at := f.sites.all[e.node.site]
	f.mu.Unlock()
	return f.describe(e, at)
}

// sayWhy completes the cause of n's end and lets Err speak.
func (f *Fanout[T]) sayWhy(n *node[T]) {
	state := n.state().Load()
	verdict := Closed
	switch state & phaseMask {
	case phasePrunedFull:
		verdict = Full
		fallthrough
	case phasePrunedClosed:
		pruned := &PrunedError{
			Fanout: f.name, ID: n.id, Region: n.region(),
			Verdict: verdict, Held: int(n.held),
		}
		if state&(placed|unplaced) == placed {
			pruned.Missed, pruned.HasMissed = n.missed.Load(), true
		}
		if n.cause != nil {
			pruned.Cause = *n.cause
		}
		err := error(pruned)
		n.cause = &err
	}
	n.speak()
}

// slowly runs a call of the user's on the reaper, so that Stats can say how long it takes.
func (f *Fanout[T]) slowly(call func()) {
	f.counters.busySince.Store(max(1, time.Since(f.counters.born)))
	defer f.counters.busySince.Store(0)
	f.guard(call)
}

// guard runs a call of the user's; a panic in it, or a Goexit, is counted. The panic goes no further.
func (f *Fanout[T]) guard(call func()) {
	returned := false
	defer func() {
		if !returned {
			f.counters.panics.Add(1)
			_ = recover()
		}
	}()
	call()
	returned = true
}

// registered returns a copy of the registry.
func (f *Fanout[T]) registered() []*node[T] {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]*node[T](nil), f.nodes...)
}
