package core

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spillwayhq/spillway/region"
)

// A Fanout offers each event that is broadcast to the subscriptions it concerns. It is made by New,
// and all its methods may be called from any goroutine. It starts a goroutine of its own when
// something ends, which stops when that is done; Wait waits for it.
type Fanout[T any] struct {
	counters counters

	name   string
	locate func(T) region.Point
	direct bool // T is an event of this package, and locate its own Point: it is read, not called
	single bool
	told   Observer
	lag    LagObserver // told, where it is one

	index *region.Index[member[T]]

	// people is the population.
	//   written by: Subscribe before it opens, whoever ends one, the reaper when Done is closed, Close; by Add
	//   read by:    every broadcast, first; HasSubscribers, Len, Stats
	//   order:      raised before the state says opened: a broadcast that begins after Subscribe returned sees it
	//               an end is counted before it can come to the reaper, who counts it out: no part falls below 0
	people atomic.Int64

	grace grace

	// What ends, on its way to the reaper; see prune.go and reaper.go.
	retired retireList
	chores  choreList[T]
	// reaping says whether a reaper exists.
	//   written by: whoever pushes, by compare-and-swap to true; the reaper, to false, and then it looks again
	//   read by:    the same
	//   order:      pushed first, looked at second: either the reaper's last look finds the push, or the push finds no reaper
	reaping atomic.Bool
	reap    func()   // (*Fanout).reaper, bound once: go f.reap() allocates nothing
	batch   batch[T] // the reaper's

	// mu guards the control plane. No broadcast takes it; no user code runs under it.
	mu      sync.Mutex
	nodes   []*node[T] // all that are registered
	lossy   map[*node[T]]lossySink
	watches map[<-chan struct{}]*watch
	sites   sites
	lastID  uint64
	closed  bool

	mostWatches int    // the most there have been since watches was made
	lost        uint64 // by sinks that have ended

	broadcasts, accepted uint64 // what Stats has said last: its sums dip while a mark is handing over
}

// New returns a Fanout without subscriptions.
func New[T any](cfg Config[T]) *Fanout[T] {
	f := &Fanout[T]{
		name:   cfg.Name,
		locate: cfg.Locate,
		single: cfg.SingleWriter,
		told:   cfg.Observer,
		direct: isOwnPoint(cfg.Locate),
		index:  region.NewIndex[member[T]](),
	}
	f.lag, _ = cfg.Observer.(LagObserver)
	f.grace.wake = make(chan struct{}, 1)
	f.reap = f.reaper
	f.counters.born = time.Now()
	return f
}

// Name returns Config.Name.
func (f *Fanout[T]) Name() string { return f.name }

// SingleWriter returns Config.SingleWriter: adapters choose their queues by it.
func (f *Fanout[T]) SingleWriter() bool { return f.single }

// Point returns where v is, by Config.Locate; ok is false where there is none.
func (f *Fanout[T]) Point(v T) (p region.Point, ok bool) {
	if f.locate == nil {
		return region.Point{}, false
	}
	return f.locate(v), true
}

// HasSubscribers tells whether a Broadcast would find anyone: one atomic load. A writer to whom an
// event is dear to make asks first.
func (f *Fanout[T]) HasSubscribers() bool { return f.population().live() > 0 }

// Len returns how many subscriptions are live.
func (f *Fanout[T]) Len() int { return f.population().live() }

// Subscriptions returns what there is to know of each subscription that has begun and is not over, in
// no order. It is a copy made when the loop begins; the loop's body may call anything.
func (f *Fanout[T]) Subscriptions() iter.Seq[Info] {
	return func(yield func(Info) bool) {
		for _, n := range f.registered() {
			if n.live() && !yield(f.infoOf(ending[T]{node: n})) {
				return
			}
		}
	}
}

// Cancel ends the subscription of an ID, as its CancelCause does, for whoever has the ID from an Info alone. It returns false where none of
// that ID lives. It looks through all of them.
func (f *Fanout[T]) Cancel(id uint64, cause error) bool {
	for _, n := range f.registered() {
		if n.id == id && n.live() {
			n.CancelCause(cause)
			return true
		}
	}
	return false
}

// Close ends every subscription with ErrClosed, and lets no other begin. It returns nil, at once: the
// ends are the reaper's work, and Wait waits for them. A Broadcast that begins later finds nobody.
func (f *Fanout[T]) Close() error {
	f.mu.Lock()
	first := !f.closed
	if first {
		f.closed = true
		f.count(closedWhole)
	}
	f.mu.Unlock()
	if first {
		f.assign(&chore[T]{kind: choreClose})
	}
	return nil
}

// Wait returns nil when everything that ended before the call is done: sinks closed, Observers told,
// Done closed. A context that is over counts as an end, also if its function hasn't run yet; a Subscribe
// that has not returned is not waited for. It must not be called from a handler, a sink's Close or an
// Observer: it would wait for itself. If ctx ends first, Wait returns its cause.
func (f *Fanout[T]) Wait(ctx context.Context) error {
	over, due := f.overNow()
	for _, w := range due {
		f.fire(w)
	}
	c := &chore[T]{kind: choreBarrier, passed: make(chan struct{})}
	f.assign(c)
	select {
	case <-c.passed:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	// What another goroutine had ended, and not yet put on the retire list, came after the barrier.
	for _, n := range over {
		select {
		case <-n.Done():
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// overNow returns the subscriptions that Wait waits for, of those that the reaper has not taken out, and
// the watches whose contexts are over.
func (f *Fanout[T]) overNow() (over []*node[T], due []*watch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for done, w := range f.watches {
		select {
		case <-done:
			due = append(due, w)
		default:
		}
	}
	late := make(map[*watch]bool, len(due))
	for _, w := range due {
		late[w] = true
	}
	for _, n := range f.nodes {
		state := n.state().Load()
		if state&opened != 0 && (state&phaseMask != phaseLive || f.closed || late[n.watch]) {
			over = append(over, n)
		}
	}
	return over, due
}
