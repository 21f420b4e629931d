package cursor_test

import (
	"context"
	"errors"
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

// TestEachBatchIsCounted: every batch that somebody came with is queued, under way, or one of three: added, not added, unknown; when all
// have their answers nothing is under way.
func TestEachBatchIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		j := cursor.NewJournal(g, nil, cursor.JournalOptions{MaxQueued: 6})
		ctx, leave := context.WithCancelCause(t.Context())
		want := cursor.JournalStats{Batches: 2, Refused: 9, Unknown: 1}
		conflict := about(t, "a", "a")
		conflict[1].Expect = cursor.ExpectClock(9)
		goAppend(t.Context(), j, about(t, "a"))
		goAppend(t.Context(), j, conflict)           // refused by the log
		goAppend(t.Context(), j, about(t, "b"))      // with it
		goAppend(t.Context(), j, []cursor.Draft{{}}) // refused: no coordinate
		goAppend(ctx, j, about(t, "a"))              // refused: it leaves
		if _, err := j.AppendAsync(ctx, about(t, "a")); err != nil {
			t.Fatal(err)
		}
		if _, err := j.AppendAsync(t.Context(), about(t, "a", "a", "a")); err != cursor.ErrJournalFull {
			t.Fatal(err)
		}
		leave(errLeft)
		synctest.Wait()
		goAppend(ctx, j, about(t, "a")) // it is over before
		if s := j.Stats(); s.Queued != 2 || s.QueuedEvents != 3 || s.UnderWay != 1 {
			t.Errorf("%+v", s)
		}
		g.let <- nil
		synctest.Wait()
		g.let <- nil // refuses one
		synctest.Wait()
		g.let <- nil
		synctest.Wait()
		if s := j.Stats(); s.UnderWay != 0 {
			t.Errorf("%d events are under way; all have their answers", s.UnderWay)
		}
		goAppend(t.Context(), j, about(t, "c"))
		goAppend(t.Context(), j, about(t, "d")) // refused: the log fails before
		goAppend(t.Context(), j, about(t, "d"))
		g.let <- &cursor.UnknownError{Err: errSync}
		synctest.Wait()
		goAppend(t.Context(), j, about(t, "d")) // and it has failed
		s := j.Stats()
		got := cursor.JournalStats{Batches: s.Batches, Refused: s.Refused, Unknown: s.Unknown, UnderWay: s.UnderWay, Queued: s.Queued}
		if got != want {
			t.Errorf("%+v; want %+v", got, want)
		}
		if err := j.Close(t.Context()); !errors.Is(err, errSync) {
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
