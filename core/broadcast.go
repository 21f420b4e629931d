package core

import "github.com/spillwayhq/spillway/region"

// An Outcome is what a Broadcast did, in counts. For BroadcastAll they are sums, but Live is the
// first event's.
type Outcome struct {
	Live     int // subscriptions live on entry
	Matched  int // offers made: Accepted + Pruned, always
	Accepted int
	Pruned   int // refused, and so ended
}

// renew is how many events of a BroadcastAll share one stay in the grace: enough to make its cost
// vanish, few enough that what ends meanwhile does not wait long.
const renew = 256

// Broadcast offers v to every subscription whose Region matches it. It takes no mutex, allocates
// nothing and waits for nobody; a sink that refuses v is pruned. What v points to must not be
// changed afterwards, by anyone.
func (f *Fanout[T]) Broadcast(v T) Outcome {
	live := f.live.Load()
	if live <= 0 && !f.owed(live) {
		return Outcome{}
	}
	var p region.Point
	located := f.locate != nil && f.index.Selective()
	if located {
		p = f.locate(v) // here, where v is a parameter: from a pointer the compiler would copy it twice
	}
	return f.broadcast(&v, &p, located, live)
}

// broadcast is apart from Broadcast so that one who finds nobody doesn't pay for setting up the walk.
//
// The look-up begins before the grace is entered, so that its memory comes meanwhile. That is no
// broadcast's look at a member yet: the tables that it has come to hold everyone who was there when it
// began, and who is in them is read by Next, inside.
func (f *Fanout[T]) broadcast(v *T, p *region.Point, located bool, live int64) Outcome {
	w := walk[T]{fanout: f, located: located, keyed: located}
	if located {
		w.keys.Begin(f.index, p)
		step("broadcast:looking")
	}
	w.enter()
	for !w.pass(v, p) {
	}
	if live <= 0 && w.offers() == 0 {
		w.events-- // found nobody
	}
	w.leave()
	return w.outcome(live)
}

// owed tells whether an event that finds nobody live has to come past all the same: who is on the way out may
// have been pruned by a broadcast that this one overlaps, and has to learn of an earlier event. After Close
// nobody is owed anything.
func (f *Fanout[T]) owed(live int64) bool { return live == 0 && f.counters.retiring.Load() > 0 }

// BroadcastAll is a Broadcast of each of vs, in order. Other goroutines' broadcasts may come between.
func (f *Fanout[T]) BroadcastAll(vs []T) Outcome {
	var sum Outcome
	for first := true; len(vs) > 0; first = false {
		chunk := vs[:min(renew, len(vs))]
		vs = vs[len(chunk):]
		out := f.broadcastChunk(chunk)
		if first {
			sum.Live = out.Live
		}
		sum.Matched += out.Matched
		sum.Accepted += out.Accepted
		sum.Pruned += out.Pruned
	}
	return sum
}

// broadcastChunk broadcasts vs within one stay in the grace. An event that finds nobody is not counted.
func (f *Fanout[T]) broadcastChunk(vs []T) Outcome {
	live := f.live.Load()
	if live <= 0 && !f.owed(live) {
		return Outcome{}
	}
	var p region.Point
	w := walk[T]{fanout: f}
	w.enter()
	for i, now := 0, live; i < len(vs); i++ {
		if i > 0 {
			if now = f.live.Load(); now <= 0 && !f.owed(now) {
				break
			}
		}
		before := w.offers()
		w.located, w.keyed = false, false
		for !w.pass(&vs[i], &p) {
		}
		if now <= 0 && w.offers() == before {
			w.events-- // found nobody
		}
	}
	w.leave()
	return w.outcome(live)
}

// A walk is one event's way past the subscriptions it concerns. It lives on the writer's stack, and so
// do the event and its Point: their pointers are handed from call to call, because the compiler takes all
// that a struct points to for escaping when one of its fields is, and the Fanout is.
type walk[T any] struct {
	fanout *Fanout[T]
	epoch  uint64 // the one it is counted into
	events uint64 // broadcasts that it makes up

	stage   stage
	left    bool // it is counted out again
	located bool // the Point is the event's
	keyed   bool // keys is the look-up: there are Regions other than the zero Region

	members []member[T] // who is being offered the event now
	next    int         // the first of them that has not been

	keys region.Matches[member[T]]

	// What became of the offers. Accepted is what is left of all that was come past, so that an offer which is accepted
	// has nothing to count.
	walked               int // members come past, before members
	passed, full, closed int // of all those come past: not offered, or refused
}

// A stage says whose a panic is that ends a pass.
type stage uint8

const (
	between  stage = iota // no event is under way
	locating              // the caller's: it is in Config.Locate
	offering              // the sink's
	asking                // the sink's, in Held: it has given its Verdict
)

func (w *walk[T]) enter() {
	w.epoch = w.fanout.grace.enter()
	step("broadcast:entered")
	if w.fanout.single && !w.fanout.grace.alone() {
		w.fanout.grace.leave(w.epoch, 0, 0)
		panic(&MisuseError{what: "two Broadcasts overlap on a fan-out with Config.SingleWriter: " +
			"serialise its writers, don't broadcast from inside a Broadcast, or leave SingleWriter unset"})
	}
}

// leave counts what was refused, and then the broadcasts as finished, and what was accepted: once the count says
// nobody is inside, all figures are in, but for what a mark is just handing over.
func (w *walk[T]) leave() {
	f := w.fanout
	w.left = true
	if w.full|w.closed != 0 {
		f.counters.prunedFull.Add(uint64(w.full))
		f.counters.prunedClosed.Add(uint64(w.closed))
	}
	step("broadcast:leaving")
	f.grace.leave(w.epoch, w.events, uint64(w.accepted()))
}

func (w *walk[T]) offers() int { return w.walked + w.next - w.passed }

func (w *walk[T]) accepted() int { return w.offers() - w.full - w.closed }

func (w *walk[T]) outcome(live int64) Outcome {
	return Outcome{Live: int(live), Matched: w.offers(), Accepted: w.accepted(), Pruned: w.full + w.closed}
}

// pass takes an event past everybody: first those with the zero Region, for whom nothing needs to be looked
// up, then those whose Regions match its Point. It is false where a sink panicked: that sink is pruned,
// and another pass takes the event to the others. A panic in Config.Locate goes on to the caller.
//
// One deferred call does for all that can go wrong: a second would cost an event that concerns a
// single subscription a twentieth of its time.
func (w *walk[T]) pass(v *T, p *region.Point) (done bool) {
	defer func() {
		switch w.stage {
		case between:
		case locating:
			w.leave()
		case offering, asking:
			w.broken(recover(), v, p)
		}
	}()
	if w.stage == between {
		w.begin(v, p)
	}
	for {
		members := w.members
		for i := w.next; i < len(members); i++ {
			w.next = i + 1
			m := &members[i]
			n := m.node
			state := n.state().Load()
			if !offerable(state) {
				w.passOver(n, state, v, p)
				continue
			}
			step("broadcast:offering")
			if sabotage() {
				continue
			}
			if m.out == nil {
				if verdict := m.sink.Offer(*v); verdict != Accepted || w.fanout.lag != nil {
					w.judge(m, verdict, v, p)
				}
				continue
			}
			select {
			case m.out <- *v:
				if w.fanout.lag != nil {
					w.fanout.gauge(n, state, len(m.out), cap(m.out))
				}
			default:
				w.refused(m, Full, nil, v, p)
			}
		}
		w.walked, w.next = w.walked+w.next, 0
		if !w.keyed {
			break
		}
		key := w.keys.Next(p)
		if key == nil {
			break
		}
		w.members = key.Members()
	}
	w.stage = between
	return true
}

// begin looks up what is to be looked up, where Broadcast hasn't.
func (w *walk[T]) begin(v *T, p *region.Point) {
	w.events++
	if !w.keyed && w.fanout.index.Selective() {
		w.stage = locating
		w.locate(v, p)
		w.keys.Begin(w.fanout.index, p)
		w.keyed = true
	}
	step("broadcast:located")
	w.members = w.fanout.index.Everything()
	w.stage = offering
}

// locate calls Config.Locate, at most once an event.
func (w *walk[T]) locate(v *T, p *region.Point) {
	if w.located {
		return
	}
	if w.fanout.locate != nil {
		*p = w.fanout.locate(*v)
	}
	w.located = true
}

// judge acts on the Verdict of a sink that is more than a channel, but where it is Accepted and nobody is to be warned. A
// Verdict that isn't one is Closed.
func (w *walk[T]) judge(m *member[T], verdict Verdict, v *T, p *region.Point) {
	n := m.node
	if verdict == Accepted {
		held, capacity := w.held(m)
		w.fanout.gauge(n, n.state().Load(), held, capacity)
		return
	}
	if verdict > Closed {
		verdict = Closed
	}
	w.refused(m, verdict, nil, v, p)
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
func (w *walk[T]) broken(value any, v *T, p *region.Point) {
	if misuse, ok := value.(*MisuseError); ok {
		w.passed++
		w.leave()
		panic(misuse)
	}
	resumes := false
	defer func() {
		if resumes || w.left {
			return
		}
		if w.stage == asking {
			w.stage = offering
		}
		for w.stage == offering && !w.pass(v, p) {
		}
		w.leave()
	}()
	if w.stage == asking {
		return
	}
	w.fanout.counters.panics.Add(1)
	w.refused(&w.members[w.next-1], Closed, newPanicError(value), v, p)
	resumes = value != nil
}
