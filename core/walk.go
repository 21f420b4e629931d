package core

// A walk is one event's way past the subscriptions it concerns, or several events', one after the other. It lives on
// the writer's stack, and so do the event and its lookup: their pointers are handed from call to call, because the
// compiler takes all that a struct points to for escaping when one of its fields is, and the Fanout is.
type walk[T any] struct {
	fanout *Fanout[T]
	epoch  uint64 // the one it is counted into, while it is inside
	events uint64 // broadcasts that it makes up
	live   int    // subscriptions when the event came

	stage   stage
	inside  bool // the grace
	lone    bool // there is one event: its pass leaves the grace
	located bool // sequence is the event's

	members []member[T] // who is being offered the event now
	next    int         // the first of them that has not been

	// What became of the offers. Accepted is what is left of all that was come past, so that an offer which is accepted
	// has nothing to count.
	walked               int // members come past, before members
	passed, full, closed int // of all those come past: not offered, or refused
	before               int // offers of the events before this one

	sequence uint64
}

// A stage says whose a panic is that ends a pass.
type stage uint8

const (
	between  stage = iota // no event is under way
	locating              // the caller's: it is in Config.Locate
	offering              // the sink's
	asking                // the sink's, in Held: it has given its Verdict
)

func (w *walk[T]) offers() int { return w.walked + w.next - w.passed }

func (w *walk[T]) accepted() int { return w.offers() - w.full - w.closed }

func (w *walk[T]) outcome() Outcome {
	return Outcome{Live: w.live, Matched: w.offers(), Accepted: w.accepted(), Pruned: w.full + w.closed}
}

// passAll takes an event past everybody.
func (w *walk[T]) passAll(v *T, l *lookup[T]) {
	for !w.pass(v, l) {
	}
}

// pass takes an event past everybody: first those with the zero Region, for whom nothing needs to be looked
// up, then those who match the lookup, where there is one. It is false where a sink panicked: that sink is pruned,
// and another pass takes the event to the others. A panic in Config.Locate goes on to the caller.
//
// The first pass enters the grace, and the last one of a lone event leaves it: whatever is in this function's own frame
// costs least, and with a call each an event for one channel takes a fifth longer. One deferred call does for
// all that can go wrong.
func (w *walk[T]) pass(v *T, l *lookup[T]) (done bool) {
	defer func() {
		switch w.stage {
		case between:
		case locating:
			w.leave()
		case offering, asking:
			w.broken(recover(), v, l)
		}
	}()
	if w.stage == between {
		if !w.inside {
			g := &w.fanout.grace
			e, ok := g.tryEnter()
			if !ok {
				e = g.reenter(e)
			}
			w.epoch, w.inside = e, true
			step("broadcast:entered")
			if w.fanout.single && !g.alone() {
				w.overlaps()
			}
		}
		w.events++
		w.members = w.fanout.index.Everything()
		w.stage = offering
	}
	for {
		members := w.members
		for i := w.next; i < len(members); i++ {
			w.next = i + 1
			m := &members[i]
			n := m.node
			state := n.state().Load()
			if !offerable(state) {
				w.passOver(n, state, v)
				continue
			}
			step("broadcast:offering")
			if sabotage() {
				continue
			}
			if m.out == nil {
				if verdict := m.sink.Offer(*v); verdict != Accepted || w.fanout.lag != nil {
					w.judge(m, verdict, v)
				}
				continue
			}
			select {
			case m.out <- *v:
				if w.fanout.lag != nil {
					w.fanout.gauge(n, state, len(m.out), cap(m.out))
				}
			default:
				w.refused(m, Full, nil, v)
			}
		}
		w.walked, w.next = w.walked+w.next, 0
		if l == nil {
			break
		}
		key := l.keys.Next(&l.point)
		if key == nil {
			break
		}
		w.members = key.Members()
	}
	w.stage = between
	if w.live == 0 && w.offers() == w.before {
		w.events-- // found nobody
	}
	w.before = w.offers()
	if w.lone {
		w.countRefused()
		if word, more := w.fanout.grace.countOut(w.epoch, w.events, uint64(w.accepted())); more {
			w.fanout.grace.settle(w.epoch, word)
		}
	}
	return true
}

// leave counts what was refused, and then the broadcasts as finished, and what was accepted: once the count says
// nobody is inside, all figures are in, but for what a mark is just handing over. It does nothing where the walk is not inside.
func (w *walk[T]) leave() {
	if w.inside {
		w.countRefused()
		w.fanout.grace.leave(w.epoch, w.events, uint64(w.accepted()))
	}
}

// countRefused is the part of leave that comes before the grace's.
func (w *walk[T]) countRefused() {
	w.inside = false
	if w.full|w.closed != 0 {
		w.fanout.counters.prunedFull.Add(uint64(w.full))
		w.fanout.counters.prunedClosed.Add(uint64(w.closed))
	}
	step("broadcast:leaving")
}

func (w *walk[T]) overlaps() {
	w.leave()
	panic(&MisuseError{what: "two Broadcasts overlap on a fan-out with Config.SingleWriter: " +
		"serialise its writers, don't broadcast from inside a Broadcast, or leave SingleWriter unset"})
}

// judge acts on the Verdict of a sink that is more than a channel, but where it is Accepted and nobody is to be warned. A
// Verdict that isn't one is Closed.
func (w *walk[T]) judge(m *member[T], verdict Verdict, v *T) {
	n := m.node
	if verdict == Accepted {
		held, capacity := w.held(m)
		w.fanout.gauge(n, n.state().Load(), held, capacity)
		return
	}
	if verdict > Closed {
		verdict = Closed
	}
	w.refused(m, verdict, nil, v)
}

// held asks a sink that has given its Verdict what its buffer holds. A panic goes no further; whoever calls is ready
// for runtime.Goexit.
func (w *walk[T]) held(m *member[T]) (held, capacity int) {
	before := w.stage
	w.stage = asking
	held, capacity = w.fanout.held(m.sink)
	w.stage = before
	return held, capacity
}

// broken prunes a sink whose Offer panicked. A sink that called runtime.Goexit, in Offer or in Held, takes its
// caller's goroutine with it, but the others get their event first.
func (w *walk[T]) broken(value any, v *T, l *lookup[T]) {
	if misuse, ok := value.(*MisuseError); ok {
		w.passed++
		w.leave()
		panic(misuse)
	}
	resumes := false
	defer func() {
		if resumes || !w.inside {
			return
		}
		if w.stage == asking {
			w.stage = offering
		}
		for w.stage == offering && !w.pass(v, l) {
		}
		w.leave()
	}()
	if w.stage == asking {
		return
	}
	w.fanout.counters.panics.Add(1)
	w.refused(&w.members[w.next-1], Closed, newPanicError(value), v)
	resumes = value != nil
}
