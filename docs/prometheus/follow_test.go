package prometheus_test

import (
	"context"
	"testing"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/adapters/prometheus"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/region"
)

// followed are the series of the Journal, the Log and the Followers that follow makes.
var followed = map[string]float64{
	`spillway_journal_batches_total{journal="audit",outcome="added"}`:                      1,
	`spillway_journal_batches_total{journal="audit",outcome="refused"}`:                    1,
	`spillway_journal_events_total{journal="audit",kind="new"}`:                            20,
	`spillway_journal_level_info{journal="audit",level="each group"}`:                      1,
	`spillway_journal_group_events_sum{journal="audit"}`:                                   20,
	`spillway_journal_commit_seconds_count{journal="audit"}`:                               1,
	`spillway_journal_append_seconds_count{journal="audit"}`:                               1,
	`spillway_journal_failed{journal="audit"}`:                                             0,
	`spillway_log_events{log="audit"}`:                                                     20,
	`spillway_log_appended_events_total{log="audit"}`:                                      20,
	`spillway_log_append_seconds_count{log="audit"}`:                                       1,
	`spillway_log_sync_seconds_count{log="audit"} > bool 0`:                                1,
	`spillway_log_disk_bytes{log="audit"} > bool 0`:                                        1,
	`spillway_followers{fanout="audit",state="live"}`:                                      1,
	`spillway_followers{fanout="audit",state="catching up"}`:                               1,
	`spillway_follower_ended_total{fanout="audit"}`:                                        1,
	`spillway_follower_lag_events_count{fanout="audit"}`:                                   2,
	`spillway_follower_lag_events_bucket{fanout="audit",le=~"0(.0)?"}`:                     1,
	`histogram_quantile(1, spillway_follower_lag_events_bucket{fanout="audit"}) > bool 15`: 1,
}

// follow returns a Journal of 20 events over a Log, with a Follower that is live at its end, one that has not begun, and one that has
// ended.
func follow(t *testing.T) prometheus.Sources {
	t.Helper()
	ctx := context.Background()
	log, err := disklog.Open(t.TempDir(), disklog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := core.New(core.Config[core.Envelope]{Name: "audit", Locate: core.Envelope.Point, SingleWriter: true})
	j := cursor.NewJournal(log, f, cursor.JournalOptions{Name: "audit"})
	followers := prometheus.NewFollowers(f.Name(), log)
	begin := func() *cursor.Follower {
		w := cursor.Follow(ctx, log, f, region.Region{}, cursor.FollowOptions{
			From: cursor.From(0), // a place: one that has none has no lag
			Feed: func(ctx context.Context, f *core.Fanout[core.Envelope], r region.Region) (cursor.Feed, error) {
				return channel.Subscribe(ctx, f, r, 64)
			},
		})
		followers.Add(w)
		return w
	}
	live, idle := begin(), begin()
	t.Cleanup(func() {
		live.Cancel()
		idle.Cancel()
		_, _ = live.Next(ctx)
		for _, closes := range []func() error{func() error { return j.Close(ctx) }, f.Close, log.Close} {
			if err := closes(); err != nil {
				t.Error(err)
			}
		}
	})
	c, err := region.NewCoordinate("entry:1", "audit")
	if err != nil {
		t.Fatal(err)
	}
	ds := make([]cursor.Draft, 20)
	for i := range ds {
		ds[i].Coordinate = c
	}
	if _, err := j.Append(ctx, ds); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(ctx, []cursor.Draft{{}}); err == nil {
		t.Fatal("a draft of nothing was added")
	}
	for _, err := range begin().Events() {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	until(t, live, func(i cursor.Item) bool { return i.Mark.Kind == cursor.CaughtUp })
	return prometheus.Sources{
		Journals:  []cursor.JournalSource{j},
		Logs:      map[string]cursor.LogSource{"audit": log},
		Followers: []*prometheus.Followers{followers},
	}
}

// until has a Follower hand out what comes, up to what is looked for, and then wait for what does not come.
func until(t *testing.T, w *cursor.Follower, found func(cursor.Item) bool) {
	t.Helper()
	for {
		i, err := w.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if found(i) {
			break
		}
	}
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := w.Next(over); err == nil {
		t.Fatal("an event more")
	}
}
