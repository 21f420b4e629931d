//go:build spillway_steps

package callback_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/adapters/callback"
	"github.com/spillwayhq/spillway/adapters/internal/steptest"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A handled is a callback and what it was called with. It is used in a bubble, and looked at when all is still.
type handled struct {
	t       *testing.T
	f       *core.Fanout[int]
	s       *callback.Subscription
	cancel  context.CancelFunc // of its context
	calls   []int
	running int
	fn      func(int)
}

func newHandled(t *testing.T, single bool, fn func(int)) *handled {
	h := &handled{t: t, f: numbers(single), fn: fn}
	ctx, cancel := context.WithCancel(context.Background())
	h.cancel = cancel
	s, err := callback.Subscribe(ctx, h.f, region.Region{}, callback.Options{Queue: 10}, h.call)
	if err != nil {
		t.Fatal(err)
	}
	h.s = s
	return h
}

func (h *handled) call(n int) {
	h.calls = append(h.calls, n)
	if h.running++; h.running > 1 {
		h.t.Error("two calls at a time")
	}
	defer func() { h.running-- }()
	if h.fn != nil {
		h.fn(n)
	}
}

// stop stops whoever comes to the step, on account of what do does or sets going.
func (h *handled) stop(step string, do func()) (goOn func()) {
	came := make(chan struct{})
	goOn = steptest.StopAt(h.t, step, func() { do(); <-came })
	close(came)
	return goOn
}

func (h *handled) want(when string, calls ...int) {
	h.t.Helper()
	synctest.Wait()
	if !slices.Equal(h.calls, calls) {
		h.t.Errorf("%s: called with %v, want %v", when, h.calls, calls)
	}
}

// wantOver looks whether Wait says now that no call runs or ever will.
func (h *handled) wantOver(when string, over bool) {
	h.t.Helper()
	synctest.Wait()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := h.s.Wait(ctx); (err == nil) != over {
		h.t.Errorf("%s: Wait says %v, want it over: %v", when, err, over)
	}
}

// end ends what is left, and looks whether it ends.
func (h *handled) end() {
	h.cancel()
	_ = h.f.Close()
	wait(h.t, h.f, h.s)
}

// An event that comes while the goroutine finds nothing more to do is handled, by that one or by another; nothing comes
// after it.
func TestH85PutWhileTheLastCallEnds(t *testing.T) {
	for _, step := range []string{"callback:found-nothing", "callback:said-idle"} {
		for _, single := range []bool{false, true} {
			t.Run(step, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := newHandled(t, single, nil)
					goOn := h.stop(step, func() { h.f.Broadcast(0) })
					h.want("stopped", 0)
					h.f.Broadcast(1)
					if step == "callback:said-idle" {
						h.want("another goroutine takes it", 0, 1)
					} else {
						h.want("it is for the one that is stopped", 0)
					}
					goOn()
					h.want("going on", 0, 1)
					h.f.Broadcast(2)
					h.want("at the end", 0, 1, 2)
					h.end()
				})
			})
		}
	}
}

// A writer that stops in mid-put has its event handled when it goes on, and what came meanwhile no later than that.
func TestH85WriterStopsWhileTheLastCallEnds(t *testing.T) {
	for step, meanwhile := range map[string][]int{"queue:seen-room": {0, 2}, "queue:claimed": {0}, "callback:put": {0, 1, 2}, "callback:starting": {0}} {
		t.Run(step, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHandled(t, false, nil)
				h.f.Broadcast(0)
				h.want("before", 0)
				goOn := h.stop(step, func() { h.f.Broadcast(1) })
				h.want("stopped", 0)
				h.f.Broadcast(2)
				h.want("another event", meanwhile...)
				goOn()
				if step == "queue:seen-room" {
					h.want("going on", 0, 2, 1)
				} else {
					h.want("going on", 0, 1, 2)
				}
				h.end()
			})
		})
	}
}

// Two goroutines meet: the one that has said it is idle goes on while the next is in a call, and more waits. It leaves that
// to the other.
func TestOneCallAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		h := newHandled(t, false, func(n int) {
			if n == 1 {
				<-release
			}
		})
		goOn := h.stop("callback:said-idle", func() { h.f.Broadcast(0) })
		broadcast(h.f, 1, 4)
		h.want("the next goroutine is in a call", 0, 1)
		goOn()
		h.want("the first goes on", 0, 1)
		close(release)
		h.want("the call returns", 0, 1, 2, 3)
		h.end()
	})
}

// An end that finds the goroutine at any step: Cancel and the context let no call be taken up any more, Close lets what was
// accepted be handled; and Wait says that it is over when it is, not before.
func TestH69EndAtEachStep(t *testing.T) {
	type state struct {
		calls []int // when it is stopped
		taken []int // what it has taken up by then
		runs  bool
	}
	steps := map[string]state{
		"callback:starting":      {nil, nil, true},
		"queue:taken":            {nil, []int{0}, true},
		"callback:calling":       {nil, []int{0}, true},
		"callback:found-nothing": {[]int{0}, []int{0}, true},
		"callback:said-idle":     {[]int{0}, []int{0}, false},
	}
	for name, c := range map[string]struct {
		end   func(h *handled)
		keeps bool // what was accepted is handled
	}{
		"Cancel":  {func(h *handled) { h.s.Cancel() }, false},
		"context": {func(h *handled) { h.cancel() }, false},
		"Close":   {func(h *handled) { _ = h.f.Close() }, true},
	} {
		for step, is := range steps {
			for _, more := range []bool{false, true} { // an event waits
				if more && !is.runs {
					continue // another goroutine would have it
				}
				t.Run(name+"/"+step+map[bool]string{true: ", an event waits"}[more], func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						h := newHandled(t, false, nil)
						goOn := h.stop(step, func() { h.f.Broadcast(0) })
						h.want("stopped", is.calls...)
						if more {
							h.f.Broadcast(1)
						}
						c.end(h)
						if step != "callback:starting" { // a broadcast is under way there: it is over after that
							<-h.s.Done()
						}
						h.want("ended", is.calls...)
						h.wantOver("ended", !is.runs)
						goOn()
						want := is.taken
						if c.keeps {
							want = []int{0, 1}[:1+map[bool]int{true: 1}[more]]
						}
						h.want("going on", want...)
						h.wantOver("going on", true)
						h.end()
					})
				})
			}
		}
	}
}

// Close comes when the goroutine has said that it is idle, and its last look will find what came before that: it is not
// over yet.
func TestCloseBeforeTheLastLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandled(t, false, nil)
		goOn := h.stop("callback:found-nothing", func() { h.f.Broadcast(0) })
		h.f.Broadcast(1)
		goOn = h.stop("callback:said-idle", goOn)
		_ = h.f.Close()
		<-h.s.Done()
		h.wantOver("an event waits", false)
		goOn()
		h.want("going on", 0, 1)
		h.wantOver("going on", true)
		h.end()
	})
}

// Of those who may be the last, each stops before it looks whether it is: another says that it is over, once, and before.
func TestFinishIsStoodInFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		h := newHandled(t, false, func(int) { <-release })
		h.f.Broadcast(0)
		h.want("before", 0)
		goOn := h.stop("callback:finishing", func() { h.s.Cancel() })
		h.wantOver("in the call", false)
		close(release)
		h.wantOver("the call has returned", true)
		goOn()
		h.wantOver("Cancel has returned", true)
		h.end()
	})
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		h := newHandled(t, false, func(int) { <-release })
		h.f.Broadcast(0)
		h.want("before", 0)
		h.s.Cancel()
		synctest.Wait()
		goOn := h.stop("callback:finishing", func() { close(release) }) // the run's
		h.s.Cancel()
		h.wantOver("no call runs", true)
		goOn()
		h.end()
	})
}

// The function panics while the Fanout is being closed, and the other way round: one of the two is the reason, nothing that
// waits is handled after it, and it is over once.
func TestH57PanicWhileClosing(t *testing.T) {
	for _, step := range []string{"callback:closed", "callback:finishing"} {
		t.Run("the reaper at "+step, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				h := newHandled(t, false, func(int) { <-release; panic("mine") })
				broadcast(h.f, 0, 3)
				h.want("before", 0)
				goOn := h.stop(step, func() {
					if step == "callback:closed" {
						_ = h.f.Close()
					} else {
						h.cancel() // after Close there is nothing to finish while an event waits
					}
				})
				h.wantOver("in the call", false)
				close(release)
				h.want("panicked", 0)
				h.wantOver("panicked", true)
				goOn()
				h.want("going on", 0)
				h.wantOver("going on", true)
				h.end()
				if h.s.Len() != 2 {
					t.Errorf("%d wait, want the 2 after the panic", h.s.Len())
				}
				if err := h.s.Err(); !errors.Is(err, core.ErrClosed) && !errors.Is(err, core.ErrCancelled) {
					t.Errorf("Err: %v, want the end that came first", err)
				}
			})
		})
	}
	t.Run("the panic at callback:finishing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newHandled(t, false, func(int) { panic("mine") })
			goOn := h.stop("callback:finishing", func() { broadcast(h.f, 0, 3) })
			_ = h.f.Close()
			h.s.Cancel()
			goOn()
			h.want("at the end", 0)
			h.wantOver("at the end", true)
			h.end()
			if panicked, ok := errors.AsType[*core.PanicError](h.s.Err()); !ok || panicked.Value != "mine" {
				t.Errorf("Err: %v, want the panic, which came first", h.s.Err())
			}
		})
	})
}
