package cursor_test

import (
	"context"
	"sync"
	"testing"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/adapters/multicast"
	"github.com/spillwayhq/spillway/adapters/ring"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

type (
	fanout   = core.Fanout[core.Envelope]
	feedFunc = func(context.Context, *fanout, region.Region) (cursor.Feed, error)
)

// feeds are the ways to follow, each with a capacity.
var feeds = []struct {
	name string
	of   func(capacity int) feedFunc
}{
	{"channel", byChannel},
	{"ring", byRing},
	{"multicast", byMulticast},
}

func byChannel(capacity int) feedFunc {
	return func(ctx context.Context, f *fanout, r region.Region) (cursor.Feed, error) {
		return orNil(channel.Subscribe(ctx, f, r, capacity))
	}
}

func byRing(capacity int) feedFunc {
	return func(ctx context.Context, f *fanout, r region.Region) (cursor.Feed, error) {
		return orNil(ring.Subscribe(ctx, f, r, ring.Options{Capacity: capacity}))
	}
}

// byMulticast opens a ring for each feed; it ends with its Reader.
func byMulticast(capacity int) feedFunc {
	return func(ctx context.Context, f *fanout, r region.Region) (cursor.Feed, error) {
		m, err := multicast.Open(ctx, f, r, capacity)
		if err != nil {
			return nil, err
		}
		reader, err := m.Reader(ctx, multicast.FromNext)
		if err != nil {
			m.Cancel()
			return nil, err
		}
		return ownRing{reader, m}, nil
	}
}

type ownRing struct {
	*multicast.Reader[core.Envelope]
	ring *multicast.Ring[core.Envelope]
}

func (o ownRing) Cancel() {
	o.Reader.Cancel()
	o.ring.Cancel()
}

// byShared reads one ring of all events, whatever the Region.
func byShared(m *multicast.Ring[core.Envelope]) feedFunc {
	return func(ctx context.Context, _ *fanout, _ region.Region) (cursor.Feed, error) {
		return orNil(m.Reader(ctx, multicast.FromNext))
	}
}

// orNil has no nil pointer in the interface.
func orNil[F cursor.Feed](feed F, err error) (cursor.Feed, error) {
	if err != nil {
		return nil, err
	}
	return feed, nil
}

// A writer appends to a log and broadcasts in its order: the promise of a Journal, in its plainest form.
type writer struct {
	mu     sync.Mutex
	log    cursor.Log
	fanout *fanout
}

func (w *writer) append(t testing.TB, ds ...cursor.Draft) {
	w.mu.Lock()
	defer w.mu.Unlock()
	made, err := w.log.Append(context.Background(), ds)
	if err != nil {
		t.Error(err)
		return
	}
	w.fanout.BroadcastAll(made)
}

// add appends an event about each of the entities.
func (w *writer) add(t testing.TB, entities ...string) {
	ds := make([]cursor.Draft, len(entities))
	for i, e := range entities {
		ds[i] = cursor.Draft{Coordinate: coordinate(t, e), Kind: kind}
	}
	w.append(t, ds...)
}

func openFanout(t testing.TB) *fanout {
	t.Helper()
	f := core.New(core.Config[core.Envelope]{Name: "test", Locate: core.Envelope.Point})
	t.Cleanup(func() {
		_ = f.Close()
		if err := f.Wait(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return f
}

// newWriter returns one of a new log and fan-out.
func newWriter(t testing.TB, o memlog.Options) *writer {
	t.Helper()
	return &writer{log: newLog(t, o), fanout: openFanout(t)}
}

// follow returns a Follower that ends with the test.
func (w *writer) follow(t testing.TB, r region.Region, o cursor.FollowOptions) *cursor.Follower {
	t.Helper()
	if o.Reads == nil {
		o.Reads = cursor.NewReadLimit(2) // of the test's own bubble
	}
	f := cursor.Follow(context.Background(), w.log, w.fanout, r, o)
	t.Cleanup(f.Cancel)
	return f
}
