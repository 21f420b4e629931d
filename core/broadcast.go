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
	return f.broadcast(&v, live)
}

// broadcast is apart from Broadcast so that one who finds nobody doesn't pay for setting up the walk.
func (f *Fanout[T]) broadcast(v *T, live int64) Outcome {
	w := walk[T]{fanout: f}
	w.enter()
	defer w.leave()
	w.broadcast(v)
	if live <= 0 && w.accepted+w.full+w.closed == 0 {
		w.events-- // found nobody
	}
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
	w := walk[T]{fanout: f}
	w.enter()
	defer w.leave()
	for i, now := 0, live; i < len(vs); i++ {
		if i > 0 {
			if now = f.live.Load(); now <= 0 && !f.owed(now) {
				break
			}
		}
		before := w.accepted + w.full + w.closed
		w.broadcast(&vs[i])
		if now <= 0 && w.accepted+w.full+w.closed == before {
			w.events-- // found nobody
		}
	}
	return w.outcome(live)
}

// A walk is one event's way past the subscriptions it concerns. It lives on the writer's stack, and so
// does the event: its pointer is handed from call to call, because the compiler takes all that a
// struct points to for escaping when one of its fields is, and the Fanout is.
type walk[T any] struct {
	fanout *Fanout[T]
	epoch  uint64 // the one it is counted into
	events uint64 // broadcasts that it makes up

	members []member[T] // who is being offered the event now
	next    int         // the first of them that has not been

	offering bool // a panic now is in a sink: not the caller's
	located  bool // point is the event's
	keyed    bool // there are Regions other than the zero Region: keys is the look-up

	point region.Point
	keys  region.Matches[member[T]]

	accepted, full, closed int
}

func (w *walk[T]) enter() {
	w.epoch = w.fanout.grace.enter()
	step("broadcast:entered")
	if w.fanout.single && !w.fanout.grace.alone() {
		w.fanout.grace.leave(w.epoch, 0)
		panic(&MisuseError{what: "two Broadcasts overlap on a fan-out with Config.SingleWriter: " +
			"serialise its writers, don't broadcast from inside a Broadcast, or leave SingleWriter unset"})
	}
}

// leave counts the broadcasts as finished, and what they did before that: once the count says nobody
// is inside, the figures are whole.
func (w *walk[T]) leave() {
	f := w.fanout
	if n := w.accepted + w.full + w.closed; n > 0 {
		f.grace.mark[w.epoch&1].matched.Add(uint64(n))
		if w.full > 0 {
			f.counters.prunedFull.Add(uint64(w.full))
		}
		if w.closed > 0 {
			f.counters.prunedClosed.Add(uint64(w.closed))
		}
	}
	step("broadcast:leaving")
	f.grace.leave(w.epoch, w.events)
}

func (w *walk[T]) outcome(live int64) Outcome {
	pruned := w.full + w.closed
	return Outcome{Live: int(live), Matched: w.accepted + pruned, Accepted: w.accepted, Pruned: pruned}
}

// broadcast takes one event past everybody: first those with the zero Region, for whom nothing needs to
// be looked up, then those whose Regions match its Point. The look-up begins before the first of them is
// offered anything, so that its memory comes meanwhile.
func (w *walk[T]) broadcast(v *T) {
	w.events++
	w.located, w.keyed = false, w.fanout.index.Selective()
	if w.keyed {
		w.locate(v)
		w.keys.Begin(w.fanout.index, &w.point)
		step("broadcast:located")
	}
	w.offerTo(w.fanout.index.Everything(), v)
	w.offerKeys(v)
}

// offerKeys takes the event past those whose Regions match its Point, where there are such Regions.
func (w *walk[T]) offerKeys(v *T) {
	if !w.keyed {
		return
	}
	for key := w.keys.Next(&w.point); key != nil; key = w.keys.Next(&w.point) {
		w.offerTo(key.Members(), v)
	}
}

// offerTo offers the event to each of the members. A panic in a sink ends only the turn of that sink.
func (w *walk[T]) offerTo(members []member[T], v *T) {
	w.members, w.next = members, 0
	for w.next < len(w.members) {
		w.offer(v)
	}
}

// offer offers the event to the members from next on, until the last or until a sink panics.
func (w *walk[T]) offer(v *T) {
	w.offering = true
	defer w.rescue(v)
	for w.next < len(w.members) {
		m := &w.members[w.next]
		w.next++
		n := m.node
		state := n.state().Load()
		if !offerable(state) {
			w.passOver(n, state, v)
			continue
		}
		step("broadcast:offering")
		if m.out == nil {
			w.judge(n, n.sink.Offer(*v), v)
			continue
		}
		if sabotage() {
			w.accepted++
			continue
		}
		select {
		case m.out <- *v:
			w.accepted++
			if w.fanout.lag != nil {
				w.fanout.gauge(n, state, len(m.out), cap(m.out))
			}
		default:
			w.refused(n, Full, len(m.out), nil, v)
		}
	}
	w.offering = false
}

// locate calls Config.Locate, at most once an event.
func (w *walk[T]) locate(v *T) {
	if w.located {
		return
	}
	if w.fanout.locate != nil {
		w.point = w.fanout.locate(*v)
	} else {
		w.point = region.Point{}
	}
	w.located = true
}

// judge acts on the Verdict of a sink that is more than a channel. A Verdict that isn't one is Closed.
func (w *walk[T]) judge(n *node[T], verdict Verdict, v *T) {
	f := w.fanout
	if verdict == Accepted {
		if f.lag != nil {
			held, capacity := f.held(n.sink)
			f.gauge(n, n.state().Load(), held, capacity)
		}
		w.accepted++
		return
	}
	if verdict > Closed {
		verdict = Closed
	}
	held, _ := f.held(n.sink)
	w.refused(n, verdict, held, nil, v)
}

// rescue looks at how offer came to its end. A panic in a sink prunes that sink, and the walk goes on;
// one in Config.Locate goes on to the caller. A sink that calls runtime.Goexit takes its caller's
// goroutine with it, but the others get their event first.
func (w *walk[T]) rescue(v *T) {
	if !w.offering {
		return
	}
	w.offering = false
	value := recover()
	if misuse, ok := value.(*MisuseError); ok {
		panic(misuse)
	}
	w.fanout.counters.panics.Add(1)
	m := &w.members[w.next-1]
	held := len(m.out)
	if m.out == nil {
		held, _ = w.fanout.held(m.node.sink)
	}
	w.refused(m.node, Closed, held, newPanicError(value), v)
	if value != nil {
		return
	}
	for w.next < len(w.members) {
		w.offer(v)
	}
	w.offerKeys(v)
}
