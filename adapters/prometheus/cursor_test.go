package prometheus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/spillwayhq/spillway/adapters/prometheus"
	"github.com/spillwayhq/spillway/cursor"
)

// journal is a cursor.JournalSource that says what it is told to.
type journal struct {
	name  string
	stats cursor.JournalStats
}

func (j journal) Name() string               { return j.name }
func (j journal) Stats() cursor.JournalStats { return j.stats }

// logFigures is a cursor.LogSource that says what it is told to, and prometheus.Bounded, too.
type logFigures struct {
	stats cursor.LogStats
	err   error // of Bounds
}

func (l *logFigures) LogStats() cursor.LogStats { return l.stats }

func (l *logFigures) Bounds(context.Context) (cursor.Bounds, error) { return l.stats.Bounds, l.err }

// follower is a prometheus.FollowerSource that says what it is told to.
type follower struct {
	mu    sync.Mutex
	stats cursor.FollowStats
	asked int
}

func (f *follower) Stats() cursor.FollowStats {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	return f.stats
}

func (f *follower) set(stats cursor.FollowStats) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stats = stats
}

func observed(values ...uint64) (d cursor.Distribution) {
	for _, v := range values {
		d.Observe(v)
	}
	return d
}

var (
	aJournal = cursor.JournalStats{
		Level: cursor.EachGroup(), Queued: 1, QueuedEvents: 2, QueuedBytes: 3, UnderWay: 4,
		Batches: 5, Appended: 6, Repeats: 7, Refused: 8, Unknown: 9, Retries: 10, Foreign: 31, Skipped: 12, Panics: 13,
		Group:  observed(1, 3, 4, 1<<20),
		Commit: observed(uint64(time.Millisecond), uint64(time.Minute)), Latency: observed(uint64(time.Second)),
	}
	aLog = cursor.LogStats{
		Bounds: cursor.Bounds{First: 2, Next: 12}, Bytes: 3, Entities: 4, Disk: 5, Level: cursor.Interval(time.Second),
		Append: observed(5000), Sync: observed(1, 4096),
	}
)

// sources are one of each, of which every figure is another.
func sources() prometheus.Sources {
	log := &logFigures{stats: aLog}
	followers := prometheus.NewFollowers("orders", log)
	for i, s := range []cursor.FollowState{
		cursor.CatchingUp, cursor.Joining, cursor.Joining, cursor.Live, cursor.Live, cursor.Live,
		cursor.Parked, cursor.Parked, cursor.Parked, cursor.Parked, cursor.Ended, cursor.Ended, cursor.Ended, cursor.Ended, cursor.Ended,
	} {
		stats := cursor.FollowStats{State: s, Place: uint64(i)}
		if i == 1 || i == 14 {
			stats.Live, stats.Pulled, stats.Parked, stats.Resumed, stats.Flaps = 10, 20, 30, 40, 50
		}
		followers.Add(&follower{stats: stats})
	}
	return prometheus.Sources{
		Journals:  []cursor.JournalSource{journal{"orders", aJournal}, nil},
		Logs:      map[string]cursor.LogSource{"orders": log, "none": nil},
		Followers: []*prometheus.Followers{followers, nil},
	}
}

// TestEveryFigureOfALog: of journals, logs and followers.
func TestEveryFigureOfALog(t *testing.T) {
	c := sources().Collector()
	for _, part := range []struct{ text, names string }{
		{cursorText, "journal_queued_batches journal_queued_events journal_queued_bytes journal_committing_events journal_failed " +
			"journal_batches_total journal_events_total journal_retries_total journal_panics_total journal_level_info " +
			"log_events log_payload_bytes log_disk_bytes log_entities log_failed log_appended_events_total log_dropped_events_total log_level_info " +
			"followers follower_events_total follower_parked_total follower_resumed_total follower_flaps_total follower_ended_total"},
	} {
		var names []string
		for name := range strings.FieldsSeq(part.names) {
			names = append(names, "spillway_"+name)
		}
		if err := testutil.CollectAndCompare(c, strings.NewReader(part.text), names...); err != nil {
			t.Error(err)
		}
	}
}

const cursorText = `
# HELP spillway_follower_ended_total Followers that have ended.
# TYPE spillway_follower_ended_total counter
spillway_follower_ended_total{fanout="orders"} 5
# HELP spillway_follower_events_total Events handed out, by how they came.
# TYPE spillway_follower_events_total counter
spillway_follower_events_total{by="pull",fanout="orders"} 40
spillway_follower_events_total{by="push",fanout="orders"} 20
# HELP spillway_follower_flaps_total How often followers were pruned soon after they had gone live.
# TYPE spillway_follower_flaps_total counter
spillway_follower_flaps_total{fanout="orders"} 100
# HELP spillway_follower_parked_total How often followers were pruned, and read the log instead.
# TYPE spillway_follower_parked_total counter
spillway_follower_parked_total{fanout="orders"} 60
# HELP spillway_follower_resumed_total How often followers went live.
# TYPE spillway_follower_resumed_total counter
spillway_follower_resumed_total{fanout="orders"} 80
# HELP spillway_followers Followers that have not ended, by what they do.
# TYPE spillway_followers gauge
spillway_followers{fanout="orders",state="catching up"} 1
spillway_followers{fanout="orders",state="joining"} 2
spillway_followers{fanout="orders",state="live"} 3
spillway_followers{fanout="orders",state="parked"} 4
# HELP spillway_journal_batches_total Batches that came to an end, by how.
# TYPE spillway_journal_batches_total counter
spillway_journal_batches_total{journal="orders",outcome="added"} 5
spillway_journal_batches_total{journal="orders",outcome="refused"} 8
spillway_journal_batches_total{journal="orders",outcome="unknown"} 9
# HELP spillway_journal_committing_events Events of the group that is being committed.
# TYPE spillway_journal_committing_events gauge
spillway_journal_committing_events{journal="orders"} 4
# HELP spillway_journal_events_total Events that passed, by what they were.
# TYPE spillway_journal_events_total counter
spillway_journal_events_total{journal="orders",kind="foreign"} 19
spillway_journal_events_total{journal="orders",kind="new"} 6
spillway_journal_events_total{journal="orders",kind="repeat"} 7
spillway_journal_events_total{journal="orders",kind="skipped"} 12
# HELP spillway_journal_failed 1 where the journal has failed for good; 0 where it has not.
# TYPE spillway_journal_failed gauge
spillway_journal_failed{journal="orders"} 0
# HELP spillway_journal_level_info What a crash of the machine can take back; always 1.
# TYPE spillway_journal_level_info gauge
spillway_journal_level_info{journal="orders",level="each group"} 1
# HELP spillway_journal_panics_total Panics of Config.Locate, recovered.
# TYPE spillway_journal_panics_total counter
spillway_journal_panics_total{journal="orders"} 13
# HELP spillway_journal_queued_batches Batches that wait to be committed.
# TYPE spillway_journal_queued_batches gauge
spillway_journal_queued_batches{journal="orders"} 1
# HELP spillway_journal_queued_bytes Bytes of the payloads that wait to be committed.
# TYPE spillway_journal_queued_bytes gauge
spillway_journal_queued_bytes{journal="orders"} 3
# HELP spillway_journal_queued_events Events that wait to be committed.
# TYPE spillway_journal_queued_events gauge
spillway_journal_queued_events{journal="orders"} 2
# HELP spillway_journal_retries_total Groups that were appended again, since their outcome was not known.
# TYPE spillway_journal_retries_total counter
spillway_journal_retries_total{journal="orders"} 10
# HELP spillway_log_appended_events_total Events that were ever appended: the next sequence.
# TYPE spillway_log_appended_events_total counter
spillway_log_appended_events_total{log="orders"} 12
# HELP spillway_log_disk_bytes Bytes that the log takes on a disk; 0 where there is none.
# TYPE spillway_log_disk_bytes gauge
spillway_log_disk_bytes{log="orders"} 5
# HELP spillway_log_dropped_events_total Events that retention has passed: the first sequence that is kept.
# TYPE spillway_log_dropped_events_total counter
spillway_log_dropped_events_total{log="orders"} 2
# HELP spillway_log_entities Entities whose clocks the log keeps.
# TYPE spillway_log_entities gauge
spillway_log_entities{log="orders"} 4
# HELP spillway_log_events Events that are kept.
# TYPE spillway_log_events gauge
spillway_log_events{log="orders"} 10
# HELP spillway_log_failed 1 where the log appends nothing any more; 0 where it does.
# TYPE spillway_log_failed gauge
spillway_log_failed{log="orders"} 0
# HELP spillway_log_level_info What a crash of the machine can take back; always 1.
# TYPE spillway_log_level_info gauge
spillway_log_level_info{level="interval 1s",log="orders"} 1
# HELP spillway_log_payload_bytes Bytes of the payloads that are kept.
# TYPE spillway_log_payload_bytes gauge
spillway_log_payload_bytes{log="orders"} 3
`

// histograms returns what is shown of each: its count and sum, and how many are no more than a bound.
func histograms(t *testing.T, c prometheus.Sources) map[string]map[float64]uint64 {
	t.Helper()
	families, err := registry(t, c.Collector()).Gather()
	if err != nil {
		t.Fatalf("Gather: %v", err)
	}
	all := make(map[string]map[float64]uint64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if h := m.GetHistogram(); h != nil {
				of := map[float64]uint64{-1: h.GetSampleCount()}
				for _, b := range h.GetBucket() {
					of[b.GetUpperBound()] = b.GetCumulativeCount()
				}
				all[f.GetName()+fmt.Sprintf(" %g", h.GetSampleSum())] = of
			}
		}
	}
	return all
}

// TestHistograms: a value is in the first bucket whose bound it is not over, and what is over all of them is counted. The key -1 is the
// count.
func TestHistograms(t *testing.T) {
	got := histograms(t, sources())
	for name, want := range map[string]map[float64]uint64{
		"spillway_journal_group_events 1.048584e+06": {-1: 4, 0: 0, 1: 1, 3: 2, 7: 3, 16383: 3},
		"spillway_journal_commit_seconds 60.001":     {-1: 2, 4096e-9: 0, 524288e-9: 0, 1048576e-9: 1, 17.179869184: 1},
		"spillway_journal_append_seconds 1":          {-1: 1, 0.536870912: 0, 1.073741824: 1},
		"spillway_log_append_seconds 5e-06":          {-1: 1, 4096e-9: 0, 8192e-9: 1},
		"spillway_log_sync_seconds 4.097e-06":        {-1: 2, 4096e-9: 1, 8192e-9: 2},
		// places 0 to 9 of 12
		"spillway_follower_lag_events 75": {-1: 10, 0: 0, 3: 1, 15: 10, 1<<30 - 1: 10},
	} {
		for bound, n := range want {
			if at, ok := got[name][bound]; !ok || at != n {
				t.Errorf("%s: %d up to %g, want %d; %v", name, at, bound, n, got[name])
			}
		}
	}
	if len(got) != 6 {
		t.Errorf("%d histograms, want 6", len(got))
	}
}

// TestLintOfALog: units in names, and all else that Prometheus' own linter looks at.
func TestLintOfALog(t *testing.T) {
	problems, err := testutil.CollectAndLint(sources().Collector())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestSameNameOfALog: what has one name is one series; what is alike when it is made UTF-8, too. A failure of one is seen.
func TestSameNameOfALog(t *testing.T) {
	failed, other := aJournal, aLog
	failed.Failed, failed.Level = errors.New("a sync"), cursor.NoSync()
	other.Failed = failed.Failed
	log := &logFigures{stats: aLog}
	one, two := prometheus.NewFollowers("a?", log), prometheus.NewFollowers("a\xff", log)
	one.Add(&follower{stats: cursor.FollowStats{Parked: 1}})
	two.Add(&follower{stats: cursor.FollowStats{Parked: 2}})
	s := prometheus.Sources{
		Journals:  []cursor.JournalSource{journal{"a\xff", aJournal}, journal{"b", aJournal}, journal{"a?", failed}},
		Logs:      map[string]cursor.LogSource{"a\xff": log, "a?": &logFigures{stats: other}, "b": log},
		Followers: []*prometheus.Followers{one, two},
	}
	series := gather(t, s.Collector())
	for name, want := range map[string]float64{
		"spillway_journal_batches_total{a? added}":   10,
		"spillway_journal_batches_total{b added}":    5,
		"spillway_journal_failed{a?}":                1,
		"spillway_journal_failed{b}":                 0,
		"spillway_journal_level_info{a? each group}": 1,
		"spillway_journal_level_info{a? none}":       1,
		"spillway_log_events{a?}":                    20,
		"spillway_log_failed{a?}":                    1,
		"spillway_log_failed{b}":                     0,
		"spillway_followers{a? catching up}":         2,
		"spillway_follower_parked_total{a?}":         3,
	} {
		if got, ok := series[name]; !ok || got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if h := histograms(t, s); h["spillway_journal_group_events 2.097168e+06"][3] != 4 {
		t.Errorf("the groups of two journals are not added up: %v", h)
	}
}
