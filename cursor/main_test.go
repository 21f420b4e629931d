package cursor_test

import (
	"context"
	"fmt"
	"testing"

	"go.uber.org/goleak"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const kind region.Kind = 0x1002

// coordinate returns that of an entity in the scope that all tests share.
func coordinate(t testing.TB, entity string) region.Coordinate {
	t.Helper()
	c, err := region.NewCoordinate(entity, "shop")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// newLog returns an empty memlog, which is closed when the test is over.
func newLog(t testing.TB, o memlog.Options) *memlog.Log {
	t.Helper()
	log, err := memlog.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
	return log
}

// add appends an event about each of the entities.
func add(t testing.TB, log cursor.Log, entities ...string) {
	t.Helper()
	ds := make([]cursor.Draft, len(entities))
	for i, e := range entities {
		ds[i] = cursor.Draft{Coordinate: coordinate(t, e), Kind: kind}
	}
	if _, err := log.Append(context.Background(), ds); err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, log cursor.Log, r region.Region, from cursor.Start) *cursor.Cursor {
	t.Helper()
	c, err := cursor.Open(context.Background(), log, r, from)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// poll returns the sequences of what c can read, at most 64.
func poll(t testing.TB, c *cursor.Cursor) string {
	t.Helper()
	dst := make([]core.Envelope, 64)
	n, err := c.Poll(context.Background(), dst)
	if err != nil {
		t.Fatal(err)
	}
	return sequences(dst[:n])
}

func sequences(es []core.Envelope) string {
	seqs := make([]uint64, len(es))
	for i := range es {
		seqs[i] = es[i].Sequence
	}
	return fmt.Sprint(seqs)
}

// A wrapped is a Log some of whose methods are others.
type wrapped struct {
	cursor.Log
	read func(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (int, uint64, error)
	wait func(ctx context.Context, next uint64) error

	append func(ctx context.Context, ds []cursor.Draft) ([]core.Envelope, error)
	bounds func(ctx context.Context) (cursor.Bounds, error)
}

func (w wrapped) Append(ctx context.Context, ds []cursor.Draft) ([]core.Envelope, error) {
	if w.append == nil {
		return w.Log.Append(ctx, ds)
	}
	return w.append(ctx, ds)
}

func (w wrapped) Bounds(ctx context.Context) (cursor.Bounds, error) {
	if w.bounds == nil {
		return w.Log.Bounds(ctx)
	}
	return w.bounds(ctx)
}

func (w wrapped) Read(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (int, uint64, error) {
	if w.read == nil {
		return w.Log.Read(ctx, r, from, dst)
	}
	return w.read(ctx, r, from, dst)
}

func (w wrapped) Wait(ctx context.Context, next uint64) error {
	if w.wait == nil {
		return w.Log.Wait(ctx, next)
	}
	return w.wait(ctx, next)
}
