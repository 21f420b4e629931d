package callback

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/spillwayhq/spillway/adapters/internal/queue"
	"github.com/spillwayhq/spillway/adapters/internal/step"
	"github.com/spillwayhq/spillway/core"
)

// A sink is the queue, and the goroutine that takes from it while there is something to take.
//
//	Offer   puts ── running? no: sets it, and starts a goroutine
//	run     takes, calls ... finds nothing ── running = no ── looks once more
//
// Either the last look finds the event, or its Offer finds nobody running. docs/models/callback.pml is
// the proof.
type sink[T any] struct {
	ctx   context.Context
	fn    func(T)
	sub   *core.Subscription
	queue queue.Queue[T]
	limit int
	start func() // (*sink).run, bound once: go s.start() allocates nothing
	one   [1]T   // where run takes an event to

	// running says whether a goroutine takes and calls, or is about to.
	//   written by: Offer, run; to true by compare-and-swap; run, to false, and then it looks again
	//   read by:    the same; finish
	//   order:      put first, look second, on both sides
	running atomic.Bool

	// stopped says that no further call is to be taken up: by Cancel, or because the function panicked.
	//   written by: stop
	//   read by:    run, before it takes; finish
	//   order:      set before stop returns, so no call is taken up afterwards
	stopped atomic.Bool

	// closed says that nothing will be put any more.
	//   written by: Close
	//   read by:    finish
	//   order:      after the last Put
	closed atomic.Bool

	once sync.Once
	over chan struct{} // closed when no call runs or ever will
}

// newSink turns the runtime's panic over more than the address space into an error.
func newSink[T any](ctx context.Context, limit int, single bool, fn func(T)) (s *sink[T], err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %d: %v", ErrQueue, limit, r)
		}
	}()
	s = &sink[T]{ctx: ctx, fn: fn, queue: queue.New[T](limit, single), limit: limit, over: make(chan struct{})}
	s.start = s.run
	return s, nil
}

func (s *sink[T]) Attach(sub *core.Subscription) { s.sub = sub }

func (s *sink[T]) Offer(v T) core.Verdict {
	if !s.queue.Put(v) {
		return core.Full
	}
	step.At("callback:put")
	s.wake()
	return core.Accepted
}

// wake starts a goroutine where none takes.
func (s *sink[T]) wake() {
	if !s.running.Load() && s.running.CompareAndSwap(false, true) {
		step.At("callback:starting")
		go s.start()
	}
}

// run takes and calls until there is nothing to take, or nothing is to be taken up any more.
func (s *sink[T]) run() {
	returned := false
	defer func() {
		if !returned {
			s.broken(recover())
		}
	}()
	for {
		for s.call() {
		}
		step.At("callback:found-nothing")
		s.running.Store(false)
		step.At("callback:said-idle")
		if s.halted() || !s.queue.Ready() || !s.running.CompareAndSwap(false, true) {
			break
		}
	}
	returned = true
	s.finish()
}

// call takes one event and calls the function with it; false where there is none to be taken up.
func (s *sink[T]) call() bool {
	if s.halted() || s.queue.Take(s.one[:]) == 0 {
		return false
	}
	var none T
	v := s.one[0]
	s.one[0] = none
	step.At("callback:calling")
	s.fn(v)
	return true
}

// halted tells whether no call is to be taken up, whatever waits.
func (s *sink[T]) halted() bool { return s.stopped.Load() || s.ctx.Err() != nil }

// broken ends the subscription of a function that panicked with value, or called runtime.Goexit.
func (s *sink[T]) broken(value any) {
	if value == nil {
		value = core.ErrGoexit
	}
	cause := &core.PanicError{Value: value, Stack: debug.Stack()}
	s.stopped.Store(true)
	s.sub.CancelCause(cause)
	s.running.Store(false)
	s.finish()
}

// stop has no further call taken up.
func (s *sink[T]) stop() {
	s.stopped.Store(true)
	step.At("callback:stopped")
	s.finish()
}

// Close lets what was accepted be handled.
func (s *sink[T]) Close(error) {
	s.closed.Store(true)
	step.At("callback:closed")
	s.finish()
}

// finish says that no call runs or ever will, where that is so. Whoever makes it so calls it: who is last to say
// that it is over, the run that ends after that, and Wait, which sees a context end before Close is called. What is
// looked at last changes first: who takes from the queue says that it runs before.
func (s *sink[T]) finish() {
	if !s.halted() && (!s.closed.Load() || s.queue.Ready()) {
		return
	}
	step.At("callback:finishing")
	if !s.running.Load() {
		s.once.Do(func() { close(s.over) })
	}
}

func (s *sink[T]) finished() <-chan struct{} { return s.over }

// halting is closed when the subscriber's context is over.
func (s *sink[T]) halting() <-chan struct{} { return s.ctx.Done() }

// Held returns how many events wait.
func (s *sink[T]) Held() (held, capacity int) { return s.queue.Len(), s.limit }
