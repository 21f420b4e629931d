package prometheus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/spillwayhq/spillway/adapters/prometheus"
	"github.com/spillwayhq/spillway/cursor"
)

const perFollowers = 12 // series of each name, a histogram being one

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
}

// TestLagPastALostEnd: a place that the log does not come to has no lag, rather than none to speak of, and is counted. One that has gone on since
// the log was asked is not taken for such.
func TestLagPastALostEnd(t *testing.T) {
	log := &logFigures{}
	followers := prometheus.NewFollowers("orders", log)
	followers.Add(&follower{stats: cursor.FollowStats{State: cursor.Live, Place: 5}})
	followers.Add(&follower{stats: cursor.FollowStats{State: cursor.Live, Place: 3}})
	sources := prometheus.Sources{Followers: []*prometheus.Followers{followers}}
	for next, want := range map[uint64]struct{ beyond, none float64 }{2: {2, 0}, 3: {1, 1}, 4: {1, 0}, 5: {0, 1}} {
		log.stats.Bounds.Next = next
		if got := gather(t, sources.Collector())["spillway_followers_beyond{orders}"]; got != want.beyond {
			t.Errorf("the log ends at %d: %v are beyond it, want %v", next, got, want.beyond)
		}
		h := histograms(t, sources)["spillway_follower_lag_events "+fmt.Sprint(map[uint64]int{2: 0, 3: 0, 4: 1, 5: 2}[next])]
		if float64(h[0]) != want.none || h[-1] != uint64(2-want.beyond) {
			t.Errorf("the log ends at %d: %v; want %v with a lag of 0, of %v", next, h, want.none, 2-want.beyond)
		}
	}
	moving := &movesOn{f: &follower{stats: cursor.FollowStats{State: cursor.Live, Place: 5}}}
	followers = prometheus.NewFollowers("orders", moving)
	followers.Add(moving.f)
	if got := gather(t, prometheus.Sources{Followers: []*prometheus.Followers{followers}}.Collector())["spillway_followers_beyond{orders}"]; got != 0 {
		t.Error("one that goes on is taken for one that is beyond the end")
	}
}

// movesOn is a log whose end is 5 when it is asked, and a follower that has gone beyond that when it has answered.
type movesOn struct{ f *follower }

func (m *movesOn) Bounds(context.Context) (cursor.Bounds, error) {
	m.f.set(cursor.FollowStats{State: cursor.Live, Place: 8})
	return cursor.Bounds{Next: 5}, nil
}

// TestNoPlaceNoLag: a follower that has not begun, and will from the end, is not the whole log behind.
func TestNoPlaceNoLag(t *testing.T) {
	followers := prometheus.NewFollowers("orders", &logFigures{stats: aLog})
	followers.Add(&follower{stats: cursor.FollowStats{Unplaced: true}})
	sources := prometheus.Sources{Followers: []*prometheus.Followers{followers}}
	if h := histograms(t, sources)["spillway_follower_lag_events 0"]; h[-1] != 0 {
		t.Errorf("%v; want no lag of one that has no place", h)
	}
	if got := gather(t, sources.Collector())["spillway_followers{orders catching up}"]; got != 1 {
		t.Errorf("%v catch up, want 1", got)
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
