package core

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
//
// It is small enough to be inlined into its caller, which then hands on a pointer to its own copy of v; with one
// node more in it, it is not, and every event is copied twice on its way. docs/decisions/0007 has the figures.
func (f *Fanout[T]) Broadcast(v T) (out Outcome) {
	if f.people.Load() != 0 {
		out = f.broadcast(&v)
	}
	return out
}

func (f *Fanout[T]) broadcast(v *T) Outcome {
	now := f.population()
	if now <= 0 { // nobody any more, or closed
		return Outcome{}
	}
	var w walk[T] // field by field: a literal would be put together elsewhere and copied
	w.fanout, w.live, w.lone = f, now.live(), true
	if f.index.Selective() {
		w.lookUp(v)
	} else {
		w.passAll(v, nil)
	}
	return w.outcome()
}

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

// broadcastChunk broadcasts vs within one stay in the grace.
func (f *Fanout[T]) broadcastChunk(vs []T) (out Outcome) {
	var w walk[T]
	w.fanout = f
	defer w.leave() // Locate may panic, or a sink exit
	for i := range vs {
		now := f.population()
		if now <= 0 {
			break
		}
		if w.live = now.live(); i == 0 {
			out.Live = w.live
		}
		w.located = false
		if f.index.Selective() {
			w.lookUp(&vs[i])
		} else {
			w.passAll(&vs[i], nil)
		}
	}
	live := out.Live
	out = w.outcome()
	out.Live = live
	return out
}
