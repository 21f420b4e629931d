//go:build spillway_steps

package latest_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/spillwayhq/spillway/adapters/internal/steptest"
	"github.com/spillwayhq/spillway/adapters/latest"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

type operation = steptest.Operation[*scene]

var operations = []operation{
	{Name: "Broadcast of a new key", Open: open, Do: (*scene).broadcast, Steps: []string{
		"latest:installing", "latest:ranking", "latest:ranked", "latest:filled", "latest:swapped", "latest:linking",
	}},
	{Name: "Broadcast of a new key that all have", Open: open, Do: (*scene).broadcastCommon, Steps: []string{
		"latest:installing", "latest:ranking", "latest:ranked", "latest:filled", "latest:swapped", "latest:linking",
	}},
	{Name: "Broadcast of a key that waits", Open: open, Before: (*scene).broadcastCommon, Do: (*scene).broadcastCommon, Steps: []string{
		"latest:filled",
	}},
	{
		Name: "Broadcast of a key that was read", Open: open, Do: (*scene).broadcastCommon,
		Before: func(c *scene) { c.broadcastCommon(); c.next() },
		Steps:  []string{"latest:filled", "latest:swapped", "latest:linking"},
	},
	{Name: "Broadcast that wakes", Open: open, Before: (*scene).park, Do: (*scene).broadcast, Steps: []string{"latest:linking", "park:waking"}},
	{Name: "Next", Open: reads, Before: (*scene).broadcast, Do: (*scene).next, Steps: []string{"latest:taking"}},
	{Name: "Next of a key that all have", Open: reads, Before: (*scene).broadcastCommon, Do: (*scene).next, Steps: []string{"latest:taking"}},
	{Name: "Next that waits", Open: open, Do: (*scene).next, Steps: []string{"park:said-parked"}},
	{
		Name: "Next that is woken for nothing", Open: open, Do: (*scene).next, Steps: []string{"park:woken"},
		Meanwhile: func(c *scene) { c.broadcast(); c.next() },
	},
	{
		Name: "Next that gives up", Open: open, Before: (*scene).park, Do: (*scene).next, Steps: []string{"park:waking"},
		Meanwhile: func(c *scene) { c.cancel() },
	},
	{Name: "End", Open: open, Do: (*scene).end, Steps: []string{"park:ended", "park:waking"}},
}

// TestSuspension stops one goroutine at every named step of every operation in turn. Every other goroutine's 10,000
// broadcasts still finish, and where it is no reader that is stopped the newest of each other key is read.
func TestSuspension(t *testing.T) {
	steptest.Suspend(t, operations, ".", "../internal/park")
}

// common is the key of every other event, whoever makes it.
const common = "common"

func keyOfEvent(e steptest.Event) string {
	if e.Seq%2 == 0 {
		return common
	}
	return e.Who
}

// A scene is what a suspension takes place in.
type scene struct {
	t      *testing.T
	f      *core.Fanout[steptest.Event]
	s      *latest.Subscription[steptest.Event, string] // gets everything that anybody broadcasts
	reads  bool                                         // the victim does, and so nobody else may
	ctx    context.Context                              // the victim's, as a reader
	cancel context.CancelFunc
	sent   atomic.Int64 // the victim's
	parked <-chan struct{}

	taken   steptest.Taken
	lasts   atomic.Int64    // how many others' last event was read
	all     context.Context // over when each was
	hasAll  context.CancelFunc
	reading sync.WaitGroup
}

var others = []string{"r", "s"}

func open(t *testing.T, parked <-chan struct{}) *scene {
	c := &scene{t: t, f: steptest.Fanout(false), parked: parked}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.all, c.hasAll = context.WithCancel(context.Background())
	t.Cleanup(func() { c.cancel(); c.hasAll() })
	c.s = subscribe(t, c.f, 2+len(others), keyOfEvent)
	return c
}

func reads(t *testing.T, parked <-chan struct{}) *scene {
	c := open(t, parked)
	c.reads = true
	return c
}

func (c *scene) broadcast()       { c.broadcastAs("victim", 1) }
func (c *scene) broadcastCommon() { c.broadcastAs("victim", 0) }

func (c *scene) broadcastAs(who string, odd uint64) {
	if out := c.f.Broadcast(steptest.Event{Who: who, Seq: 2*uint64(c.sent.Add(1)) + odd}); out.Pruned != 0 {
		c.t.Errorf("Broadcast: %+v", out)
	}
}

// read takes the next event, if there is one before ctx is over.
func (c *scene) read(ctx context.Context) bool {
	e, err := c.s.Next(ctx)
	if err != nil {
		return false
	}
	c.taken.Add(e)
	if e.Who != "victim" && e.Seq == steptest.Broadcasts-1 && c.lasts.Add(1) == int64(len(others)) {
		c.hasAll()
	}
	return true
}

func (c *scene) next() { c.read(c.ctx) }

// park makes somebody wait until the end.
func (c *scene) park() {
	c.reading.Go(func() {
		for c.read(context.Background()) {
		}
	})
	<-c.parked
}

// end has the reaper close a subscription that nobody's events go to.
func (c *scene) end() {
	s, err := latest.Subscribe(context.Background(), c.f, region.Region{Entity: "nobody"}, latest.Options{MaxKeys: 1}, keyOfEvent)
	if err != nil {
		c.t.Error(err)
		return
	}
	s.Cancel()
	<-s.Done()
}

func (c *scene) Others() (all []func()) {
	for _, who := range others {
		all = append(all, steptest.Writer(c.f, who))
	}
	if !c.reads {
		all = append(all, func() {
			for c.read(c.all) {
			}
			c.broadcast() // one for the victim, where that is a reader that waits
		})
	}
	return all
}

// Settle: every event was read once or replaced, and there is room for the keys that there are, not for one more.
func (c *scene) Settle() {
	c.t.Helper()
	c.broadcast()
	c.broadcastCommon()
	if out := c.f.Broadcast(steptest.Event{Who: "one too many", Seq: 1}); out.Pruned != 1 {
		c.t.Errorf("a key too many: %+v", out)
	}
	wait(c.t, c.f)
	c.reading.Wait()
	for c.read(context.Background()) {
	}
	if pruned, ok := errors.AsType[*core.PrunedError](c.s.Err()); !ok || pruned.Verdict != core.Full {
		c.t.Errorf("it ended with %v", c.s.Err())
	}
	taken, lost := len(c.taken.Events(c.t)), int(c.s.Lost())
	if want := int(c.sent.Load()) + len(others)*steptest.Broadcasts; taken+lost != want {
		c.t.Errorf("%d taken, %d lost: together %d, want %d", taken, lost, taken+lost, want)
	}
	if c.lasts.Load() != int64(len(others)) {
		c.t.Errorf("the last event of %d was read, want all %d", c.lasts.Load(), len(others))
	}
}
