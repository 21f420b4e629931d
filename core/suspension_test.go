//go:build spillway_steps

package core_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// An operation is what the victim of the suspension test does, and the steps at which it is stopped.
type operation struct {
	name  string
	do    func(*scene)
	steps []string

	// meanwhile is run by the victim itself, once, when it comes to the step of this name.
	meanwhile map[string]func(*scene)

	closes bool // the fan-out: the others' broadcasts finish, and find nobody
	wakes  bool // the reaper goes on from where it says that it parks when the victim is about to wake it
	warns  bool // the fan-out has a LagObserver
}

// An ending by whatever means goes through these, the reaper's part.
var retiring = []string{
	"retire:queued", "retire:linking", "retire:pushed", "retire:reaping",
	"reaper:taking", "grace:opened-epoch", "grace:said-parked", "reaper:unregistered",
	"reaper:closing", "reaper:told", "reaper:said-idle",
}

var operations = []operation{
	{
		name:  "Subscribe",
		do:    func(c *scene) { c.subscribe(context.Background(), c.handler(nil)) },
		steps: []string{"subscribe:registered", "subscribe:opening", "subscribe:opened"},
	},
	{
		name: "Subscribe with a context of its own",
		do: func(c *scene) {
			ctx, cancel := context.WithCancel(c.ctx)
			c.t.Cleanup(cancel)
			c.subscribe(ctx, c.handler(nil))
		},
		steps: []string{"subscribe:registered", "subscribe:arming", "subscribe:opening", "subscribe:opened"},
	},
	{
		name: "Subscribe, cancelled in Attach",
		do:   func(c *scene) { c.subscribe(context.Background(), quitter{c.handler(nil)}) },
		steps: append([]string{
			"cancel:won", "cancel:ready", "subscribe:registered", "subscribe:opening", "subscribe:opened",
		}, retiring...),
	},
	{
		name: "Subscribe, its context over meanwhile",
		do:   func(c *scene) { c.subscribe(c.ctx, c.handler(nil)) },
		steps: append([]string{
			"cancel:won", "cancel:ready", "subscribe:opening", "subscribe:opened",
		}, retiring...),
		meanwhile: map[string]func(*scene){
			"subscribe:registered": func(c *scene) { c.cancel() },
		},
	},
	{
		name:  "Cancel",
		do:    func(c *scene) { c.one.Cancel() },
		steps: append([]string{"cancel:won", "cancel:ready"}, retiring...),
	},
	{
		name:  "context",
		do:    func(c *scene) { c.cancel() },
		steps: append([]string{"chore:pushed", "cancel:won", "cancel:ready"}, retiring...),
	},
	{
		name:   "Close",
		do:     func(c *scene) { _ = c.f.Close() },
		steps:  append([]string{"chore:pushed", "cancel:won", "cancel:ready"}, retiring...),
		closes: true,
	},
	{
		name: "Broadcast",
		do:   func(c *scene) { c.broadcast("a") },
		steps: []string{
			"broadcast:looking", "grace:read-epoch", "grace:counted-in", "broadcast:entered", "broadcast:offering",
			"broadcast:leaving", "grace:counted-out",
		},
	},
	{
		name:  "Broadcast that moves to a new epoch",
		do:    func(c *scene) { c.broadcast("a") },
		steps: []string{"grace:counted-in", "grace:counted-out", "broadcast:entered", "broadcast:leaving"},
		meanwhile: map[string]func(*scene){
			"grace:read-epoch": func(c *scene) { c.one.Cancel(); <-c.one.Done() },
		},
	},
	{
		name:  "Broadcast that hands its mark's figures over",
		do:    func(c *scene) { c.broadcastMany("nobody", 1<<19) },
		steps: []string{"grace:spilling"},
	},
	{
		name:  "Broadcast that wakes the reaper",
		do:    func(c *scene) { c.broadcast("wake") },
		steps: []string{"grace:waking"},
		wakes: true,
	},
	{
		name: "warning",
		do:   func(c *scene) { c.broadcast("brim") },
		steps: []string{
			"warn:marked", "retire:queued", "retire:linking", "retire:pushed", "retire:reaping",
			"reaper:taking", "grace:opened-epoch", "reaper:said-idle",
		},
		warns: true,
	},
	{
		name: "Wait",
		do: func(c *scene) {
			if err := c.f.Wait(context.Background()); err != nil {
				c.t.Error(err)
			}
		},
		steps: []string{"chore:pushed", "retire:reaping", "reaper:taking", "reaper:said-idle"},
	},
	{
		name:  "prune",
		do:    func(c *scene) { c.broadcast("full") },
		steps: append([]string{"prune:won", "prune:ready", "broadcast:leaving", "grace:counted-out"}, retiring...),
	},
	{
		name:  "prune of a channel",
		do:    func(c *scene) { c.broadcast("pipe") },
		steps: []string{"prune:won", "prune:ready", "retire:queued", "retire:linking", "retire:pushed", "retire:reaping"},
	},
	{
		name:  "prune for a panic",
		do:    func(c *scene) { c.broadcast("panic") },
		steps: []string{"prune:won", "prune:ready", "retire:queued", "retire:linking", "retire:pushed", "retire:reaping"},
	},
}

// TestSuspension stops one goroutine at every named step of every operation in turn; every other
// goroutine's 10,000 broadcasts still finish. A lock of any sort in their way fails it.
func TestSuspension(t *testing.T) {
	defer core.OnStep(nil)
	reached := make(map[string]bool)
	for _, op := range operations {
		for _, step := range op.steps {
			reached[step] = true
			if !t.Run(op.name+"/"+step, func(t *testing.T) { suspend(t, op, step) }) {
				return // the rest would wait as long
			}
		}
	}
	for _, step := range stepsInSource(t) {
		if !reached[step] {
			t.Errorf("core has the step %q, and nobody is stopped there: add it to an operation", step)
		}
		delete(reached, step)
	}
	for step := range reached {
		t.Errorf("nobody can be stopped at %q: core has no such step", step)
	}
}

// stepsInSource returns the names of the steps that core's source has.
func stepsInSource(t *testing.T) (steps []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	call := regexp.MustCompile(`\bstep\("([^"]+)"\)`)
	for _, file := range files {
		if matched, _ := filepath.Match("*_test.go", file); matched {
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
	slices.Sort(steps)
	if len(steps) == 0 {
		t.Fatal("no step found in core's source: has step been renamed?")
	}
	return slices.Compact(steps)
}

const (
	writers  = 2 // besides the victim
	patience = 20 * time.Second
)

// A scene is what a suspension takes place in.
type scene struct {
	t      *testing.T
	f      *core.Fanout[event]
	ctx    context.Context
	cancel context.CancelFunc
	one    *core.Subscription // to be ended; it matches nothing

	sinks      atomic.Int64 // that must have been closed at the end
	closed     atomic.Int64
	offered    atomic.Int64 // to the one that accepts everything
	broadcasts atomic.Int64 // the victim's

	// Where the operation wakes the reaper, each is closed once.
	parked, waking func()
	isParked       chan struct{}
	isWaking       chan struct{}
}

// A listener is an Observer that may be warned.
type listener struct{}

func (listener) Subscribed(core.Info)   {}
func (listener) Lagging(core.Info)      {}
func (listener) Ended(core.Info, error) {}

func newScene(t *testing.T, op operation) *scene {
	cfg := located()
	if op.warns {
		cfg.Observer = listener{}
	}
	c := &scene{t: t, f: core.New(cfg), isParked: make(chan struct{}), isWaking: make(chan struct{})}
	c.parked = sync.OnceFunc(func() { close(c.isParked) })
	c.waking = sync.OnceFunc(func() { close(c.isWaking) })
	c.ctx, c.cancel = context.WithCancel(t.Context())
	t.Cleanup(c.cancel)
	add := func(ctx context.Context, r region.Region, offer func(event) core.Verdict) *core.Subscription {
		return subscribeFor(t, ctx, c.f, r, c.handler(offer))
	}
	c.one = add(context.Background(), about("nobody"), nil)
	add(c.ctx, about("nobody"), nil)
	add(context.Background(), region.Region{}, func(event) core.Verdict { c.offered.Add(1); return core.Accepted })
	add(context.Background(), about("a"), nil)
	add(context.Background(), about("full"), func(event) core.Verdict { return core.Full })
	add(context.Background(), about("panic"), func(event) core.Verdict { panic("mine") })
	add(context.Background(), about("wake"), func(event) core.Verdict { c.one.Cancel(); <-c.isParked; return core.Accepted })
	subscribe(t, c.f, about("pipe"), &pipe{t: t, c: make(chan event)})
	subscribe(t, c.f, about("brim"), &pipe{t: t, c: make(chan event, 1)})
	return c
}

// handler makes a sink whose Close is counted, and expected.
func (c *scene) handler(offer func(event) core.Verdict) handler {
	c.sinks.Add(1)
	return handler{offer, func(error) { c.closed.Add(1) }}
}

// subscribe is the victim's.
func (c *scene) subscribe(ctx context.Context, s core.Sink[event]) {
	if _, err := c.f.Subscribe(ctx, about("a"), s); err != nil {
		c.t.Errorf("Subscribe: %v", err)
	}
}

func (c *scene) broadcast(who string) {
	c.broadcasts.Add(1)
	c.f.Broadcast(event{who: who})
}

func (c *scene) broadcastMany(who string, n int) {
	events := make([]event, 1<<10)
	for i := range events {
		events[i].who = who
	}
	for range n / len(events) {
		c.broadcasts.Add(int64(len(events)))
		c.f.BroadcastAll(events)
	}
}

// suspend stops the operation at the step, and looks whether the others get on.
func suspend(t *testing.T, op operation, at string) {
	c := newScene(t, op)
	ws := make([]*writer, writers)
	for i := range ws {
		ws[i] = newWriter(t, c.f, i)
	}
	stopped, release := make(chan struct{}), make(chan struct{})
	free := sync.OnceFunc(func() { close(release) })
	defer free()
	var victim, meanwhile atomic.Bool
	core.OnStep(func(name string) {
		switch {
		case op.wakes && name == "grace:said-parked":
			c.parked()
			<-c.isWaking
		case op.wakes && name == "grace:waking":
			c.waking()
		}
		if do := op.meanwhile[name]; do != nil && meanwhile.CompareAndSwap(false, true) {
			do(c)
		}
		if name == at && (len(op.meanwhile) == 0 || meanwhile.Load()) && victim.CompareAndSwap(false, true) {
			close(stopped)
			<-release
		}
	})
	returned := make(chan struct{})
	go func() { defer close(returned); op.do(c) }()
	await(t, stopped, "the victim never came to its step")

	finished := make(chan struct{})
	var wg sync.WaitGroup
	for _, w := range ws {
		wg.Go(func() { w.run(c.f) })
	}
	go func() { wg.Wait(); close(finished) }()
	await(t, finished, "broadcasts of others do not finish while one goroutine is stopped here")

	free()
	await(t, returned, "the victim's operation does not finish")
	c.settle()
	if op.closes {
		return
	}
	if got, want := c.offered.Load(), int64(writers*each)+c.broadcasts.Load(); got != want {
		t.Errorf("who accepts everything was offered %d events, want %d", got, want)
	}
	for _, w := range ws {
		w.check(t)
	}
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

// settle ends everything and looks whether it is over.
func (c *scene) settle() {
	c.t.Helper()
	if err := c.f.Close(); err != nil {
		c.t.Error(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.f.Wait(ctx); err != nil {
		c.t.Fatalf("Wait: %v", err)
	}
	st := c.f.Stats()
	if c.f.Len() != 0 || st.Live != 0 || st.Retiring != 0 {
		c.t.Errorf("after Close and Wait: Len %d, Stats %+v", c.f.Len(), st)
	}
	if st.Subscribed != st.Cancelled+st.PrunedFull+st.PrunedClosed || st.Matched != st.Accepted+st.PrunedFull+st.PrunedClosed {
		c.t.Errorf("Stats do not add up: %+v", st)
	}
	if got, want := c.closed.Load(), c.sinks.Load(); got != want {
		c.t.Errorf("closed %d sinks of %d", got, want)
	}
}

// A quitter cancels itself before it is registered.
type quitter struct{ handler }

func (quitter) Attach(s *core.Subscription) { s.Cancel() }
