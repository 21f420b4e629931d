package core

import (
	"context"
	"maps"
)

// A watch ends the subscriptions of one context, however many share it: one context.AfterFunc, found
// by the context's Done channel. Its fields are under Fanout.mu, where not said otherwise.
type watch struct {
	ctx   context.Context
	done  <-chan struct{} // the context's, and the watch's key
	nodes []*Subscription
	fired bool        // the reaper has taken its nodes
	empty bool        // the last of its subscriptions has left; under its key there may be another watch
	stop  func() bool // takes back the AfterFunc; nil until that is armed
}

// cause returns why the context is over.
func (w *watch) cause() error { return overErr(w.ctx) }

func overErr(ctx context.Context) error { return &contextError{context.Cause(ctx)} }

// watchFor adds n to the watch of ctx. The watch is to be armed where it is new. Under f.mu.
func (f *Fanout[T]) watchFor(ctx context.Context, done <-chan struct{}, n *node[T]) (w *watch, fresh bool) {
	w = f.watches[done]
	if w == nil {
		w, fresh = &watch{ctx: ctx, done: done}, true
		if f.watches == nil {
			f.watches = make(map[<-chan struct{}]*watch)
		}
		f.watches[done] = w
		f.mostWatches = max(f.mostWatches, len(f.watches))
	}
	n.watch, n.watchPlace = w, uint32(len(w.nodes))
	w.nodes = append(w.nodes, &n.Subscription)
	return w, fresh
}

// arm lets the context fire its watch. Not under f.mu: a context may be of a user's own type. The
// subscription that the watch was made for is not open yet, so the watch is not empty meanwhile.
func (f *Fanout[T]) arm(w *watch) {
	stop := context.AfterFunc(w.ctx, func() { f.fire(w) })
	f.mu.Lock()
	w.stop = stop
	f.mu.Unlock()
}

// fire hands w to the reaper. Wait may do so as well as the AfterFunc: each pushes its own chore, so that
// Wait's barrier comes after one in any case, and the second finds nothing to do.
func (f *Fanout[T]) fire(w *watch) {
	f.assign(&chore[T]{kind: choreWatch, watch: w})
}

// unwatch takes n from its watch, and stops the watch where n was the last. Under f.mu; the
// stop, where there is one to make, is the caller's once it has let go of the mutex.
func (f *Fanout[T]) unwatch(n *node[T]) (stop func() bool) {
	w := n.watch
	if w == nil {
		return nil
	}
	n.watch = nil
	if w.fired {
		return nil
	}
	last := len(w.nodes) - 1
	w.nodes[n.watchPlace] = w.nodes[last]
	w.nodes[n.watchPlace].watchPlace = n.watchPlace
	w.nodes[last] = nil
	w.nodes = w.nodes[:last]
	if last > 0 {
		if last < cap(w.nodes)/4 {
			w.nodes = append(make([]*Subscription, 0, 2*last), w.nodes...)
		}
		return nil
	}
	w.empty = true
	f.forget(w)
	return w.stop
}

// forget takes w from the watches. A map never shrinks: one that is mostly empty is copied. Under f.mu.
func (f *Fanout[T]) forget(w *watch) {
	delete(f.watches, w.done)
	if len(f.watches) >= f.mostWatches/4 && len(f.watches) > 0 {
		return
	}
	left := make(map[<-chan struct{}]*watch, len(f.watches))
	maps.Copy(left, f.watches)
	f.watches, f.mostWatches = left, len(left)
}

// take returns the subscriptions of a watch that has fired, for the reaper to end.
func (f *Fanout[T]) take(w *watch) []*Subscription {
	f.mu.Lock()
	defer f.mu.Unlock()
	if w.fired {
		return nil
	}
	w.fired = true
	nodes := w.nodes
	w.nodes = nil
	if !w.empty {
		f.forget(w)
	}
	return nodes
}

// endAll ends what hangs on a context that is over. The context may be of a user's own type, whose methods panic.
func (f *Fanout[T]) endAll(w *watch) {
	subs := f.take(w)
	if len(subs) == 0 {
		return // it was fired twice
	}
	cause := ErrCancelled
	defer func() {
		for _, s := range subs {
			s.self.end(&cause)
		}
	}()
	f.slowly(func() { cause = w.cause() })
}
