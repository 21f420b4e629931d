package logtest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/logtest"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// A distant is a Log at the other end of a network: each call takes its time, there and back.
type distant struct{ *memlog.Log }

const away = 5 * time.Millisecond // and as much back

func (d distant) Append(ctx context.Context, ds drafts) (envelopes, error) {
	time.Sleep(away)
	made, err := d.Log.Append(ctx, ds)
	time.Sleep(away)
	return made, err
}

func (d distant) Read(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (int, uint64, error) {
	time.Sleep(away)
	n, next, err := d.Log.Read(ctx, r, from, dst)
	time.Sleep(away)
	return n, next, err
}

func (d distant) Bounds(ctx context.Context) (cursor.Bounds, error) {
	time.Sleep(away)
	b, err := d.Log.Bounds(ctx)
	time.Sleep(away)
	return b, err
}

func (d distant) Wait(ctx context.Context, next uint64) error {
	time.Sleep(away)
	err := d.Log.Wait(ctx, next)
	time.Sleep(away)
	return err
}

// TestDistant: an honest Log is given the time that it needs over a network.
func TestDistant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if err := logtest.Check(func() logtest.Subject {
			log := newLog()
			return logtest.Subject{Log: distant{log}, Compact: log.Compact}
		}); err != nil {
			t.Error(err)
		}
	})
}
