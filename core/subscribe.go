package core

import (
	"context"
	"time"

	"github.com/spillwayhq/spillway/region"
)

// Subscribe registers s for the events whose Points r matches. A broadcast that begins after Subscribe
// has returned reaches it; one that ended before the call never does; one under way meanwhile, the one
// whose handler calls Subscribe too, may or may not. The subscription ends by its Cancel, with ctx, when
// s refuses an event, or with the Fanout; s.Close is then called, once.
//
// It refuses with ErrNilSink, ErrLiveClock, r's own error, ErrClosed or, for a context that is already
// over, an error that is both ErrCancelled and the context's cause. A Subscribe that fails offers nothing
// and never calls s.Close. A sink serves one subscription at a time. Contexts that share a Done channel are
// watched as one, and the first of them is kept until the last of their subscriptions is over.
func (f *Fanout[T]) Subscribe(ctx context.Context, r region.Region, s Sink[T]) (*Subscription, error) {
	at := callers()
	if s == nil {
		return nil, ErrNilSink
	}
	if !r.Clock.IsZero() {
		return nil, ErrLiveClock
	}
	if err := r.Validate(); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		if f.population().closed() {
			return nil, ErrClosed
		}
		return nil, overErr(ctx)
	}
	n := &node[T]{fanout: f}
	n.self = n
	n.since = time.Now().UnixNano()
	n.missed.Store(noSequence)
	m := member[T]{node: n, sink: s}
	if c, ok := s.(chanSink[T]); ok {
		if m.out = c.Chan(); m.out == nil {
			return nil, ErrNilSink
		}
	}
	n.entry = region.NewEntry(r, m)
	if a, ok := s.(attachSink); ok {
		f.mu.Lock()
		f.number(n) // it may ask
		f.mu.Unlock()
		n.attach(a)
	}
	if err := f.enroll(ctx, n, at); err != nil {
		n.refuse(err)
		return nil, err
	}
	f.announce(n)
	return &n.Subscription, nil
}

// attach shows a sink its Subscription. One that panics or exits keeps what is over: Subscribe doesn't return.
func (n *node[T]) attach(a attachSink) {
	returned := false
	defer func() {
		if !returned {
			n.refuse(ErrCancelled)
		}
	}()
	a.Attach(&n.Subscription)
	returned = true
}

// enroll puts n into the registry and the index, not yet opened, and under its context's watch.
func (f *Fanout[T]) enroll(ctx context.Context, n *node[T], at site) error {
	done := ctx.Done()
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return ErrClosed
	}
	var w *watch
	fresh := false
	if done != nil {
		w, fresh = f.watchFor(ctx, done, n)
	}
	n.site = f.sites.intern(at)
	f.register(n)
	step("subscribe:registered")
	f.mu.Unlock()
	f.counters.subscribed.Add(1)
	if fresh {
		step("subscribe:arming")
		armed := false
		defer func() {
			if !armed { // a method of the context's panicked, which is the caller's: nothing is left behind
				n.end(&errCancelled)
				f.open(n)
			}
		}()
		f.arm(w)
		armed = true
	}
	return nil
}

// announce tells the Observer, and then opens n.
func (f *Fanout[T]) announce(n *node[T]) {
	if f.told != nil {
		defer f.open(n) // also when the Observer calls runtime.Goexit: then there is nobody to return to
		returned := false
		defer func() {
			if !returned {
				err := error(newPanicError(nil))
				n.end(&err)
			}
		}()
		f.guard(func() { f.inform(ending[T]{node: n}, f.told.Subscribed) })
		returned = true
		return
	}
	f.open(n)
}

// open makes n visible to broadcasts, by one store, unless it was cancelled meanwhile.
func (f *Fanout[T]) open(n *node[T]) {
	step("subscribe:opening")
	f.count(oneLive)
	if n.appear() {
		step("subscribe:opened")
		return
	}
	// Counted before it is opened: from then on its canceller may have it seen off, and counted out.
	f.count(oneRetiring - oneLive)
	f.counters.cancelled.Add(1)
	before := n.state().Or(opened)
	step("subscribe:opened")
	if before&ready != 0 {
		f.enqueue(n)
	}
}

// refuse ends n, which was never registered: an Attach may have kept the Subscription. Nothing of the
// user's is called.
func (n *node[T]) refuse(err error) {
	own := n.entry.Member() // nobody else has come to it: it was never registered
	own.sink, own.out = nil, nil
	if _, won := n.turn(phaseCancelled); won {
		n.cause = &err
		n.state().Or(ready)
	}
	if n.state().Or(opened)&ready != 0 {
		n.speak()
		n.closeDone()
	} // else it is being cancelled, and its canceller leaves the rest to the reaper
}

// end is Cancel: it turns the phase, says why, and puts n on the retire list.
func (n *node[T]) end(cause *error) {
	f := n.fanout
	before, won := n.turn(phaseCancelled)
	if !won {
		return
	}
	step("cancel:won")
	closed := f.population().closed()
	if before&opened != 0 {
		f.count(oneRetiring - oneLive)
		f.counters.cancelled.Add(1)
	}
	if closed {
		cause = &errClosed // Close came first; the reaper has just not got here yet
	}
	n.cause = cause
	before = n.state().Or(ready)
	step("cancel:ready")
	if before&opened != 0 {
		f.enqueue(n)
	}
}
