package cursor

import (
	"fmt"
	"runtime/debug"
	"time"

	"github.com/spillwayhq/spillway/core"
)

// A handed is what became of events that were handed out.
type handed struct {
	done   int // so many of them, from the first, were handled
	answer Answer
	err    error
}

// call hands es to the handler.
func (w *Worker) call(es []core.Envelope) handed {
	var h handed
	if err := guarded(func() { w.callAll(es, &h) }); err != nil {
		h.err = err
	}
	return h
}

// callAll calls the handler, and notes in h what became of it, step by step: it may panic at any.
func (w *Worker) callAll(es []core.Envelope, h *handed) {
	if w.o.HandleBatch != nil {
		w.lent = append(w.lent[:0], es...)
		h.answer, h.err = w.o.HandleBatch(w.ctx, w.lent)
		h.judge(len(es))
		return
	}
	for i := range es {
		if i > 0 && w.ctx.Err() != nil {
			return
		}
		h.answer, h.err = w.o.Handle(w.ctx, es[i])
		h.judge(i + 1)
		if h.err != nil || h.answer != Continue {
			return
		}
		if w.o.Interval > 0 && time.Since(w.savedAt) >= w.o.Interval {
			return
		}
	}
}

// judge takes n events for handled if that is what was answered.
func (h *handed) judge(n int) {
	switch {
	case h.err != nil:
	case h.answer > StopWithRollback:
		h.err = fmt.Errorf("spillway/cursor: the handler answered %d", h.answer)
	case h.answer != StopWithRollback:
		h.done = n
	}
}

// guarded calls do on a goroutine of its own, and waits for it: do may panic, which is returned, and may exit.
func guarded(do func()) (err error) {
	done := make(chan struct{})
	go func() {
		returned := false
		defer func() {
			if !returned {
				value := recover()
				if value == nil {
					value = core.ErrGoexit
				}
				err = &core.PanicError{Value: value, Stack: debug.Stack()}
			}
			close(done)
		}()
		do()
		returned = true
	}()
	<-done
	return err
}
