package disklog_test

import (
	"context"
	"testing"

	"go.uber.org/goleak"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/region"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type failing interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// openLog opens the Log in a folder, for whoever closes it.
func openLog(t failing, dir string, o disklog.Options) *disklog.Log {
	t.Helper()
	log, err := disklog.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

func coordinate(t failing, entity, scope string) region.Coordinate {
	t.Helper()
	c, err := region.NewCoordinate(entity, scope)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// about returns a Draft about an entity.
func about(t failing, entity string, payload int) cursor.Draft {
	t.Helper()
	return cursor.Draft{
		EventID: cursor.NewID(), Coordinate: coordinate(t, entity, "shop"), Kind: 0x1002, Payload: make([]byte, payload),
	}
}

func add(t failing, log cursor.Log, ds ...cursor.Draft) []core.Envelope {
	t.Helper()
	made, err := log.Append(context.Background(), ds)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func bounds(t failing, log cursor.Log) cursor.Bounds {
	t.Helper()
	b, err := log.Bounds(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// all returns the events of r from a sequence on, read through room for a few.
func all(t failing, log cursor.Log, r region.Region, from uint64, room int) (es []core.Envelope) {
	t.Helper()
	es, err := allOf(log, r, from, room)
	if err != nil {
		t.Fatal(err)
	}
	return es
}

func allOf(log cursor.Log, r region.Region, from uint64, room int) (es []core.Envelope, err error) {
	dst := make([]core.Envelope, room)
	for {
		n, next, err := log.Read(context.Background(), r, from, dst)
		if err != nil {
			return nil, err
		}
		es = append(es, dst[:n]...)
		if next == from {
			return es, nil
		}
		from = next
	}
}
