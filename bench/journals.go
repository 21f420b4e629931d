package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

const (
	journaled      = 64_000 // events of a round
	journaledBytes = 200    // of each
)

// journalRows are P13m: what does a journal cost above its log, where that log costs as little as one can? It is the journal's
// own cost, and no figure of durability: the log's level is none.
func journalRows() []Row {
	row := func(name, work string, appenders, batch int) Row {
		return Row{
			ID: "P13m", Case: name, Work: work, Against: "memlog", Unit: "ns", Version: 1, Quick: true,
			Open: func(h Host) Sides {
				direct, behind := newSmallLog(h), newSmallLog(h)
				f := closing(h, core.New(core.Config[core.Envelope]{Locate: core.Envelope.Point, SingleWriter: true}))
				j := newJournal(h, behind, f)
				return Sides{
					Subject:  appending(h, "journal", behind, j.Append, appenders, batch),
					Baseline: appending(h, "memlog", direct, direct.Append, appenders, batch),
				}
			},
		}
	}
	return []Row{
		row("batch=1k", "a journal over memlog, batches of 1,000 of 200 B", 1, 1_000),
		row("appenders=64", "a journal over memlog, 64 appenders of an event each", 64, 1),
	}
}

// newJournal returns a Journal that is closed before what is given here.
func newJournal(h Host, log cursor.Log, f *core.Fanout[core.Envelope]) *cursor.Journal {
	j := cursor.NewJournal(log, f, cursor.JournalOptions{Name: "bench"})
	h.Cleanup(func() {
		if err := j.Close(context.Background()); err != nil {
			h.Errorf("%v", err)
		}
	})
	return j
}

// appending returns the Section in which so many goroutines append batches, by a method of log's or of a journal over it.
func appending(h Host, name string, log cursor.Log, add func(context.Context, []cursor.Draft) ([]core.Envelope, error), appenders, batch int) Section {
	h.Helper()
	drafts := make([]cursor.Draft, batch)
	kind, err := region.NewKind(0x1, 0x002)
	if err != nil {
		h.Fatalf("%v", err)
	}
	for i := range drafts {
		c, err := region.NewCoordinate(fmt.Sprintf("%s:order:%03d", tenant(i%tenants), i%orders), Scope)
		if err != nil {
			h.Fatalf("%v", err)
		}
		drafts[i] = cursor.Draft{Coordinate: c, Kind: kind, Payload: make([]byte, journaledBytes)}
	}
	var before cursor.Bounds
	var failed error
	return Section{
		Name: name,
		Before: func(int) (err error) {
			before, err = log.Bounds(context.Background())
			return err
		},
		Timed: func() int {
			var wg sync.WaitGroup
			errs := make([]error, appenders)
			for a := range appenders {
				wg.Go(func() {
					for range journaled / appenders / batch {
						made, err := add(context.Background(), drafts)
						if err == nil && (len(made) != batch || made[batch-1].Sequence != made[0].Sequence+uint64(batch-1)) {
							err = fmt.Errorf("%d answers to %d drafts, or torn", len(made), batch)
						}
						errs[a] = errors.Join(errs[a], err)
					}
				})
			}
			wg.Wait()
			failed = errors.Join(errs...)
			return journaled
		},
		After: func() error {
			after, err := log.Bounds(context.Background())
			if got := after.Next - before.Next; err == nil && failed == nil && got != journaled {
				err = fmt.Errorf("%d events more in the log, want %d", got, journaled)
			}
			return errors.Join(err, failed)
		},
	}
}

// newSmallLog returns a log that keeps as many events as a round appends.
func newSmallLog(h Host) *memlog.Log {
	log, err := memlog.New(memlog.Options{MaxEvents: journaled})
	if err != nil {
		h.Fatalf("%v", err)
	}
	h.Cleanup(func() {
		if err := log.Close(); err != nil {
			h.Errorf("%v", err)
		}
	})
	return log
}
