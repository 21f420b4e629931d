package logtest_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/logtest"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// liars has one at least for each clause, each caught by that clause alone.
var liars = []struct {
	name, clause string
	open         func() logtest.Subject
}{
	{"another ID each time", "identity", lying(func(l *liar, _ *logtest.Subject) { l.id = cursor.NewLogID })},
	{"one ID for all", "identity", lying(func(l *liar, _ *logtest.Subject) { l.id = func() cursor.LogID { return cursor.LogID{1} } })},
	{"begins at 1", "begins empty", lying(func(l *liar, _ *logtest.Subject) {
		c, _ := region.NewCoordinate("alice", "shop")
		_, _ = l.Log.Append(context.Background(), drafts{{Coordinate: c}})
	})},
	{"answers backwards", "answers with what was appended", appending(func(log *memlog.Log, ctx context.Context, ds drafts) (envelopes, error) {
		made, err := log.Append(ctx, ds)
		if len(made) > 1 {
			made[0], made[1] = made[1], made[0]
		}
		return made, err
	})},
	{"refuses nothing at all", "answers with what was appended", appending(func(log *memlog.Log, ctx context.Context, ds drafts) (envelopes, error) {
		if len(ds) == 0 {
			return nil, errors.New("the batch is empty")
		}
		return log.Append(ctx, ds)
	})},
	{"stays where it finds nothing", "moves on", reading(func(log *memlog.Log, ctx context.Context, r region.Region, from uint64, dst envelopes) (int, uint64, error) {
		n, next, err := log.Read(ctx, r, from, dst)
		if n == 0 {
			next = from
		}
		return n, next, err
	})},
	{"writes beyond what it returns", "moves on", reading(func(log *memlog.Log, ctx context.Context, r region.Region, from uint64, dst envelopes) (int, uint64, error) {
		n, next, err := log.Read(ctx, r, from, dst)
		clear(dst[n:])
		return n, next, err
	})},
	{"goes on beyond the end", "moves on", reading(func(log *memlog.Log, ctx context.Context, r region.Region, from uint64, dst envelopes) (int, uint64, error) {
		n, next, err := log.Read(ctx, r, from, dst)
		if err == nil && n < len(dst) && r != (region.Region{}) {
			next++
		}
		return n, next, err
	})},
	{"reads no payload", "reads what was appended", reading(func(log *memlog.Log, ctx context.Context, r region.Region, from uint64, dst envelopes) (int, uint64, error) {
		n, next, err := log.Read(ctx, r, from, dst)
		for i := range dst[:n] {
			dst[i].Payload = nil
		}
		return n, next, err
	})},
	{"passes over one where it stops", "reads what was appended", reading(func(log *memlog.Log, ctx context.Context, r region.Region, from uint64, dst envelopes) (int, uint64, error) {
		n, next, err := log.Read(ctx, r, from, dst)
		if b, _ := log.Bounds(ctx); n == len(dst) && n > 1 && next < b.Next {
			next++
		}
		return n, next, err
	})},
	{"keeps the drafts that it was given", "reads what was appended", keepsDrafts},
	{"keeps the envelopes that it has answered", "reads what was appended", keepsAnswers},
	{"counts from 0", "an entity's clock counts", retelling(func(e *core.Envelope) { e.Position.Sequence-- })},
	{"stands still", "the log's clock goes forward", retelling(func(e *core.Envelope) { e.Position.WallMS, e.Position.Counter = 7, 7 })},
	{"a clock of its own", "the log's clock goes forward", retelling(func(e *core.Envelope) { e.Position.WallMS -= 1 << 33 })},
	{"a clock order of its own", "the log's clock goes forward", stated(func(l *cursor.Limits) { l.Clocks = 7 })},
	{"overlooks the clock", "reads by region", reading(func(log *memlog.Log, ctx context.Context, r region.Region, from uint64, dst envelopes) (int, uint64, error) {
		if r.Validate() == nil {
			r.Clock = region.ClockRange{}
		}
		return log.Read(ctx, r, from, dst)
	})},
	{"waits for what is beyond the end", "beyond the end is said", reading(func(log *memlog.Log, ctx context.Context, r region.Region, from uint64, dst envelopes) (int, uint64, error) {
		n, next, err := log.Read(ctx, r, from, dst)
		if errors.Is(err, cursor.ErrBeyond) {
			err = nil
		}
		return n, next, err
	})},
	{"finds nothing of a region beyond the end", "beyond the end is said", reading(func(log *memlog.Log, ctx context.Context, r region.Region, from uint64, dst envelopes) (int, uint64, error) {
		n, next, err := log.Read(ctx, r, from, dst)
		if errors.Is(err, cursor.ErrBeyond) && r.Entity != "" {
			err = nil
		}
		return n, next, err
	})},
	{"says nothing about bad regions", "bad regions are refused", reading(func(log *memlog.Log, ctx context.Context, r region.Region, from uint64, dst envelopes) (int, uint64, error) {
		if r.Validate() != nil {
			return 0, from, nil
		}
		return log.Read(ctx, r, from, dst)
	})},
	{"expects nothing", "expectations", appending(func(log *memlog.Log, ctx context.Context, ds drafts) (envelopes, error) {
		ds = append(drafts(nil), ds...)
		for i := range ds {
			ds[i].Expect = cursor.Expect{}
		}
		return log.Append(ctx, ds)
	})},
	{"doesn't say what the clock is", "expectations", appending(func(log *memlog.Log, ctx context.Context, ds drafts) (envelopes, error) {
		made, err := log.Append(ctx, ds)
		if conflict, ok := errors.AsType[*cursor.ConflictError](err); ok {
			conflict.Actual = 0
		}
		return made, err
	})},
	{"keeps what came before the fault", "all or none", appending(func(log *memlog.Log, ctx context.Context, ds drafts) (envelopes, error) {
		made, err := log.Append(ctx, ds)
		if fault, ok := errors.AsType[*cursor.DraftError](err); ok && len(ds) > 2 {
			_, _ = log.Append(ctx, ds[:fault.Index])
		}
		return made, err
	})},
	{"appends again", "repeats are answered as the first time", appending(func(log *memlog.Log, ctx context.Context, ds drafts) (envelopes, error) {
		return appendAgain(log, ctx, ds, func(core.Envelope) bool { return true })
	})},
	{"expects it of repeats", "repeats are answered as the first time", appending(func(log *memlog.Log, ctx context.Context, ds drafts) (envelopes, error) {
		if b, err := log.Bounds(ctx); err == nil && b.Next > 0 && len(ds) == 2 {
			if n, ok := ds[0].Expect.Clock(); ok && n == 0 {
				return nil, &cursor.DraftError{Err: &cursor.ConflictError{Coordinate: ds[0].Coordinate, Actual: 1}}
			}
		}
		return log.Append(ctx, ds)
	})},
	{"forgets after a thousand", "repeats are recognized as long as stated", appending(func(log *memlog.Log, ctx context.Context, ds drafts) (envelopes, error) {
		b, _ := log.Bounds(ctx)
		return appendAgain(log, ctx, ds, func(e core.Envelope) bool { return e.Sequence+1000 < b.Next })
	})},
	{"states a smaller batch than it takes", "limits are as stated", stated(func(l *cursor.Limits) { l.Batch-- })},
	{"states a larger payload than it takes", "limits are as stated", stated(func(l *cursor.Limits) { l.Payload, l.BatchBytes = l.Payload+1, l.BatchBytes+1 })},
	{"states fewer entities than it takes", "limits are as stated", stated(func(l *cursor.Limits) { l.Entities-- })},
	{"states fewer bytes than it takes", "limits are as stated", stated(func(l *cursor.Limits) { l.BatchBytes, l.Payload = 64, 16 })},
	{"jumps to the oldest", "compacted is said", reading(func(log *memlog.Log, ctx context.Context, r region.Region, from uint64, dst envelopes) (int, uint64, error) {
		n, next, err := log.Read(ctx, r, from, dst)
		if compacted, ok := errors.AsType[*cursor.CompactedError](err); ok {
			return log.Read(ctx, r, compacted.First, dst)
		}
		return n, next, err
	})},
	{"begins anew when all is gone", "clocks outlive events", forgetful},
	{"wipes what it drops", "payloads stay as they are", wiping},
	{"appends though the context is over", "a context that is over does nothing", appending(func(log *memlog.Log, ctx context.Context, ds drafts) (envelopes, error) {
		made, err := log.Append(context.WithoutCancel(ctx), ds)
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return made, err
	})},
	{"is not woken", "Wait sleeps and wakes", waiting(func(log *memlog.Log, ctx context.Context, next uint64) error {
		if b, err := log.Bounds(ctx); err != nil || b.Next > next {
			return err
		}
		<-ctx.Done()
		return context.Cause(ctx)
	})},
	{"is woken by whatever is appended", "Wait sleeps and wakes", waiting(func(log *memlog.Log, ctx context.Context, next uint64) error {
		b, err := log.Bounds(ctx)
		if err != nil {
			return err
		}
		return log.Wait(ctx, min(next, b.Next))
	})},
	{"does not sleep", "Wait sleeps and wakes", waiting(func(log *memlog.Log, ctx context.Context, _ uint64) error {
		_, err := log.Bounds(ctx)
		return err
	})},
	{"sleeps on when closed", "closed is closed", waiting(func(log *memlog.Log, ctx context.Context, next uint64) error {
		err := log.Wait(ctx, next)
		if errors.Is(err, cursor.ErrClosed) {
			<-ctx.Done()
		}
		return err
	})},
	{"is empty when closed", "closed is closed", reading(func(log *memlog.Log, ctx context.Context, r region.Region, from uint64, dst envelopes) (int, uint64, error) {
		n, next, err := log.Read(ctx, r, from, dst)
		if errors.Is(err, cursor.ErrClosed) {
			err = nil
		}
		return n, next, err
	})},
	{"lets others in between", "many at once", appending(func(log *memlog.Log, ctx context.Context, ds drafts) (envelopes, error) {
		for _, d := range ds {
			if d.EventID != (core.ID{}) {
				return log.Append(ctx, ds)
			}
		}
		var made envelopes
		for i := range ds {
			one, err := log.Append(ctx, ds[i:i+1])
			if err != nil {
				return nil, err
			}
			made = append(made, one...)
			runtime.Gosched()
		}
		return made, nil
	})},
	{"passes over what came meanwhile", "many at once", reading(func(log *memlog.Log, ctx context.Context, r region.Region, from uint64, dst envelopes) (int, uint64, error) {
		n, next, err := log.Read(ctx, r, from, dst)
		if err == nil && n < len(dst) && r != (region.Region{}) {
			time.Sleep(time.Millisecond) // in the bubble: the others go on
			if b, err := log.Bounds(ctx); err == nil && next+4096 > b.Next {
				next = b.Next
			}
		}
		return n, next, err
	})},
	{"looks what the clock is before it appends", "of several at once one is first", looksFirst},
	{"looks for repeats before it appends", "of several at once one is first", looksForRepeats},
	{"loses what is dropped meanwhile", "nothing is lost between a Read and retention", reading(func(log *memlog.Log, ctx context.Context, r region.Region, from uint64, dst envelopes) (int, uint64, error) {
		n, next, err := log.Read(ctx, r, from, dst)
		if n == 0 || n > 7 {
			return n, next, err
		}
		time.Sleep(time.Millisecond) // in the bubble: the others go on
		b, err := log.Bounds(ctx)
		dropped := 0
		for err == nil && dropped < n && dst[dropped].Sequence < b.First {
			dropped++
		}
		copy(dst, dst[dropped:n])
		return n - dropped, next, err
	})},
	{"has an error of its own when closed", "Close ends what is under way", breaksOff},
	{"answers though it is closed", "Close ends what is under way", answersClosed},
	{"states the order of all clocks", "several nodes append to one log", func() logtest.Subject { return nodes(cursor.TotalOrder, false) }},
	{"has a node's clock stand still", "several nodes append to one log", func() logtest.Subject { return nodes(cursor.OrderPerNode, true) }},
	{"is another one for each node", "several nodes append to one log", func() logtest.Subject {
		s := honest()
		s.Join = func() (cursor.Log, error) { return newLog(), nil }
		return s
	}},
	{"is another one when opened again", "opened again it goes on", func() logtest.Subject {
		s := durable()
		s.Reopen = func() (cursor.Log, error) { return handleOf(newLog()), nil }
		return s
	}},
	{"has lost its end when opened again", "opened again it goes on", func() logtest.Subject {
		log := newLog()
		return logtest.Subject{
			Log:     handleOf(log),
			Compact: log.Compact,
			Reopen: func() (cursor.Log, error) {
				b, err := log.Bounds(context.Background())
				if err == nil {
					err = log.Compact(context.Background(), b.Next-1)
				}
				return handleOf(log), err
			},
		}
	}},
}

// TestLiars: each liar is caught by its clause, and by no other. In a bubble, waiting for one who sleeps takes no time.
func TestLiars(t *testing.T) {
	for _, l := range liars {
		t.Run(l.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { caught(t, l.clause, l.open) })
		})
	}
}

func caught(t *testing.T, clause string, open func() logtest.Subject) {
	t.Helper()
	err := logtest.Check(open)
	broken, ok := errors.AsType[*logtest.ClauseError](err)
	if !ok {
		t.Fatalf("Check = %v; want clause %q broken", err, clause)
	}
	if joined := err.(interface{ Unwrap() []error }).Unwrap(); len(joined) != 1 || broken.Clause != clause {
		t.Errorf("caught by %v; want clause %q alone", err, clause)
	}
	t.Log(err)
}

// TestEveryClauseHasItsLiar: a clause that nobody can break checks nothing.
func TestEveryClauseHasItsLiar(t *testing.T) {
	has := make(map[string]bool)
	for _, l := range liars {
		has[l.clause] = true
	}
	for _, clause := range logtest.Clauses() {
		if !has[clause] {
			t.Errorf("no liar breaks %q", clause)
		}
		delete(has, clause)
	}
	for clause := range has {
		t.Errorf("%q is no clause", clause)
	}
}
