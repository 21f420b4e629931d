package cursor

import (
	"context"
	"time"
)

// waits are the contexts that a Follower waits under. They are made anew when the caller comes with another context, or
// when it has been quiet for a while, and never for an event.
type waits struct {
	own   context.Context // the Follower's
	every time.Duration
	due   time.Time // when it will have been quiet for a while

	done     <-chan struct{} // of the caller's context that call was made for
	call     context.Context // ends with own and with the caller's
	stopCall func()
	idle     context.Context // ends with call, and when due; nil until somebody waits
	stopIdle context.CancelFunc
}

// under prepares for a caller's context. Two with one Done channel end together.
func (w *waits) under(ctx context.Context) {
	done := ctx.Done()
	if w.call != nil && done == w.done {
		return
	}
	w.release()
	w.done = done
	if done == nil || done == w.own.Done() {
		w.call = w.own
		return
	}
	call, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(w.own, func() { cancel(context.Cause(w.own)) })
	w.call, w.stopCall = call, func() { stop(); cancel(nil) }
}

// quiet returns the context for a wait that ends when nothing has come for a while.
func (w *waits) quiet() context.Context {
	if w.idle == nil {
		if w.due.IsZero() {
			w.due = time.Now().Add(w.every)
		}
		w.idle, w.stopIdle = context.WithDeadline(w.call, w.due)
	}
	return w.idle
}

// ticked tells whether a wait under quiet ended for nothing else, and begins another while.
func (w *waits) ticked() bool {
	if w.call.Err() != nil || w.idle == nil || w.idle.Err() == nil {
		return false
	}
	w.renew()
	return true
}

// late tells, without a wait, whether it is due, and begins another while.
func (w *waits) late() bool {
	if now := time.Now(); w.due.IsZero() {
		w.due = now.Add(w.every)
	} else if !now.Before(w.due) {
		w.renew()
		return true
	}
	return false
}

func (w *waits) renew() {
	w.dropIdle()
	w.due = time.Now().Add(w.every)
}

func (w *waits) dropIdle() {
	if w.idle != nil {
		w.stopIdle()
		w.idle, w.stopIdle = nil, nil
	}
}

// release gives back all but own.
func (w *waits) release() {
	w.dropIdle()
	if w.stopCall != nil {
		w.stopCall()
	}
	w.call, w.stopCall, w.done = nil, nil, nil
}
