package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
)

const (
	groupAppenders = 64
	groupEach      = 20 // events of each appender in a round
	aloneEvents    = 64 // that are synced one by one in a round

	leastSync = 50 * time.Microsecond
)

// groupRows are P13: what does it take to make an event durable where 64 goroutines append one each at a time, beside an fsync for
// each? The rival is the plainest there is: a file, a write of the payload, an fsync.
func groupRows() []Row {
	return []Row{{
		ID: "P13", Work: "a journal over disklog, sync: " + cursor.EachGroup().String() + ", 64 appenders of an event of 200 bytes each",
		Against: "fsync-each", Unit: "ns",
		Target: 1.0 / 10, Stretch: 1.0 / 25, Version: 1, Needs: needsSlowSync,
		Open: openGroups,
	}}
}

// needsSlowSync is nil where an fsync takes so long that there is something to gain: in the folder where the row's logs will lie.
func needsSlowSync() error {
	f, err := os.CreateTemp("", "spillway-bench")
	if err != nil {
		return err
	}
	defer func() {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}()
	took := make([]time.Duration, 21)
	for i := range took {
		start := time.Now()
		if _, err := f.Write(make([]byte, durableSize)); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	if median := took[len(took)/2]; median < leastSync {
		return fmt.Errorf("an fsync in %s takes %v; the row is for %v and more", os.TempDir(), median, leastSync)
	}
	return nil
}

// openJournal returns a Journal over a disklog in a folder, with a Fanout that nobody subscribes to.
func openJournal(h Host, dir string) *cursor.Journal {
	log, err := disklog.Open(filepath.Join(dir, "disklog"), disklog.Options{})
	if err != nil {
		h.Fatalf("%v", err)
	}
	h.Cleanup(func() { finish(h, log.Close) })
	f := closing(h, core.New(core.Config[core.Envelope]{Locate: core.Envelope.Point, SingleWriter: true}))
	return newJournal(h, log, f)
}

func openGroups(h Host) Sides {
	dir := scratch(h)
	j := openJournal(h, dir)
	f, err := os.Create(filepath.Join(dir, "plain"))
	if err != nil {
		h.Fatalf("%v", err)
	}
	h.Cleanup(func() { finish(h, f.Close) })
	ds := DurableDrafts(h)
	var before cursor.JournalStats
	failed := make([]error, groupAppenders)
	var alone error
	return Sides{
		Subject: Section{
			Name:   "spillway",
			Before: func(int) error { before = j.Stats(); return nil },
			Timed: func() int {
				var wg sync.WaitGroup
				for a := range groupAppenders {
					wg.Go(func() {
						for range groupEach {
							if _, err := j.Append(context.Background(), ds[a:a+1]); err != nil {
								failed[a] = err
							}
						}
					})
				}
				wg.Wait()
				return groupAppenders * groupEach
			},
			After: func() error {
				for _, err := range failed {
					if err != nil {
						return err
					}
				}
				if got := j.Stats().Appended - before.Appended; got != groupAppenders*groupEach {
					return fmt.Errorf("%d events were appended, want %d", got, groupAppenders*groupEach)
				}
				return nil
			},
		},
		Baseline: Section{
			Name: "fsync-each",
			Timed: func() int {
				for i := 0; i < aloneEvents && alone == nil; i++ {
					if _, alone = f.Write(ds[i].Payload); alone == nil {
						alone = f.Sync()
					}
				}
				return aloneEvents
			},
			After: func() error { return alone },
		},
	}
}
