//go:build spillway_steps

package ring_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/adapters/ring"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// An operation is what the victim of the suspension test does, and the steps at which it is stopped.
type operation struct {
	name  string
	ring  variety
	do    func(*scene)
	steps []string

	// before is run before the victim starts, meanwhile by the victim itself when it says that it is parked: the
	// steps that it comes to in there don't count.
	before, meanwhile func(*scene)
}

var operations = []operation{
	{name: "Broadcast", ring: single, do: (*scene).broadcast, steps: []string{"queue:written"}},
	{name: "Broadcast", ring: shared, do: (*scene).broadcast, steps: []string{"queue:seen-room", "queue:claimed"}},
	{name: "Broadcast", ring: overwriting, do: (*scene).broadcast, steps: []string{"ring:numbered", "ring:claimed", "ring:written"}},
	{name: "Broadcast that wakes", ring: single, before: (*scene).park, do: (*scene).broadcast, steps: []string{"queue:written", "park:waking"}},
	{name: "Broadcast that wakes", ring: shared, before: (*scene).park, do: (*scene).broadcast, steps: []string{"queue:claimed", "park:waking"}},
	{name: "Broadcast that wakes", ring: overwriting, before: (*scene).park, do: (*scene).broadcast, steps: []string{"ring:claimed", "park:waking"}},
	{name: "Next", ring: single, before: (*scene).broadcast, do: (*scene).next, steps: []string{"queue:taken"}},
	{name: "Next", ring: shared, before: (*scene).broadcast, do: (*scene).next, steps: []string{"queue:taken"}},
	{name: "Next", ring: overwriting, before: (*scene).broadcast, do: (*scene).next, steps: []string{"ring:found"}},
	{name: "Next that waits", ring: single, do: (*scene).next, steps: []string{"park:said-parked"}},
	{name: "Next that waits", ring: shared, do: (*scene).next, steps: []string{"park:said-parked"}},
	{name: "Next that waits", ring: overwriting, do: (*scene).next, steps: []string{"park:said-parked"}},
	{
		name: "Next that is woken for nothing", ring: shared, do: (*scene).next, steps: []string{"park:woken"},
		meanwhile: func(c *scene) { c.broadcast(); c.next() },
	},
	{
		name: "Next that gives up", ring: overwriting, before: (*scene).park, do: (*scene).next, steps: []string{"park:waking"},
		meanwhile: func(c *scene) { c.cancel() },
	},
	{name: "End", ring: single, do: (*scene).end, steps: []string{"park:ended"}},
	{name: "End", ring: overwriting, do: (*scene).end, steps: []string{"park:ended"}},
}

// TestSuspension stops one goroutine at every named step of every operation in turn; every other goroutine's 10,000
// broadcasts still finish. A lock of any sort in their way fails it.
func TestSuspension(t *testing.T) {
	defer core.OnStep(nil)
	reached := make(map[string]bool)
	for _, op := range operations {
		for _, step := range op.steps {
			reached[step] = true
			if !t.Run(op.ring.name+"/"+op.name+"/"+step, func(t *testing.T) { suspend(t, op, step) }) {
				return // the rest would wait as long
			}
		}
	}
	for _, step := range stepsInSource(t) {
		if !reached[step] {
			t.Errorf("there is the step %q, and nobody is stopped there: add it to an operation", step)
		}
		delete(reached, step)
	}
	for step := range reached {
		t.Errorf("nobody can be stopped at %q: there is no such step", step)
	}
}

// stepsInSource returns the names of the steps in the ring's source and in what it is made of.
func stepsInSource(t *testing.T) (steps []string) {
	t.Helper()
	call := regexp.MustCompile(`\bstep\.At\("([^"]+)"\)`)
	for _, dir := range []string{".", "../internal/queue", "../internal/park"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		before := len(steps)
		for _, file := range files {
			if matched, _ := filepath.Match("*_test.go", filepath.Base(file)); matched {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range call.FindAllStringSubmatch(string(text), -1) {
				steps = append(steps, m[1])
			}
		}
		if len(steps) == before {
			t.Fatalf("no step found in the source in %s: has step.At been renamed?", dir)
		}
	}
	slices.Sort(steps)
	return slices.Compact(steps)
}

const (
	broadcasts = 10_000 // a writer
	doors      = 20     // a writer's rings of its own
	patience   = 20 * time.Second
)

type event struct {
	who string
	seq uint64
}

func (e event) Point() region.Point { return region.Point{Entity: e.who, Sequence: e.seq} }

// A scene is what a suspension takes place in.
type scene struct {
	t      *testing.T
	f      *core.Fanout[event]
	ring   *ring.Subscription[event] // gets everything that anybody broadcasts on f
	ctx    context.Context           // the victim's, as a reader
	cancel context.CancelFunc
	sent   atomic.Int64

	mu      sync.Mutex
	taken   []event
	readers sync.WaitGroup
	parked  chan struct{} // closed when somebody has said that it is
}

func newScene(t *testing.T, v variety) *scene {
	c := &scene{t: t, f: core.New(core.Config[event]{Locate: event.Point, SingleWriter: v.single}), parked: make(chan struct{})}
	c.ctx, c.cancel = context.WithCancel(t.Context())
	t.Cleanup(c.cancel)
	capacity := 3 * broadcasts // nothing is refused
	if v == overwriting {
		capacity = 64
	}
	c.ring = subscribe(t, c.f, v.of(capacity))
	return c
}

func (c *scene) broadcast() {
	if out := c.f.Broadcast(event{"victim", uint64(c.sent.Add(1))}); out.Pruned != 0 {
		c.t.Errorf("Broadcast: %+v", out)
	}
}

func (c *scene) next() {
	v, err := c.ring.Next(c.ctx)
	if err == nil {
		c.take(v)
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

func (c *scene) take(vs ...event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken = append(c.taken, vs...)
}

// park makes a reader wait until the end.
func (c *scene) park() {
	c.readers.Go(func() {
		for v, err := range c.ring.All() {
			if err == nil {
				c.take(v)
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

func (w *writer) run() {
	for n := range uint64(broadcasts) {
		w.f.Broadcast(event{w.who, n})
	}
}

// check looks whether each ring was given what it had room for, and says what it missed.
func (w *writer) check(t *testing.T) {
	t.Helper()
	for n, s := range w.rings {
		room := n*broadcasts/doors + 1
		got := drain(t, s)
		var pruned *core.PrunedError
		if len(got) != room || got[room-1] != (event{w.who, uint64(room - 1)}) || !errors.As(s.Err(), &pruned) || pruned.Missed != uint64(room) {
			t.Errorf("ring %d of %s: got %d events, Err %v, want %d", n, w.who, len(got), s.Err(), room)
		}
	}
	want := []event{{w.who, broadcasts - 3}, {w.who, broadcasts - 2}, {w.who, broadcasts - 1}}
	if got := drain(t, w.last); !slices.Equal(got, want) || w.last.Lost() != broadcasts-3 {
		t.Errorf("the overwriting ring of %s: got %v, %d lost, want %v", w.who, got, w.last.Lost(), want)
	}
}

// others returns the writers there may be besides the victim.
func (c *scene) others(op operation) []*writer {
	switch {
	case !op.ring.single:
		return []*writer{newWriter(c.t, c.f, "r"), newWriter(c.t, c.f, "s")}
	case strings.HasPrefix(op.name, "Next"):
		return []*writer{newWriter(c.t, c.f, "r")}
	}
	// The victim is the one that c.f may have.
	return []*writer{newWriter(c.t, core.New(core.Config[event]{Locate: event.Point, SingleWriter: true}), "r")}
}

// suspend stops the operation at the step, and looks whether the others get on.
func suspend(t *testing.T, op operation, at string) {
	c := newScene(t, op.ring)
	ws := c.others(op)
	stopped, release := make(chan struct{}), make(chan struct{})
	free := sync.OnceFunc(func() { close(release) })
	defer free()
	parked := sync.OnceFunc(func() { close(c.parked) })
	var victim, begun, done atomic.Bool // done: with what it does meanwhile
	core.OnStep(func(name string) {
		if name == "park:said-parked" && op.before != nil {
			parked()
		}
		if !begun.Load() {
			return
		}
		if name == "park:said-parked" && op.meanwhile != nil && victim.CompareAndSwap(false, true) {
			op.meanwhile(c)
			victim.Store(false)
			done.Store(true)
		}
		if name == at && (op.meanwhile == nil || done.Load()) && victim.CompareAndSwap(false, true) {
			close(stopped)
			<-release
		}
	})
	if op.before != nil {
		op.before(c)
	}
	begun.Store(true)
	returned := make(chan struct{})
	go func() { defer close(returned); op.do(c) }()
	await(t, stopped, "the victim never came to its step")

	finished := make(chan struct{})
	var wg sync.WaitGroup
	for _, w := range ws {
		wg.Go(w.run)
	}
	go func() { wg.Wait(); close(finished) }()
	await(t, finished, "broadcasts of others do not finish while one goroutine is stopped here")

	free()
	await(t, returned, "the victim's operation does not finish")
	c.settle(ws)
}

// await fails the test where c isn't closed in good time. What is stopped is let go by the caller's defer.
func await(t *testing.T, c <-chan struct{}, otherwise string) {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c:
	case <-timer.C:
		t.Fatal(otherwise)
	}
}

// settle ends everything and looks whether the accounts are exact.
func (c *scene) settle(ws []*writer) {
	c.t.Helper()
	offered := c.sent.Load()
	for _, w := range ws {
		_ = w.f.Close()
		if w.f == c.f {
			offered += broadcasts
		}
	}
	_ = c.f.Close()
	c.readers.Wait()
	c.take(drain(c.t, c.ring)...)
	<-c.ring.Done()
	if got := int64(len(c.taken)) + int64(c.ring.Lost()); got != offered {
		c.t.Errorf("taken %d, lost %d: together %d, want %d", len(c.taken), c.ring.Lost(), got, offered)
	}
	seen := make(map[event]bool)
	for _, e := range c.taken {
		if seen[e] {
			c.t.Errorf("%v was taken twice", e)
		}
		seen[e] = true
	}
	for _, w := range ws {
		w.check(c.t)
	}
}
