package debug

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/spillwayhq/spillway/core"
)

const (
	atMost = 10          // lines of one kind in a window
	window = time.Second // which begins with its first line
)

// A kind is what a line says, and how loud.
type kind uint8

const (
	pruned kind = iota
	panicked
	lagging
	ended
	kinds
)

var (
	levels   = [kinds]slog.Level{slog.LevelWarn, slog.LevelWarn, slog.LevelWarn, slog.LevelDebug}
	messages = [kinds]string{"subscription pruned", "subscription ended by a panic", "subscription is lagging", "subscription ended"}
)

// log is what Log returns.
type log struct {
	logger *slog.Logger

	mu    sync.Mutex // not held while a line is written
	spent [kinds]spending
}

// spending is how many lines of one kind the window has had.
type spending struct {
	until   time.Time // the window's end
	written int
	leftOut int // not yet told of; more than 0: a timer is set that will
}

// Log returns an Observer that writes to l: a warning for each subscription that is pruned, that ends by a
// panic, or whose buffer is three quarters full, and a debug line for any other end. Nil is slog.Default(), as it is
// when Log is called. Beginnings aren't logged: Subscribe may be called inside a broadcast, which must not wait
// for a log.
//
// Of each of these four kinds there are at most ten lines in a second, which begins with the first of them. What is left
// out is counted, and one line more says how many, when the second is over. Nothing is left running after that.
//
// An Info doesn't know its Fanout: give each a logger of its own, slog.With("fanout", name). One Log for several
// is allowed; they share its ten lines. A logger that blocks delays the ends behind it, never a broadcast.
func Log(l *slog.Logger) core.LagObserver {
	if l == nil {
		l = slog.Default()
	}
	return &log{logger: l}
}

// Subscribed writes nothing.
func (l *log) Subscribed(core.Info) {}

// Lagging warns that i's buffer is three quarters full.
func (l *log) Lagging(i core.Info) { l.write(lagging, i) }

// Ended says how i ended.
func (l *log) Ended(i core.Info, cause error) {
	var (
		prune *core.PrunedError
		crash *core.PanicError
	)
	switch {
	case errors.As(cause, &prune):
		more := []slog.Attr{slog.String("verdict", prune.Verdict.String())}
		if prune.HasMissed {
			more = append(more, slog.Uint64("missed", prune.Missed))
		}
		l.write(pruned, i, append(more, slog.Any("err", cause))...)
	case errors.As(cause, &crash):
		l.write(panicked, i, slog.Any("err", cause))
	default:
		l.write(ended, i, slog.Any("err", cause))
	}
}

// write writes a line about i, unless its kind has had its lines.
func (l *log) write(k kind, i core.Info, more ...slog.Attr) {
	ctx := context.Background()
	if !l.logger.Enabled(ctx, levels[k]) || !l.admit(k, time.Now()) {
		return
	}
	l.logger.LogAttrs(ctx, levels[k], messages[k], append([]slog.Attr{
		slog.Uint64("id", i.ID),
		slog.String("region", i.Region.String()),
		slog.String("sink", i.Sink),
		slog.Int("held", i.Held),
		slog.Int("capacity", i.Capacity),
		slog.Uint64("lost", i.Lost),
		slog.Time("since", i.Since),
		slog.String("site", i.Site),
	}, more...)...)
}

// admit tells whether a line of this kind may be written now. The first that may not sets the timer for the window's
// end, once.
func (l *log) admit(k kind, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.spent[k]
	if !now.Before(s.until) {
		s.until, s.written = now.Add(window), 0
	}
	if s.written < atMost {
		s.written++
		return true
	}
	if s.leftOut == 0 {
		time.AfterFunc(s.until.Sub(now), func() { l.summarize(k) })
	}
	s.leftOut++
	return false
}

// summarize says how many lines were left out. It runs on the timer's goroutine, where a panic of the logger's
// would end the program; on the Fanout's it is recovered.
func (l *log) summarize(k kind) {
	defer func() { _ = recover() }()
	l.mu.Lock()
	n := l.spent[k].leftOut
	l.spent[k].leftOut = 0
	l.mu.Unlock()
	l.logger.LogAttrs(context.Background(), levels[k], messages[k]+": lines left out", slog.Int("count", n))
}
