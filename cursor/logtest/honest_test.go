package logtest_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/logtest"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// small has every limit that memlog can have.
var small = memlog.Options{MaxEvents: 20_000, MaxBytes: 1 << 16, MaxEntities: 24}

func newLog() *memlog.Log {
	log, err := memlog.New(small)
	if err != nil {
		panic(err)
	}
	return log
}

// honest opens a memlog.
func honest() logtest.Subject {
	log := newLog()
	return logtest.Subject{Log: log, Compact: log.Compact}
}

// A handle is a Log that outlives its Close, as one on a disk does.
type handle struct {
	*memlog.Log
	closed context.Context
	close  context.CancelCauseFunc
}

func handleOf(log *memlog.Log) *handle {
	h := &handle{Log: log}
	h.closed, h.close = context.WithCancelCause(context.Background())
	return h
}

func (h *handle) err() error { return context.Cause(h.closed) }

func (h *handle) Append(ctx context.Context, ds []cursor.Draft) ([]core.Envelope, error) {
	if h.err() != nil {
		return nil, h.err()
	}
	return h.Log.Append(ctx, ds)
}

func (h *handle) Read(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (int, uint64, error) {
	if h.err() != nil {
		return 0, from, h.err()
	}
	return h.Log.Read(ctx, r, from, dst)
}

func (h *handle) Bounds(ctx context.Context) (cursor.Bounds, error) {
	if h.err() != nil {
		return cursor.Bounds{}, h.err()
	}
	return h.Log.Bounds(ctx)
}

func (h *handle) Wait(ctx context.Context, next uint64) error {
	if h.err() != nil {
		return h.err()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(h.closed, func() { cancel(h.err()) })()
	return h.Log.Wait(ctx, next)
}

func (h *handle) Close() error {
	h.close(cursor.ErrClosed)
	return nil
}

// durable opens a memlog whose events outlive it.
func durable() logtest.Subject {
	log := newLog()
	return logtest.Subject{
		Log:     handleOf(log),
		Compact: log.Compact,
		Join:    func() (cursor.Log, error) { return handleOf(log), nil },
		Reopen:  func() (cursor.Log, error) { return handleOf(log), nil },
	}
}

// TestHonest: a Log that keeps to the rules passes, with limits and without, durable or not.
func TestHonest(t *testing.T) {
	t.Run("memlog", func(t *testing.T) { logtest.Run(t, honest) })
	if err := logtest.Check(durable); err != nil {
		t.Errorf("a durable log: %v", err)
	}
	if err := logtest.Check(func() logtest.Subject { return nodes(cursor.OrderPerNode, false) }); err != nil {
		t.Errorf("a log to which several nodes append: %v", err)
	}
	if err := logtest.Check(slow); err != nil {
		t.Errorf("a log that reads one event at a time: %v", err)
	}
}

// A slowReader reads no more than an event, and looks at few: whoever reads it has to go on.
type slowReader struct{ *memlog.Log }

func (s slowReader) Read(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (int, uint64, error) {
	if r.Validate() != nil || len(dst) == 0 {
		return s.Log.Read(ctx, r, from, dst)
	}
	all := make([]core.Envelope, 3)
	n, next, err := s.Log.Read(ctx, region.Region{}, from, all)
	if err != nil {
		return 0, from, err
	}
	for i := range n {
		if cursor.Selects(&r, &all[i].Notification) {
			dst[0] = all[i]
			return 1, all[i].Sequence + 1, nil
		}
	}
	return 0, next, nil
}

func slow() logtest.Subject {
	log := newLog()
	return logtest.Subject{Log: slowReader{log}, Compact: log.Compact}
}

// TestSubjects: one that can't be checked is told why.
func TestSubjects(t *testing.T) {
	for want, change := range map[string]func(s *logtest.Subject){
		"Subject.Log is nil":               func(s *logtest.Subject) { s.Log = nil },
		"Subject.Compact is nil":           func(s *logtest.Subject) { s.Compact = nil },
		"the limit Batch is 3; want":       func(s *logtest.Subject) { s.Log = stating{s.Log, cursor.Limits{Batch: 3}} },
		"the limit RepeatsFor is 1s; want": func(s *logtest.Subject) { s.Log = stating{s.Log, cursor.Limits{RepeatsFor: time.Second}} },
		"Subject.Join is nil":              func(s *logtest.Subject) { s.Log = stating{s.Log, cursor.Limits{Clocks: cursor.OrderPerNode}} },
		"the limit Entities is 1; want":    func(s *logtest.Subject) { s.Log = stating{s.Log, cursor.Limits{Entities: 1}} },
	} {
		err := logtest.Check(func() logtest.Subject {
			s := honest()
			change(&s)
			return s
		})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want %q", err, want)
		}
	}
}

// A stating is a Log that states other Limits.
type stating struct {
	cursor.Log
	limits cursor.Limits
}

func (s stating) Limits() cursor.Limits { return s.limits }

// TestPanicsAreCaught: a Log that panics breaks the clause; it doesn't end the kit.
func TestPanicsAreCaught(t *testing.T) {
	var once sync.Once
	err := logtest.Check(lying(func(l *liar, _ *logtest.Subject) {
		l.bounds = func(ctx context.Context) (b cursor.Bounds, err error) {
			once.Do(func() { panic("no bounds") })
			return l.Log.Bounds(ctx)
		}
	}))
	broken, ok := errors.AsType[*logtest.ClauseError](err)
	if !ok || broken.Clause != "begins empty" || !strings.Contains(err.Error(), "panicked: no bounds") {
		t.Errorf("got %v; want that it panicked", err)
	}
}
