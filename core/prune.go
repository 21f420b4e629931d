package core

import (
	"sync/atomic"
)

// passOver leaves out a subscription that is not open yet, or over. One that was pruned, and is not
// retired yet, learns if this event comes before what it missed first.
func (w *walk[T]) passOver(n *node[T], state uint32, v *T) {
	w.passed++
	switch state & phaseMask {
	case phasePrunedFull, phasePrunedClosed:
		w.miss(n, v)
	}
}

// refused ends a subscription whose sink did not take the event. On the writer's path that is one
// compare-and-swap, what the error will have to say, and a push on the retire list. Where another end
// came first the offer is in no count, and only a prune learns of the event.
func (w *walk[T]) refused(m *member[T], verdict Verdict, cause *PanicError, v *T) {
	f, n, held := w.fanout, m.node, len(m.out)
	phase := phasePrunedFull
	if verdict == Closed {
		phase = phasePrunedClosed
	}
	state, won := n.turn(phase)
	if !won {
		w.passOver(n, state, v)
		return
	}
	step("prune:won")
	f.count(oneRetiring - oneLive)
	if verdict == Closed {
		w.closed++
	} else {
		w.full++
	}
	if cause != nil {
		err := error(cause)
		n.cause = &err
	}
	// Deferred, both: Held may exit and Locate panic, and the subscription is over all the same.
	defer f.pruned(n)
	defer w.miss(n, v)
	if m.out == nil {
		held, _ = w.held(m)
	}
	n.held = uint32(max(0, held))
}

// miss lowers what n missed first to this event's sequence.
func (w *walk[T]) miss(n *node[T], v *T) {
	if w.fanout.locate == nil {
		return
	}
	before := w.stage
	w.stage = locating // a panic in Locate is the caller's
	if !w.located {
		defer func() {
			if !w.located { // Locate panicked or exited
				n.state().Or(unplaced)
			}
		}()
		w.sequence = w.fanout.locate(*v).Sequence
		w.located = true
	}
	w.stage = before
	n.lower(w.sequence)
	n.state().Or(placed)
}

func (f *Fanout[T]) pruned(n *node[T]) {
	n.state().Or(ready)
	step("prune:ready")
	f.enqueue(n)
}

// gauge warns, through the reaper, of a buffer that has become three quarters full.
func (f *Fanout[T]) gauge(n *node[T], state uint32, held, capacity int) {
	switch {
	case state&lagging == 0 && capacity > 0 && held >= capacity-capacity/4:
		if n.state().Or(lagging)&lagging == 0 {
			step("warn:marked")
			n.state().Or(warned)
			f.enqueue(n)
		}
	case state&lagging != 0 && held < capacity-capacity/2:
		n.state().And(^lagging)
	}
}

// enqueue puts n on the retire list, unless it is there already, and sees to it that there is a reaper.
func (f *Fanout[T]) enqueue(n *node[T]) {
	if n.state().Or(queued)&queued != 0 {
		return
	}
	step("retire:queued")
	f.retired.push(&n.Subscription)
	step("retire:pushed")
	f.kick()
}

// assign puts a chore on its list, and sees to it that there is a reaper.
func (f *Fanout[T]) assign(c *chore[T]) {
	f.chores.push(c)
	step("chore:pushed")
	f.kick()
}

// kick starts the reaper where there is none.
func (f *Fanout[T]) kick() {
	if !f.reaping.Load() && f.reaping.CompareAndSwap(false, true) {
		step("retire:reaping")
		go f.reap()
	}
}

// A retireList is a stack that many push on and the reaper takes whole (R. K. Treiber, 1986).
type retireList struct {
	// head is the last pushed.
	//   written by: push, by compare-and-swap; take, by Swap
	//   read by:    the same; empty
	//   order:      an item's next is written before the item is head; nothing is popped singly, so no ABA
	head atomic.Pointer[Subscription]
}

// push retries only when another push or a take got on.
func (l *retireList) push(s *Subscription) {
	for {
		s.next = l.head.Load()
		step("retire:linking")
		if l.head.CompareAndSwap(s.next, s) {
			return
		}
	}
}

func (l *retireList) empty() bool { return l.head.Load() == nil }

// take empties the list and returns it in the order of the pushes.
func (l *retireList) take() *Subscription {
	var first *Subscription
	for s := l.head.Swap(nil); s != nil; {
		s.next, first, s = first, s, s.next
	}
	return first
}

// A chore is what the reaper has to do besides retiring single subscriptions.
type chore[T any] struct {
	kind   choreKind
	watch  *watch        // choreWatch
	passed chan struct{} // choreBarrier: closed when all that came before is done
	next   *chore[T]
}

type choreKind uint8

const (
	choreWatch   choreKind = iota // a context is over: end what hangs on it
	choreClose                    // the Fanout is closed: end all
	choreBarrier                  // someone waits
)

// A choreList is a retireList of chores.
type choreList[T any] struct {
	// head is the last pushed; written and read as retireList.head is.
	head atomic.Pointer[chore[T]]
}

func (l *choreList[T]) push(c *chore[T]) {
	for {
		c.next = l.head.Load()
		if l.head.CompareAndSwap(c.next, c) {
			return
		}
	}
}

func (l *choreList[T]) empty() bool { return l.head.Load() == nil }

func (l *choreList[T]) take() *chore[T] {
	var first *chore[T]
	for c := l.head.Swap(nil); c != nil; {
		c.next, first, c = first, c, c.next
	}
	return first
}
