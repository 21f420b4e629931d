//go:build spillway_steps

package ring_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/spillwayhq/spillway/adapters/internal/steptest"
	"github.com/spillwayhq/spillway/adapters/ring"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

type (
	event     = steptest.Event
	operation = steptest.Operation[*scene]
)

const broadcasts = steptest.Broadcasts

var operations = []operation{
	{Name: "single/Broadcast", Open: open(single), Do: (*scene).broadcast, Steps: []string{"queue:written"}},
	{Name: "shared/Broadcast", Open: open(shared), Do: (*scene).broadcast, Steps: []string{"queue:seen-room", "queue:claimed"}},
	{Name: "overwriting/Broadcast", Open: open(overwriting), Do: (*scene).broadcast, Steps: []string{"ring:numbered", "ring:claimed", "ring:written"}},
	{Name: "single/Broadcast that wakes", Open: open(single), Before: (*scene).park, Do: (*scene).broadcast, Steps: []string{"queue:written", "park:waking"}},
	{Name: "shared/Broadcast that wakes", Open: open(shared), Before: (*scene).park, Do: (*scene).broadcast, Steps: []string{"queue:claimed", "park:waking"}},
	{Name: "overwriting/Broadcast that wakes", Open: open(overwriting), Before: (*scene).park, Do: (*scene).broadcast, Steps: []string{"ring:claimed", "park:waking"}},
	{Name: "single/Next", Open: reads(single), Before: (*scene).broadcast, Do: (*scene).next, Steps: []string{"queue:taken"}},
	{Name: "shared/Next", Open: reads(shared), Before: (*scene).broadcast, Do: (*scene).next, Steps: []string{"queue:taken"}},
	{Name: "overwriting/Next", Open: reads(overwriting), Before: (*scene).broadcast, Do: (*scene).next, Steps: []string{"ring:found"}},
	{Name: "single/Next that waits", Open: reads(single), Do: (*scene).next, Steps: []string{"park:said-parked"}},
	{Name: "shared/Next that waits", Open: reads(shared), Do: (*scene).next, Steps: []string{"park:said-parked"}},
	{Name: "overwriting/Next that waits", Open: reads(overwriting), Do: (*scene).next, Steps: []string{"park:said-parked"}},
	{
		Name: "shared/Next that is woken for nothing", Open: reads(shared), Do: (*scene).next, Steps: []string{"park:woken"},
		Meanwhile: func(c *scene) { c.broadcast(); c.next() },
	},
	{
		Name: "overwriting/Next that gives up", Open: reads(overwriting), Before: (*scene).park, Do: (*scene).next, Steps: []string{"park:waking"},
		Meanwhile: func(c *scene) { c.cancel() },
	},
	{Name: "single/End", Open: open(single), Do: (*scene).end, Steps: []string{"park:ended"}},
	{Name: "overwriting/End", Open: open(overwriting), Do: (*scene).end, Steps: []string{"park:ended"}},
}

// TestSuspension stops one goroutine at every named step of every operation in turn; every other goroutine's 10,000
// broadcasts still finish.
func TestSuspension(t *testing.T) {
	steptest.Suspend(t, operations, ".", "../internal/queue", "../internal/park")
}

const doors = 20 // a writer's rings of its own

// A scene is what a suspension takes place in.
type scene struct {
	t       *testing.T
	f       *core.Fanout[event]
	ring    *ring.Subscription[event] // gets everything that anybody broadcasts on f
	writers []*writer                 // besides the victim
	ctx     context.Context           // the victim's, as a reader
	cancel  context.CancelFunc
	sent    atomic.Int64

	taken   steptest.Taken
	readers sync.WaitGroup
	parked  <-chan struct{}
}

// open opens a scene in which the victim is the writer that a single ring may have; in that of reads it is a reader.
func open(v variety) func(*testing.T, <-chan struct{}) *scene {
	return func(t *testing.T, parked <-chan struct{}) *scene {
		c := newScene(t, v, parked)
		if v.single {
			c.writers = []*writer{newWriter(t, steptest.Fanout(true), "r")}
		} else {
			c.writers = []*writer{newWriter(t, c.f, "r"), newWriter(t, c.f, "s")}
		}
		return c
	}
}

func reads(v variety) func(*testing.T, <-chan struct{}) *scene {
	if !v.single {
		return open(v)
	}
	return func(t *testing.T, parked <-chan struct{}) *scene {
		c := newScene(t, v, parked)
		c.writers = []*writer{newWriter(t, c.f, "r")}
		return c
	}
}

func newScene(t *testing.T, v variety, parked <-chan struct{}) *scene {
	c := &scene{t: t, f: steptest.Fanout(v.single), parked: parked}
	c.ctx, c.cancel = context.WithCancel(t.Context())
	t.Cleanup(c.cancel)
	capacity := 3 * broadcasts // nothing is refused
	if v == overwriting {
		capacity = 64
	}
	c.ring = subscribe(t, c.f, v.of(capacity))
	return c
}

func (c *scene) Others() (others []func()) {
	for _, w := range c.writers {
		others = append(others, steptest.Writer(w.f, w.who))
	}
	return others
}

func (c *scene) broadcast() {
	if out := c.f.Broadcast(event{Who: "victim", Seq: uint64(c.sent.Add(1))}); out.Pruned != 0 {
		c.t.Errorf("Broadcast: %+v", out)
	}
}

func (c *scene) next() {
	v, err := c.ring.Next(c.ctx)
	if err == nil {
		c.taken.Add(v)
	}
}

// end has the reaper close a ring that nobody's events go to.
func (c *scene) end() {
	s, err := ring.Subscribe(c.ctx, c.f, region.Region{Entity: "nobody"}, ring.Options{Capacity: 1})
	if err != nil {
		c.t.Error(err)
		return
	}
	s.Cancel()
	<-s.Done()
}

// park makes a reader wait until the end.
func (c *scene) park() {
	c.readers.Go(func() {
		for v, err := range c.ring.All() {
			if err == nil {
				c.taken.Add(v)
			}
		}
	})
	<-c.parked
}

// A writer broadcasts besides the victim. Its own rings refuse one after the other.
type writer struct {
	f     *core.Fanout[event]
	who   string
	rings []*ring.Subscription[event]
	last  *ring.Subscription[event] // overwrites
}

func newWriter(t *testing.T, f *core.Fanout[event], who string) *writer {
	w := &writer{f: f, who: who}
	open := func(o ring.Options) *ring.Subscription[event] {
		s, err := ring.Subscribe(context.Background(), f, region.Region{Entity: who}, o)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for n := range doors {
		w.rings = append(w.rings, open(ring.Options{Capacity: n*broadcasts/doors + 1}))
	}
	w.last = open(ring.Options{Capacity: 3, WhenFull: ring.Overwrite})
	return w
}

// check looks whether each ring was given what it had room for, and says what it missed.
func (w *writer) check(t *testing.T) {
	t.Helper()
	for n, s := range w.rings {
		room := n*broadcasts/doors + 1
		got := drain(t, s)
		var pruned *core.PrunedError
		if len(got) != room || got[room-1] != (event{Who: w.who, Seq: uint64(room - 1)}) || !errors.As(s.Err(), &pruned) || pruned.Missed != uint64(room) {
			t.Errorf("ring %d of %s: got %d events, Err %v, want %d", n, w.who, len(got), s.Err(), room)
		}
	}
	want := []event{{Who: w.who, Seq: broadcasts - 3}, {Who: w.who, Seq: broadcasts - 2}, {Who: w.who, Seq: broadcasts - 1}}
	if got := drain(t, w.last); !slices.Equal(got, want) || w.last.Lost() != broadcasts-3 {
		t.Errorf("the overwriting ring of %s: got %v, %d lost, want %v", w.who, got, w.last.Lost(), want)
	}
}

func (c *scene) Settle() {
	c.t.Helper()
	offered := c.sent.Load()
	for _, w := range c.writers {
		_ = w.f.Close()
		if w.f == c.f {
			offered += broadcasts
		}
	}
	_ = c.f.Close()
	c.readers.Wait()
	c.taken.Add(drain(c.t, c.ring)...)
	<-c.ring.Done()
	taken := int64(len(c.taken.Events(c.t)))
	if lost := int64(c.ring.Lost()); taken+lost != offered {
		c.t.Errorf("taken %d, lost %d: together %d, want %d", taken, lost, taken+lost, offered)
	}
	for _, w := range c.writers {
		w.check(c.t)
	}
}
