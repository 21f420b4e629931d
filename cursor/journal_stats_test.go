package cursor_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
)

// TestDistribution: each value is in the bucket of its power of two, and none is too large.
func TestDistribution(t *testing.T) {
	var h cursor.Distribution
	for _, v := range []uint64{0, 1, 2, 3, 4, 1 << 46, 1<<47 - 1, 1 << 47, 1 << 60} {
		h.Observe(v)
	}
	want := map[int]uint64{0: 1, 1: 1, 2: 2, 3: 1, 47: 4}
	for i, n := range h.Buckets {
		if n != want[i] {
			t.Errorf("bucket %d: %d, want %d", i, n, want[i])
		}
	}
	if h.Count != 9 || h.Sum != 10+1<<46+1<<47-1+1<<47+1<<60 {
		t.Errorf("%d values, %d together", h.Count, h.Sum)
	}
}

// TestLevel: what a log says of itself is in the journal's name and figures; so is that it says nothing.
func TestLevel(t *testing.T) {
	log := newLog(t, memlog.Options{})
	for _, c := range []struct {
		log  cursor.Log
		want string
	}{
		{log, "none"},
		{leveled{wrapped{Log: log}, cursor.EachGroup()}, "each group"},
		{leveled{wrapped{Log: log}, cursor.Interval(10 * time.Millisecond)}, "interval 10ms"},
		{wrapped{Log: log}, "unstated"},
	} {
		j := newJournal(t, c.log, nil, cursor.JournalOptions{Name: "orders"})
		if got := j.String(); got != "journal orders, sync: "+c.want || j.Stats().Level != j.Level() || j.Stats().Name != "orders" {
			t.Errorf("%s, %+v; want %s", got, j.Stats(), c.want)
		}
	}
}

type leveled struct {
	wrapped
	level cursor.Level
}

func (l leveled) Level() cursor.Level { return l.level }

// TestJournalLatency: what an append took, and what of it the log did, is in the figures.
func TestJournalLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		j := cursor.NewJournal(g, nil, cursor.JournalOptions{})
		goAppend(t.Context(), j, about(t, "a"))
		time.Sleep(3 * time.Second)
		goAppend(t.Context(), j, about(t, "b"))
		time.Sleep(time.Second)
		close(g.let)
		synctest.Wait()
		if s := j.Stats(); s.Latency.Sum != uint64(5*time.Second) || s.Commit.Count != 2 || s.Commit.Sum != uint64(4*time.Second) {
			t.Errorf("%+v", s)
		}
		if err := j.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestJournalAllocates: nothing for an Append, and nothing for an event, beyond what the log does.
func TestJournalAllocates(t *testing.T) {
	answer := make([]core.Envelope, 1000)
	log := wrapped{Log: newLog(t, memlog.Options{}), append: func(_ context.Context, ds []cursor.Draft) ([]core.Envelope, error) {
		for i := range ds {
			answer[i].Sequence = answer[len(answer)-1].Sequence + uint64(i)
		}
		answer[len(answer)-1].Sequence += uint64(len(ds))
		return answer[:len(ds)], nil
	}}
	var sink drain
	j := newJournal(t, log, newFanout(t, sink), cursor.JournalOptions{})
	for _, n := range []int{1, 999} {
		ds := make([]cursor.Draft, n)
		for i := range ds {
			ds[i] = cursor.Draft{EventID: cursor.NewID(), Coordinate: coordinate(t, fmt.Sprint("a", i)), Kind: kind}
		}
		got := testing.AllocsPerRun(200, func() {
			if _, err := j.Append(context.Background(), ds); err != nil {
				t.Error(err)
			}
		})
		if got > 0 && !raceEnabled {
			t.Errorf("%v allocations in an Append of %d", got, n)
		}
	}
}

type drain struct{}

func (drain) Offer(core.Envelope) core.Verdict { return core.Accepted }
func (drain) Close(error)                      {}
