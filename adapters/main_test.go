// Package adapters_test holds what must be so of every adapter that delivers events.
package adapters_test

import (
	"context"
	"errors"
	"testing"

	"go.uber.org/goleak"

	"github.com/spillwayhq/spillway/adapters/callback"
	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/adapters/latest"
	"github.com/spillwayhq/spillway/adapters/multicast"
	"github.com/spillwayhq/spillway/adapters/ring"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An event carries something that is collected when nobody refers to it.
type event struct {
	n    int
	load *[64]byte
}

func fanout(single bool) *core.Fanout[event] {
	return core.New(core.Config[event]{
		SingleWriter: single,
		Locate:       func(e event) region.Point { return region.Point{Sequence: uint64(e.n)} },
	})
}

// A feed is what all subscriptions have, and Readers.
type feed interface {
	Cancel()
	Done() <-chan struct{}
	Err() error
}

// A pulled feed is read.
type pulled interface {
	feed
	Next(ctx context.Context) (event, error)
}

// An adapter is a way to subscribe for events, of which capacity fit.
type adapter struct {
	name   string
	single bool // Config.SingleWriter
	open   func(t testing.TB, ctx context.Context, f *core.Fanout[event], capacity int) feed

	neverFull bool // it makes room
	forgets   bool // of a Cancel or a context's end nothing is handled after it
}

var adapters = []adapter{
	{name: "channel", open: openChannel},
	{name: "callback", open: openCallback, forgets: true},
	{name: "callback", single: true, open: openCallback, forgets: true},
	{name: "ring", open: openRing(ring.Prune)},
	{name: "ring", single: true, open: openRing(ring.Prune)},
	{name: "ring", open: openRing(ring.Overwrite), neverFull: true},
	{name: "multicast", open: openMulticast, neverFull: true},
	{name: "multicast", single: true, open: openMulticast, neverFull: true},
	{name: "latest", open: openLatest},
}

// eachAdapter runs a test for every adapter.
func eachAdapter(t *testing.T, test func(t *testing.T, a adapter)) {
	t.Helper()
	for _, a := range adapters {
		t.Run(a.name, func(t *testing.T) { test(t, a) })
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func openChannel(_ testing.TB, ctx context.Context, f *core.Fanout[event], capacity int) feed {
	return must(channel.Subscribe(ctx, f, region.Region{}, capacity))
}

func openRing(p ring.Policy) func(testing.TB, context.Context, *core.Fanout[event], int) feed {
	return func(_ testing.TB, ctx context.Context, f *core.Fanout[event], capacity int) feed {
		return must(ring.Subscribe(ctx, f, region.Region{}, ring.Options{Capacity: capacity, WhenFull: p}))
	}
}

// openLatest gives each event a key of its own; the key function panics over the one that panics.
func openLatest(_ testing.TB, ctx context.Context, f *core.Fanout[event], capacity int) feed {
	return must(latest.Subscribe(ctx, f, region.Region{}, latest.Options{MaxKeys: capacity}, func(e event) int {
		if e.n == panics {
			panic(errMine)
		}
		return e.n
	}))
}

// A handed feed's function waits before its first call until it is released.
type handed struct {
	*callback.Subscription
	running, release chan struct{}
	got              chan event
}

// openCallback has one event handled from the start, so that capacity more fit.
func openCallback(_ testing.TB, ctx context.Context, f *core.Fanout[event], capacity int) feed {
	h := &handed{running: make(chan struct{}, 100), release: make(chan struct{}), got: make(chan event, 100)}
	h.Subscription = must(callback.Subscribe(ctx, f, region.Region{}, callback.Options{Queue: capacity}, func(e event) {
		h.running <- struct{}{}
		<-h.release
		if e.n == panics {
			panic(errMine)
		}
		if e.n >= 0 {
			h.got <- e
		}
	}))
	f.Broadcast(event{n: -1})
	<-h.running
	return h
}

// A tail is a Reader and the Ring that it alone reads.
type tail struct {
	*multicast.Reader[event]
	ring *multicast.Ring[event]
}

func (s tail) Cancel() { s.ring.Cancel() }

func openMulticast(_ testing.TB, ctx context.Context, f *core.Fanout[event], capacity int) feed {
	m := must(multicast.Open(ctx, f, region.Region{}, capacity))
	return tail{must(m.Reader(context.Background(), multicast.FromNext)), m}
}

var errMine = errors.New("mine")

// panics is the number of the event over which a user's own function panics.
const panics = 1 << 20

// An ending is a way for a subscription to end.
type ending struct {
	name string
	by   func(f *core.Fanout[event], s feed, cancel context.CancelCauseFunc)
	is   []error
}

var endings = []ending{
	{"Cancel", func(_ *core.Fanout[event], s feed, _ context.CancelCauseFunc) { s.Cancel() }, []error{core.ErrCancelled}},
	{"context", func(_ *core.Fanout[event], _ feed, cancel context.CancelCauseFunc) { cancel(errMine) }, []error{core.ErrCancelled, errMine}},
	{"Close", func(f *core.Fanout[event], _ feed, _ context.CancelCauseFunc) { _ = f.Close() }, []error{core.ErrClosed}},
	{"prune", func(f *core.Fanout[event], _ feed, _ context.CancelCauseFunc) { f.Broadcast(event{n: 1000}) }, []error{core.ErrPruned}},
	{"panic", func(f *core.Fanout[event], _ feed, _ context.CancelCauseFunc) { f.Broadcast(event{n: panics}) }, []error{errMine}},
}

// ends tells whether the ending is one for the adapter, which has held of its capacity of events.
func (a adapter) ends(e ending, held, capacity int) bool {
	switch e.name {
	case "prune":
		return !a.neverFull && held == capacity
	case "panic":
		return a.name == "latest" || a.name == "callback" && held < capacity
	}
	return true
}
