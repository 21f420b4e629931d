package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/region"
)

// A ledger is the log that a replay goes through: event n of the input is event n of the log.
type ledger struct {
	dir     string
	events  []*core.Envelope
	log     *disklog.Log
	fanout  *core.Fanout[core.Envelope]
	journal *cursor.Journal
	resumed uint64            // so many events were in the log before
	told    func(next uint64) // of what is in the log at first, and of each answer: all below next is acknowledged

	drafts []cursor.Draft
	err    error // why nothing is appended any more
}

// appendBatch is how many events are appended together.
const appendBatch = 1024

// newLedger opens the log of a folder, or begins one, and finds where in events it ends.
func newLedger(ctx context.Context, dir string, sync cursor.Level, events []*core.Envelope, std stdio) (*ledger, error) {
	empty, err := emptyFolder(dir)
	if err != nil {
		return nil, err
	}
	log, err := openFolder(dir, disklog.Options{Sync: sync, MustExist: !empty}, std.err)
	if errors.Is(err, disklog.ErrNoLog) {
		return nil, fmt.Errorf("%s: is not empty, and has no log in it: give --log another folder", dir)
	}
	if err != nil {
		return nil, err
	}
	told := std.told
	if told == nil {
		told = func(uint64) {}
	}
	l := &ledger{dir: dir, events: events, log: log, told: told}
	if err := l.findPlace(ctx); err != nil {
		return nil, closeLog(log, err)
	}
	l.told(l.resumed)
	l.fanout = core.New(core.Config[core.Envelope]{Name: "replay", Locate: core.Envelope.Point, SingleWriter: true})
	l.journal = cursor.NewJournal(log, l.fanout, cursor.JournalOptions{Name: "replay"})
	return l, nil
}

// findPlace looks how far the log has come, and that it holds the beginning of the input and nothing else.
func (l *ledger) findPlace(ctx context.Context) error {
	b, err := l.log.Bounds(ctx)
	switch {
	case err != nil:
		return err
	case b.First > 0:
		return fmt.Errorf("%s: events below %d have been dropped, and a replay needs them all: give --log another folder", l.dir, b.First)
	case b.Next > uint64(len(l.events)):
		return fmt.Errorf("%s: the log has %d events, and the input only %d: it is another input's", l.dir, b.Next, len(l.events))
	}
	l.resumed = b.Next
	return eachEvent(ctx, l.log, region.Region{}, cursor.FromStart(), func(e *core.Envelope) error {
		if !equalEvents(e, l.events[e.Sequence]) {
			return fmt.Errorf("%s: event %d of the log is not the input's: it is another input's", l.dir, e.Sequence)
		}
		return nil
	})
}

// uniqueIDs tells which two events have one id, if any do: a log would take the second for the first.
func uniqueIDs(events []*core.Envelope) error {
	seen := make(map[core.ID]uint64, len(events))
	for _, e := range events {
		if first, ok := seen[e.EventID]; ok {
			return fmt.Errorf("events %d and %d of the input have the same id, %s", first, e.Sequence, e.EventID)
		}
		seen[e.EventID] = e.Sequence
	}
	return nil
}

// equalEvents tells whether two events are the same, but for what a log adds.
func equalEvents(a, b *core.Envelope) bool {
	return a.EventID == b.EventID && a.Coordinate == b.Coordinate && a.Kind == b.Kind && a.Time == b.Time &&
		a.Position.Lane == b.Position.Lane && a.Position.Depth == b.Position.Depth &&
		a.CorrelationID == b.CorrelationID && a.CausationID == b.CausationID && bytes.Equal(a.Payload, b.Payload)
}

// eachEvent calls f with each event of a region that a log holds, from a sequence on, up to its end. What f is given is its
// own for that call.
func eachEvent(ctx context.Context, log cursor.Log, r region.Region, from cursor.Start, f func(*core.Envelope) error) error {
	c, err := cursor.Open(ctx, log, r, from)
	if err != nil {
		return err
	}
	dst := make([]core.Envelope, appendBatch)
	for {
		n, err := c.Poll(ctx, dst)
		if err != nil || n == 0 {
			return err
		}
		for i := range dst[:n] {
			if err := f(&dst[i]); err != nil {
				return err
			}
		}
	}
}

// append appends events, and returns how many were acknowledged before ctx ended or something went wrong. What is being
// appended when ctx ends is waited for: nothing is left unknown.
func (l *ledger) append(ctx context.Context, events []*core.Envelope, progress func(int)) (n int) {
	for n < len(events) && ctx.Err() == nil {
		part := events[n:min(n+appendBatch, len(events))]
		l.drafts = l.drafts[:0]
		for _, e := range part {
			l.drafts = append(l.drafts, draftOf(e))
		}
		made, err := l.journal.Append(context.WithoutCancel(ctx), l.drafts)
		if err != nil {
			l.err = fmt.Errorf("%s: append from event %d on: %w", l.dir, part[0].Sequence, err)
			return n
		}
		for i := range made {
			if made[i].Sequence != part[i].Sequence {
				l.err = fmt.Errorf("%s: event %d of the input is event %d of the log: the input has its id twice, or somebody else appends",
					l.dir, part[i].Sequence, made[i].Sequence)
				return n
			}
		}
		n += len(part)
		l.told(part[len(part)-1].Sequence + 1)
		progress(len(part))
	}
	return n
}

// draftOf returns an event of the input as what is appended.
func draftOf(e *core.Envelope) cursor.Draft {
	return cursor.Draft{
		EventID: e.EventID, CorrelationID: e.CorrelationID, CausationID: e.CausationID,
		Coordinate: e.Coordinate, Kind: e.Kind, Lane: e.Position.Lane, Depth: e.Position.Depth,
		Time: e.Time, Payload: e.Payload,
	}
}

// close ends what newLedger began; err is what went wrong before, if anything did.
func (l *ledger) close(err error) error {
	// Close waits for what is queued: nothing is, here.
	jerr := l.journal.Close(context.Background())
	if err == nil {
		err = jerr
	}
	return closeLog(l.log, errors.Join(err, l.fanout.Close()))
}

// throughLog is fanOut by a log: events are appended, and those who read follow it.
func (o *replay) throughLog(
	ctx context.Context, std stdio, events []*core.Envelope, picks []pick, step func(int),
) (done fanned, err error) {
	sync, err := parseSync(o.sync)
	if err != nil {
		return fanned{}, err
	}
	if err := uniqueIDs(events); err != nil {
		return fanned{}, err
	}
	l, err := newLedger(ctx, o.log, sync, events, std)
	if err != nil && ctx.Err() != nil {
		return fanned{}, errInterrupted
	}
	if err != nil {
		return fanned{}, err
	}
	defer func() { err = l.close(err) }()
	if o.metrics != "" {
		stop, err := serveMetrics(ctx, o.metrics, l.fanout, std.err)
		if err != nil {
			return fanned{}, err
		}
		defer stop()
	}
	p := &party{ledger: l}
	if err := p.join(ctx, o, picks); err != nil {
		return fanned{}, errors.Join(err, p.finish())
	}
	pace, err := parsePace(o.pace)
	if err != nil {
		return fanned{}, errors.Join(err, p.finish())
	}
	f := &feeder{ledger: l, readers: p.healthy, capacity: o.capacity, writers: 1, pace: pace, progress: step}
	step(int(l.resumed))
	done.fed = int(l.resumed) + f.run(ctx, events[l.resumed:])
	done.readers = p.readers
	err = p.finish()
	if l.err != nil { // what comes of that is no news
		err = l.err
	}
	if err != nil {
		return fanned{}, err
	}
	done.log, err = newLogReport(l, p.readers, done.fed)
	return done, err
}
