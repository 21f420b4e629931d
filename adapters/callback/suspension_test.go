//go:build spillway_steps

package callback_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/spillwayhq/spillway/adapters/callback"
	"github.com/spillwayhq/spillway/adapters/internal/steptest"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

type (
	event     = steptest.Event
	operation = steptest.Operation[*scene]
)

var operations = []operation{
	{Name: "Broadcast", Open: open(false), Do: (*scene).broadcast, Steps: []string{
		"queue:seen-room", "queue:claimed", "callback:put", "callback:starting",
	}},
	{Name: "Broadcast of the only writer", Open: open(true), Do: (*scene).broadcast, Steps: []string{
		"queue:written", "callback:put", "callback:starting",
	}},
	{Name: "call", Open: open(false), Do: (*scene).handle, Steps: []string{"queue:taken", "callback:calling", "callback:found-nothing", "callback:said-idle"}},
	{Name: "call of the only writer's", Open: open(true), Do: (*scene).handle, Steps: []string{"queue:taken", "callback:calling", "callback:found-nothing", "callback:said-idle"}},
	{Name: "panic", Open: open(false), Do: (*scene).panics, Steps: []string{"callback:finishing", "callback:closed"}},
	{Name: "Cancel", Open: open(false), Do: (*scene).cancel, Steps: []string{"callback:stopped", "callback:finishing", "callback:closed"}},
	{Name: "Cancel in the call", Open: open(false), Do: (*scene).quit, Steps: []string{"callback:stopped", "callback:finishing", "callback:closed"}},
	{Name: "context", Open: open(false), Do: (*scene).expire, Steps: []string{"callback:closed", "callback:finishing"}},
	{Name: "prune", Open: open(false), Do: (*scene).overflow, Steps: []string{"callback:closed", "callback:finishing"}},
}

// TestSuspension stops one goroutine at every named step of every operation in turn. Every other goroutine's 10,000
// broadcasts still finish, and are all handled; what waits for the one that is stopped is handled when it goes on.
func TestSuspension(t *testing.T) {
	steptest.Suspend(t, operations, ".", "../internal/queue")
}

// A scene is what a suspension takes place in.
type scene struct {
	t       *testing.T
	f       *core.Fanout[event]
	all     *callback.Subscription // gets everything that anybody broadcasts on f, and has room for it
	called  steptest.Taken         // by all
	handled chan struct{}          // has a token when all was called with an event of the victim's
	sent    atomic.Int64           // on f
	others  []*other
}

// An other is a writer besides the victim, with callbacks of its own.
type other struct {
	f      *core.Fanout[event]
	who    string
	sub    *callback.Subscription
	called steptest.Taken
	last   chan struct{} // closed when sub was called with the last event
	stuck  *callback.Subscription
	free   chan struct{} // closed at the end: what stuck waits for
}

const stuckQueue = 10

func open(single bool) func(*testing.T, <-chan struct{}) *scene {
	return func(t *testing.T, _ <-chan struct{}) *scene {
		c := &scene{t: t, f: steptest.Fanout(single), handled: make(chan struct{}, 10)}
		c.all = subscribe(t, c.f, 3*steptest.Broadcasts, func(e event) {
			if c.called.Add(e); e.Who == "victim" {
				c.handled <- struct{}{}
			}
		})
		if single {
			c.others = []*other{newOther(t, steptest.Fanout(true), "r")}
		} else {
			c.others = []*other{newOther(t, c.f, "r"), newOther(t, c.f, "s")}
		}
		return c
	}
}

func newOther(t *testing.T, f *core.Fanout[event], who string) *other {
	o := &other{f: f, who: who, last: make(chan struct{}), free: make(chan struct{})}
	its := func(queue int, fn func(event)) *callback.Subscription {
		s, err := callback.Subscribe(context.Background(), f, region.Region{Entity: who}, callback.Options{Queue: queue}, fn)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	o.stuck = its(stuckQueue, func(event) { <-o.free })
	o.sub = its(steptest.Broadcasts, func(e event) {
		if o.called.Add(e); e.Seq == steptest.Broadcasts-1 {
			close(o.last)
		}
	})
	return o
}

func (c *scene) broadcastAs(who string) {
	c.f.Broadcast(event{Who: who, Seq: uint64(c.sent.Add(1))})
}

func (c *scene) broadcast() { c.broadcastAs("victim") }

// handle has the goroutine called that is the victim here.
func (c *scene) handle() {
	c.broadcast()
	<-c.handled
}

// end makes a subscription for one event at a time and one's own, has it ended, and waits for that.
func (c *scene) end(fn func(*callback.Subscription), by func(s *callback.Subscription, cancel context.CancelFunc)) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var s *callback.Subscription
	s, err := callback.Subscribe(ctx, c.f, region.Region{Entity: "mine"}, callback.Options{Queue: 1}, func(event) { fn(s) })
	if err != nil {
		c.t.Error(err)
		return
	}
	by(s, cancel)
	<-s.Done()
	if err := s.Wait(context.Background()); err != nil {
		c.t.Error(err)
	}
}

func (c *scene) mine(*callback.Subscription, context.CancelFunc) { c.broadcastAs("mine") }

func (c *scene) panics() { c.end(func(*callback.Subscription) { panic("mine") }, c.mine) }
func (c *scene) quit()   { c.end((*callback.Subscription).Cancel, c.mine) }

func (c *scene) cancel() {
	c.end(nil, func(s *callback.Subscription, _ context.CancelFunc) { s.Cancel() })
}

func (c *scene) expire() {
	c.end(nil, func(_ *callback.Subscription, cancel context.CancelFunc) { cancel() })
}

func (c *scene) overflow() {
	c.end(func(s *callback.Subscription) { <-s.Done() }, func(*callback.Subscription, context.CancelFunc) {
		for range 3 {
			c.broadcastAs("mine")
		}
	})
}

func (c *scene) Others() (others []func()) {
	for _, o := range c.others {
		others = append(others, func() { steptest.Writer(o.f, o.who)(); <-o.last })
	}
	return others
}

func (c *scene) Settle() {
	c.t.Helper()
	want := c.sent.Load()
	_ = c.f.Close()
	for _, o := range c.others {
		if o.f == c.f {
			want += steptest.Broadcasts
		}
		_ = o.f.Close()
		close(o.free)
		wait(c.t, o.f, o.sub, o.stuck)
		o.check(c.t)
	}
	wait(c.t, c.f, c.all)
	if got := len(c.called.Events(c.t)); got != int(want) {
		c.t.Errorf("called with %d of %d", got, want)
	}
}

// check looks whether its callback was called with everything in its order, and the one that is stuck was pruned.
func (o *other) check(t *testing.T) {
	t.Helper()
	got := o.called.Events(t)
	for n, e := range got {
		if e != (event{Who: o.who, Seq: uint64(n)}) {
			t.Fatalf("call %d was with %v", n, e)
		}
	}
	var pruned *core.PrunedError
	if !errors.As(o.stuck.Err(), &pruned) || len(got) != steptest.Broadcasts {
		t.Fatalf("%d calls; the stuck one: %v", len(got), o.stuck.Err())
	}
	// One may be on its way to the function.
	if pruned.Missed < stuckQueue || pruned.Missed > stuckQueue+1 {
		t.Errorf("a queue of %d was pruned at event %d", stuckQueue, pruned.Missed)
	}
}
