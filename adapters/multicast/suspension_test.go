//go:build spillway_steps

package multicast

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/spillwayhq/spillway/adapters/internal/steptest"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

type (
	event     = steptest.Event
	operation = steptest.Operation[*scene]
)

// A part is what the victim has in its scene.
type part int

const (
	writes part = iota // and wakes nobody: the others read on
	wakes              // who sleeps sleeps on; whoever comes finds what is there
	reads
)

const tight = 64 // the others lap that again and again

var operations = []operation{
	{Name: "Broadcast", Open: open(false, tight, writes), Do: (*scene).broadcast, Steps: []string{
		"multicast:coming", "multicast:claimed", "multicast:opening", "multicast:entered", "multicast:written", "multicast:published",
	}},
	{Name: "Broadcast into a window that somebody is in", Open: open(false, tight, writes), Before: (*scene).occupy, Do: (*scene).broadcast, Steps: []string{
		"multicast:opening", "multicast:replacing", "multicast:entered",
	}},
	{Name: "Broadcast into a window that a reader is in", Open: open(false, tight, writes), Before: (*scene).lookAt, Do: (*scene).broadcast, Steps: []string{
		"multicast:opening", "multicast:replacing", "multicast:entered",
	}},
	{Name: "Broadcast that wakes", Open: open(false, tight, wakes), Before: (*scene).parkBeside, Do: (*scene).broadcast, Steps: []string{
		"multicast:waking", "multicast:round", "park:waking", // the last two are the waker's
	}},
	{Name: "Broadcast that wakes the only Reader", Open: open(false, tight, wakes), Before: (*scene).park, Do: (*scene).broadcast, Steps: []string{
		"multicast:waking", "park:waking",
	}},
	{Name: "Broadcast of the only writer", Open: open(true, tight, writes), Before: (*scene).fill, Do: (*scene).broadcast, Steps: []string{
		"multicast:coming", "multicast:claimed", "multicast:opening", "multicast:entered", "multicast:written", "multicast:published",
	}},
	{Name: "Broadcast of the only writer, that wakes", Open: open(true, tight, wakes), Before: (*scene).parkBeside, Do: (*scene).broadcast, Steps: []string{
		"multicast:waking", "multicast:round",
	}},
	{Name: "Broadcast of the only writer, that wakes the only Reader", Open: open(true, tight, wakes), Before: (*scene).park, Do: (*scene).broadcast, Steps: []string{
		"multicast:waking", "park:waking",
	}},
	{Name: "Next", Open: open(false, roomy, reads), Before: (*scene).broadcast, Do: (*scene).next, Steps: []string{
		"multicast:not-lapped", "multicast:counted-in", "multicast:inside", "multicast:copied",
	}},
	{Name: "Next that is lapped meanwhile", Open: open(false, tight, reads), Before: (*scene).broadcast, Do: (*scene).next, Steps: []string{
		"multicast:not-lapped", "multicast:counted-in", "multicast:inside", "multicast:copied",
	}},
	{Name: "Next beside the only writer", Open: open(true, tight, reads), Before: (*scene).broadcast, Do: (*scene).next, Steps: []string{
		"multicast:not-lapped", "multicast:counted-in", "multicast:inside", "multicast:copied",
	}},
	{Name: "Next that waits", Open: open(false, roomy, reads), Do: (*scene).next, Steps: []string{"multicast:listed", "park:said-parked"}},
	{Name: "Next that waits, and is lapped meanwhile", Open: open(false, tight, reads), Do: (*scene).next, Steps: []string{"multicast:listed", "park:said-parked"}},
	{
		Name: "Next that is woken for nothing", Open: open(false, roomy, reads), Do: (*scene).next, Steps: []string{"park:woken", "multicast:listed"},
		Meanwhile: func(c *scene) { c.broadcast(); c.next() },
	},
	{
		Name: "Next that gives up", Open: open(false, roomy, reads), Before: (*scene).park, Do: (*scene).next, Steps: []string{"park:waking"},
		Meanwhile: func(c *scene) { c.cancel() },
	},
	{Name: "Next that was lapped", Open: open(false, tight, reads), Before: (*scene).fill, Do: (*scene).next, Steps: []string{"park:ended", "park:waking"}},
	{Name: "Reader", Open: open(false, roomy, reads), Before: (*scene).broadcast, Do: (*scene).join, Steps: []string{"multicast:counted-in", "multicast:inside", "multicast:copied"}},
	{Name: "Reader.Cancel", Open: open(false, roomy, reads), Do: (*scene).leave, Steps: []string{"park:ended", "park:waking"}},
	{Name: "Cancel", Open: open(false, roomy, reads), Do: (*scene).end, Steps: []string{"park:ended", "park:waking"}},
}

// TestSuspension stops one goroutine at every named step of every operation in turn. Every other goroutine's 10,000
// broadcasts still finish, and whoever else reads finds their last events.
func TestSuspension(t *testing.T) {
	steptest.Suspend(t, operations, ".", "../internal/park")
}

const roomy = 3 * steptest.Broadcasts // nobody is lapped

// A scene is what a suspension takes place in.
type scene struct {
	t      *testing.T
	f      *core.Fanout[event]
	ring   *Ring[event]   // gets everything that anybody broadcasts on f
	reader *Reader[event] // from the first event on; the victim's, where that reads
	part   part
	ctx    context.Context // the victim's, as a reader
	cancel context.CancelFunc
	sent   atomic.Int64 // on f

	taken   steptest.Taken // by reader
	reading sync.WaitGroup
	parked  <-chan struct{}
}

func open(single bool, capacity int, p part) func(*testing.T, <-chan struct{}) *scene {
	return func(t *testing.T, parked <-chan struct{}) *scene {
		c := &scene{t: t, f: steptest.Fanout(single), part: p, parked: parked}
		c.ctx, c.cancel = context.WithCancel(t.Context())
		t.Cleanup(c.cancel)
		c.ring = openRing(t, c.f, region.Region{}, capacity)
		c.reader = c.read(FromNext)
		return c
	}
}

func openRing(t *testing.T, f *core.Fanout[event], r region.Region, capacity int) *Ring[event] {
	m, err := Open(t.Context(), f, r, capacity)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (c *scene) read(from Start) *Reader[event] {
	r, err := c.ring.Reader(context.Background(), from)
	if err != nil {
		c.t.Error(err)
	}
	return r
}

func (c *scene) broadcast() {
	if out := c.f.Broadcast(event{Who: "victim", Seq: uint64(c.sent.Add(1))}); out.Pruned != 0 {
		c.t.Errorf("Broadcast: %+v", out)
	}
}

// fill broadcasts until the next event opens a window anew: the ring comes round.
func (c *scene) fill() {
	for c.broadcast(); c.ring.tail.Load()%(windows<<c.ring.bits) != 0; {
		c.broadcast()
	}
}

// occupy fills the ring, a writer being in the window that comes next; lookAt, a reader.
func (c *scene) occupy() { c.broadcast(); c.ring.windows[0].Load().word.Add(1); c.fill() }
func (c *scene) lookAt() { c.broadcast(); c.ring.windows[0].Load().readers.Add(1); c.fill() }

func (c *scene) next() {
	v, err := c.reader.Next(c.ctx)
	switch {
	case err == nil:
		c.taken.Add(v)
	case !errors.Is(err, core.ErrPruned) && !errors.Is(err, context.Canceled):
		c.t.Errorf("Next: %v", err)
	}
}

// park makes somebody wait until the end.
func (c *scene) park() {
	c.reading.Go(func() { c.drain(c.reader, &c.taken) })
	<-c.parked
}

// parkBeside does so where there is another Reader, that nobody reads.
func (c *scene) parkBeside() {
	c.read(FromNext)
	c.park()
}

func (c *scene) drain(r *Reader[event], to *steptest.Taken) {
	for v, err := range r.All() {
		if err == nil {
			to.Add(v)
		}
	}
}

func (c *scene) join() {
	r := c.read(FromOldest)
	r.Cancel()
}

func (c *scene) leave() { c.read(FromNext).Cancel() }

// end has the reaper close a ring that nobody's events go to, and its reader.
func (c *scene) end() {
	m := openRing(c.t, c.f, region.Region{Entity: "nobody"}, 1)
	r, err := m.Reader(context.Background(), FromNext)
	if err != nil {
		c.t.Error(err)
		return
	}
	m.Cancel()
	<-m.Done()
	<-r.Done()
}

// Others are one writer or more, and who follows them.
func (c *scene) Others() []func() {
	f, writers := c.f, []string{"r", "s"}
	if c.ring.single {
		writers = writers[:1]
		if c.part != reads {
			f = steptest.Fanout(true) // the victim is the one that c.f may have
			c.t.Cleanup(func() { _ = f.Close() })
		}
	}
	ring := c.ring
	if f != c.f {
		ring = openRing(c.t, f, region.Region{}, tight)
	}
	last := event{Who: "last"}
	write := func() {
		var wg sync.WaitGroup
		for _, who := range writers {
			wg.Go(steptest.Writer(f, who))
		}
		wg.Wait()
		f.Broadcast(last)
		if f == c.f {
			c.sent.Add(int64(len(writers)*steptest.Broadcasts) + 1)
		}
		follow(c.t, ring, last) // what is there is found without being woken
	}
	if c.part == wakes && f == c.f {
		return []func(){write}
	}
	return []func(){write, func() { follow(c.t, ring, last) }}
}

// follow reads until the last event, and comes back where it is lapped.
func follow(t *testing.T, m *Ring[event], last event) {
	dst := make([]event, 20)
	for {
		r, err := m.Reader(context.Background(), FromOldest)
		if err != nil {
			t.Error(err)
			return
		}
		for err == nil {
			var n int
			if n, err = r.NextBatch(context.Background(), dst); n > 0 && dst[n-1] == last {
				r.Cancel()
				return
			}
		}
		if !errors.Is(err, core.ErrPruned) {
			t.Errorf("a Reader that follows: %v", err)
			return
		}
	}
}

// Settle: who comes at the end finds as many as the capacity is, and who had room enough for all has got all.
func (c *scene) Settle() {
	c.t.Helper()
	late := c.read(FromOldest)
	_ = c.f.Close()
	if err := c.f.Wait(context.Background()); err != nil {
		c.t.Error(err)
	}
	c.reading.Wait()
	c.drain(c.reader, &c.taken)
	var held steptest.Taken
	c.drain(late, &held)
	capacity, sent := int(c.ring.capacity), int(c.sent.Load())
	if got := len(held.Events(c.t)); got != min(capacity, sent) {
		c.t.Errorf("the oldest %d are held, want %d of %d", got, min(capacity, sent), sent)
	}
	if got := len(c.taken.Events(c.t)); capacity == roomy && got != sent {
		c.t.Errorf("a Reader got %d of %d", got, sent)
	}
}
