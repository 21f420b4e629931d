package logtest_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/logtest"
	"github.com/spillwayhq/spillway/region"
)

// recalling reads by what was kept of each Append: the Draft and the Envelope, where the caller has them.
func recalling(recall func(e, answered *core.Envelope, d *cursor.Draft)) logtest.Subject {
	type pair struct {
		d *cursor.Draft
		e *core.Envelope
	}
	var mu sync.Mutex
	kept := make(map[uint64]pair)
	return lying(func(l *liar, _ *logtest.Subject) {
		l.append = func(ctx context.Context, ds drafts) (envelopes, error) {
			made, err := l.Log.Append(ctx, ds)
			mu.Lock()
			defer mu.Unlock()
			for i := range made {
				kept[made[i].Sequence] = pair{&ds[i], &made[i]}
			}
			return made, err
		}
		l.read = func(ctx context.Context, r region.Region, from uint64, dst envelopes) (int, uint64, error) {
			n, next, err := l.Log.Read(ctx, r, from, dst)
			mu.Lock()
			defer mu.Unlock()
			for i := range dst[:n] {
				if p, ok := kept[dst[i].Sequence]; ok {
					recall(&dst[i], p.e, p.d)
				}
			}
			return n, next, err
		}
	})()
}

func keepsDrafts() logtest.Subject {
	return recalling(func(e, _ *core.Envelope, d *cursor.Draft) { e.Payload = d.Payload })
}

func keepsAnswers() logtest.Subject {
	return recalling(func(e, answered *core.Envelope, _ *cursor.Draft) { *e = *answered })
}

// looksFirst finds out whether an entity is as expected, and then appends whatever it has become. In the bubble, all who look
// do so before the first appends.
func looksFirst() logtest.Subject {
	var mu sync.Mutex
	clocks := make(map[region.Coordinate]uint32)
	return lying(func(l *liar, _ *logtest.Subject) {
		l.append = func(ctx context.Context, ds drafts) (envelopes, error) {
			if len(ds) == 1 {
				mu.Lock()
				met := ds[0].Expect.Met(clocks[ds[0].Coordinate])
				mu.Unlock()
				if met {
					time.Sleep(time.Millisecond)
					ds = append(drafts(nil), ds...)
					ds[0].Expect = cursor.Expect{}
				}
			}
			made, err := l.Log.Append(ctx, ds)
			mu.Lock()
			defer mu.Unlock()
			for _, e := range made {
				clocks[e.Coordinate] = max(clocks[e.Coordinate], e.Position.Sequence)
			}
			return made, err
		}
	})()
}

// looksForRepeats finds out whether there is an event of the id, and then appends one.
func looksForRepeats() logtest.Subject {
	var mu sync.Mutex
	known, first := make(map[core.ID]bool), make(map[core.ID]core.ID) // ids in the log; what was first said of those made up
	return lying(func(l *liar, _ *logtest.Subject) {
		l.append = func(ctx context.Context, ds drafts) (envelopes, error) {
			if len(ds) != 1 || ds[0].EventID == (core.ID{}) {
				return l.Log.Append(ctx, ds)
			}
			id := ds[0].EventID
			mu.Lock()
			found := known[id]
			mu.Unlock()
			if !found {
				time.Sleep(time.Millisecond)
				mu.Lock()
				defer mu.Unlock()
				if known[id] { // another was quicker
					ds = append(drafts(nil), ds...)
					ds[0].EventID, ds[0].Expect = cursor.NewID(), cursor.Expect{}
					first[ds[0].EventID] = id
				}
			}
			made, err := l.Log.Append(ctx, ds)
			if err == nil && !found {
				known[id] = true
				made[0].EventID = id
			}
			return made, err
		}
		l.read = func(ctx context.Context, r region.Region, from uint64, dst envelopes) (int, uint64, error) {
			n, next, err := l.Log.Read(ctx, r, from, dst)
			mu.Lock()
			defer mu.Unlock()
			for i := range dst[:n] {
				if id, ok := first[dst[i].EventID]; ok {
					dst[i].EventID = id
				}
			}
			return n, next, err
		}
	})()
}

// breaksOff has appends that are under way when it is closed fail in a way of their own.
func breaksOff() logtest.Subject {
	var closed atomic.Bool
	return lying(func(l *liar, _ *logtest.Subject) {
		l.append = func(ctx context.Context, ds drafts) (envelopes, error) {
			open := !closed.Load()
			if open && len(ds) == 1 {
				time.Sleep(time.Millisecond) // in the bubble: until all are here
			}
			made, err := l.Log.Append(ctx, ds)
			if open && errors.Is(err, cursor.ErrClosed) {
				err = errors.New("the connection is reset")
			}
			return made, err
		}
		l.close = func() error {
			closed.Store(true)
			return l.Log.Close()
		}
	})()
}

// A hasty answers what is under way when it is closed as if it were appended.
type hasty struct{ *handle }

func (h hasty) Append(ctx context.Context, ds drafts) (envelopes, error) {
	open := h.err() == nil
	if open && len(ds) == 1 {
		time.Sleep(time.Millisecond)
	}
	made, err := h.handle.Append(ctx, ds)
	if open && errors.Is(err, cursor.ErrClosed) {
		return envelopes{{Notification: core.Notification{EventID: ds[0].EventID, Coordinate: ds[0].Coordinate}}}, nil
	}
	return made, err
}

func answersClosed() logtest.Subject {
	s := durable()
	s.Log = hasty{s.Log.(*handle)}
	return s
}

// A node appends to a Log to which others append as well, by a wall clock that is ten seconds behind; or it says that it stands
// still.
type node struct {
	*handle
	order  cursor.ClockOrder
	late   func(*core.Envelope) // changes what those who are behind append
	of     *ofNodes
	second bool
}

// ofNodes says which events are the second node's.
type ofNodes struct {
	mu   sync.Mutex
	seqs map[uint64]bool
}

func (n *node) Limits() cursor.Limits {
	l := n.handle.Limits()
	l.Clocks = n.order
	return l
}

func (n *node) Append(ctx context.Context, ds drafts) (envelopes, error) {
	n.of.mu.Lock()
	defer n.of.mu.Unlock()
	b, err := n.Bounds(ctx)
	if err != nil {
		return nil, err
	}
	made, err := n.handle.Append(ctx, ds)
	for i := range made {
		if n.second && made[i].Sequence >= b.Next {
			n.of.seqs[made[i].Sequence] = true
		}
		n.tell(&made[i])
	}
	return made, err
}

func (n *node) Read(ctx context.Context, r region.Region, from uint64, dst envelopes) (int, uint64, error) {
	count, next, err := n.handle.Read(ctx, r, from, dst)
	n.of.mu.Lock()
	defer n.of.mu.Unlock()
	for i := range dst[:count] {
		n.tell(&dst[i])
	}
	return count, next, err
}

func (n *node) tell(e *core.Envelope) {
	if n.of.seqs[e.Sequence] {
		n.late(e)
	}
}

// nodes opens a memlog to which two append, the second one behind the first.
func nodes(order cursor.ClockOrder, still bool) logtest.Subject {
	log := newLog()
	late := func(e *core.Envelope) { e.Position.WallMS -= 10_000 }
	if still {
		late = func(e *core.Envelope) { e.Position.WallMS, e.Position.Counter = 0, 7 }
	}
	of := &ofNodes{seqs: make(map[uint64]bool)}
	open := func(second bool) cursor.Log {
		return &node{handle: handleOf(log), order: order, late: late, of: of, second: second}
	}
	return logtest.Subject{
		Log:     open(false),
		Compact: log.Compact,
		Join:    func() (cursor.Log, error) { return open(true), nil },
	}
}
