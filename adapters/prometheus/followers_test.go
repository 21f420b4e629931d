package prometheus_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/spillwayhq/spillway/adapters/prometheus"
	"github.com/spillwayhq/spillway/cursor"
)

const perFollowers = 11 // series of each name, a histogram being one

// TestAThousandFollowers: have as many series as one.
func TestAThousandFollowers(t *testing.T) {
	followers := prometheus.NewFollowers("orders", &logFigures{stats: aLog})
	c := prometheus.Sources{Followers: []*prometheus.Followers{followers}}.Collector()
	for range 1000 {
		followers.Add(&follower{stats: cursor.FollowStats{State: cursor.Live, Place: 12}})
	}
	if n := testutil.CollectAndCount(c); n != perFollowers {
		t.Errorf("%d series, want %d", n, perFollowers)
	}
	if got := gather(t, c)["spillway_followers{orders live}"]; got != 1000 {
		t.Errorf("%v are live, want 1000", got)
	}
}

// TestEndedFollowerIsLetGo: it is not asked again, and what it has counted stays. A Follower that ends between two scrapes takes nothing
// with it.
func TestEndedFollowerIsLetGo(t *testing.T) {
	followers := prometheus.NewFollowers("orders", &logFigures{stats: aLog})
	c := prometheus.Sources{Followers: []*prometheus.Followers{followers}}.Collector()
	f := &follower{stats: cursor.FollowStats{State: cursor.Live, Live: 5, Parked: 1}}
	followers.Add(f)
	followers.Add(&follower{stats: cursor.FollowStats{State: cursor.Parked, Live: 100, Parked: 2}})
	before := gather(t, c)
	f.set(cursor.FollowStats{State: cursor.Ended, Live: 7, Parked: 1})
	for range 3 {
		after := gather(t, c)
		for name, want := range map[string]float64{
			"spillway_followers{orders live}":             0,
			"spillway_followers{orders parked}":           1,
			"spillway_follower_ended_total{orders}":       1,
			"spillway_follower_events_total{push orders}": 107,
			"spillway_follower_parked_total{orders}":      3,
			"spillway_follower_resumed_total{orders}":     0,
			"spillway_follower_events_total{pull orders}": 0,
			"spillway_followers{orders catching up}":      0,
		} {
			if got, ok := after[name]; !ok || got != want {
				t.Errorf("%s: got %v, want %v", name, got, want)
			}
		}
		for name, was := range before {
			if strings.Contains(name, "_total") && after[name] < was {
				t.Errorf("%s went from %v to %v", name, was, after[name])
			}
		}
	}
	if f.asked != 2 {
		t.Errorf("it was asked %d times, want 2: once in life, and once at its end", f.asked)
	}
}

// TestNobodyScrapes: those who end are let go of all the same, and what is spent on that does not grow.
func TestNobodyScrapes(t *testing.T) {
	followers := prometheus.NewFollowers("orders", &logFigures{})
	stays := &follower{stats: cursor.FollowStats{State: cursor.Live}}
	followers.Add(stays)
	gone := make([]*follower, 10_000)
	for i := range gone {
		gone[i] = &follower{stats: cursor.FollowStats{State: cursor.Ended}}
		followers.Add(gone[i])
	}
	kept := 0
	for _, f := range gone {
		if f.asked == 0 {
			kept++
		}
	}
	if kept > 64 || stays.asked > 200 {
		t.Errorf("%d that have ended are still held; one that lives was asked %d times", kept, stays.asked)
	}
}

// TestLagIsUnknown: where the log doesn't say where it ends there is no lag, rather than a wrong one, and all else is there.
func TestLagIsUnknown(t *testing.T) {
	log := &logFigures{err: errors.New("no connection")}
	followers := prometheus.NewFollowers("orders", log)
	followers.Add(&follower{stats: cursor.FollowStats{State: cursor.Live, Place: 5}})
	c := prometheus.Sources{Followers: []*prometheus.Followers{followers}}.Collector()
	if n := testutil.CollectAndCount(c, "spillway_follower_lag_events"); n != 0 {
		t.Error("there is a lag")
	}
	if n := testutil.CollectAndCount(c); n != perFollowers-1 {
		t.Errorf("%d series, want %d", n, perFollowers-1)
	}
	log.err, log.stats.Bounds.Next = nil, 3 // a place that is ahead of what was read before it
	if h := histograms(t, prometheus.Sources{Followers: []*prometheus.Followers{followers}}); h["spillway_follower_lag_events 0"][0] != 1 {
		t.Errorf("%v; want a lag of 0", h)
	}
}

// hangs is a log whose Bounds waits for its context.
type hangs struct{}

func (hangs) Bounds(ctx context.Context) (cursor.Bounds, error) {
	<-ctx.Done()
	return cursor.Bounds{}, context.Cause(ctx)
}

// TestLogHangs: a scrape waits for a second, and adding and other scrapes go on meanwhile.
func TestLogHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		followers := prometheus.NewFollowers("orders", hangs{})
		c := prometheus.Sources{Followers: []*prometheus.Followers{followers}}.Collector()
		begun := time.Now()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if n := testutil.CollectAndCount(c); n != perFollowers-1 {
					t.Errorf("%d series, want %d", n, perFollowers-1)
				}
			})
		}
		synctest.Wait()
		for range 100 {
			followers.Add(&follower{})
		}
		if took := time.Since(begun); took != 0 {
			t.Errorf("Add waited for %v", took)
		}
		wg.Wait()
		if took := time.Since(begun); took != time.Second {
			t.Errorf("the scrapes took %v, want a second", took)
		}
	})
}
