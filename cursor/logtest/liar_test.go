package logtest_test

import (
	"context"
	"sync"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/logtest"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// A liar is a memlog with one thing changed.
type liar struct {
	*memlog.Log
	id     func() cursor.LogID
	limits func() cursor.Limits
	append func(ctx context.Context, ds []cursor.Draft) ([]core.Envelope, error)
	read   func(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (int, uint64, error)
	bounds func(ctx context.Context) (cursor.Bounds, error)
	wait   func(ctx context.Context, next uint64) error
	close  func() error
}

func (l *liar) ID() cursor.LogID      { return l.id() }
func (l *liar) Limits() cursor.Limits { return l.limits() }

func (l *liar) Append(ctx context.Context, ds []cursor.Draft) ([]core.Envelope, error) {
	return l.append(ctx, ds)
}

func (l *liar) Read(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (int, uint64, error) {
	return l.read(ctx, r, from, dst)
}
func (l *liar) Bounds(ctx context.Context) (cursor.Bounds, error) { return l.bounds(ctx) }
func (l *liar) Wait(ctx context.Context, next uint64) error       { return l.wait(ctx, next) }
func (l *liar) Close() error                                      { return l.close() }

// lying returns a way to open a Log that change has changed.
func lying(change func(l *liar, s *logtest.Subject)) func() logtest.Subject {
	return func() logtest.Subject {
		log := newLog()
		l := &liar{
			Log: log, id: log.ID, limits: log.Limits, append: log.Append, read: log.Read, bounds: log.Bounds, wait: log.Wait,
			close: log.Close,
		}
		s := logtest.Subject{Log: l, Compact: log.Compact}
		change(l, &s)
		return s
	}
}

// retelling changes each event that is answered, and read.
func retelling(change func(e *core.Envelope)) func() logtest.Subject {
	return lying(func(l *liar, _ *logtest.Subject) {
		l.append = func(ctx context.Context, ds []cursor.Draft) ([]core.Envelope, error) {
			made, err := l.Log.Append(ctx, ds)
			for i := range made {
				change(&made[i])
			}
			return made, err
		}
		l.read = func(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (int, uint64, error) {
			n, next, err := l.Log.Read(ctx, r, from, dst)
			for i := range dst[:n] {
				change(&dst[i])
			}
			return n, next, err
		}
	})
}

// reading changes what Read does.
func reading(read func(log *memlog.Log, ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (int, uint64, error)) func() logtest.Subject {
	return lying(func(l *liar, _ *logtest.Subject) {
		l.read = func(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (int, uint64, error) {
			return read(l.Log, ctx, r, from, dst)
		}
	})
}

// appending changes what Append does.
func appending(appends func(log *memlog.Log, ctx context.Context, ds []cursor.Draft) ([]core.Envelope, error)) func() logtest.Subject {
	return lying(func(l *liar, _ *logtest.Subject) {
		l.append = func(ctx context.Context, ds []cursor.Draft) ([]core.Envelope, error) { return appends(l.Log, ctx, ds) }
	})
}

// waiting changes what Wait does.
func waiting(wait func(log *memlog.Log, ctx context.Context, next uint64) error) func() logtest.Subject {
	return lying(func(l *liar, _ *logtest.Subject) {
		l.wait = func(ctx context.Context, next uint64) error { return wait(l.Log, ctx, next) }
	})
}

// stated changes what Limits states.
func stated(change func(l *cursor.Limits)) func() logtest.Subject {
	return lying(func(l *liar, _ *logtest.Subject) {
		limits := l.Log.Limits()
		change(&limits)
		l.limits = func() cursor.Limits { return limits }
	})
}

type (
	envelopes = []core.Envelope
	drafts    = []cursor.Draft
)

// appendAgain appends repeats of those events that forgotten says anew.
func appendAgain(log *memlog.Log, ctx context.Context, ds drafts, forgotten func(core.Envelope) bool) (envelopes, error) {
	anew := append(drafts(nil), ds...)
	b, err := log.Bounds(ctx)
	if err != nil {
		return nil, err
	}
	for from := b.First; ; {
		dst := make(envelopes, 500)
		n, next, err := log.Read(ctx, region.Region{}, from, dst)
		if err != nil {
			return nil, err
		}
		if next == from {
			break
		}
		for _, e := range dst[:n] {
			for i := range anew {
				if anew[i].Made(&e) && forgotten(e) {
					anew[i].EventID, anew[i].Expect = cursor.NewID(), cursor.Expect{}
				}
			}
		}
		from = next
	}
	return log.Append(ctx, anew)
}

// forgetful has clocks begin anew when no event is left.
func forgetful() logtest.Subject {
	var mu sync.Mutex
	var base uint32 // what alice's clock was when all went
	s := lying(func(l *liar, s *logtest.Subject) {
		l.append = func(ctx context.Context, ds drafts) (envelopes, error) {
			mu.Lock()
			defer mu.Unlock()
			ds = append(drafts(nil), ds...)
			for i := range ds {
				if n, ok := ds[i].Expect.Clock(); ok {
					ds[i].Expect = cursor.ExpectClock(n + base)
				}
			}
			made, err := l.Log.Append(ctx, ds)
			for i := range made {
				made[i].Position.Sequence -= base
			}
			return made, err
		}
		l.read = func(ctx context.Context, r region.Region, from uint64, dst envelopes) (int, uint64, error) {
			n, next, err := l.Log.Read(ctx, r, from, dst)
			mu.Lock()
			defer mu.Unlock()
			for i := range dst[:n] {
				dst[i].Position.Sequence -= base
			}
			return n, next, err
		}
		s.Compact = func(ctx context.Context, first uint64) error {
			mu.Lock()
			defer mu.Unlock()
			if b, err := l.Log.Bounds(ctx); err == nil && first == b.Next && first == 5 {
				base = 5
			}
			return l.Compact(ctx, first)
		}
	})
	return s()
}

// wiping uses the memory of payloads again once retention has passed them.
func wiping() logtest.Subject {
	var mu sync.Mutex
	var given envelopes
	return lying(func(l *liar, s *logtest.Subject) {
		l.read = func(ctx context.Context, r region.Region, from uint64, dst envelopes) (int, uint64, error) {
			n, next, err := l.Log.Read(ctx, r, from, dst)
			for i := range dst[:n] {
				dst[i].Payload = append([]byte(nil), dst[i].Payload...)
			}
			mu.Lock()
			defer mu.Unlock()
			given = append(given, dst[:n]...)
			return n, next, err
		}
		s.Compact = func(ctx context.Context, first uint64) error {
			mu.Lock()
			defer mu.Unlock()
			for _, e := range given {
				if e.Sequence < first {
					clear(e.Payload)
				}
			}
			return l.Compact(ctx, first)
		}
	})()
}
