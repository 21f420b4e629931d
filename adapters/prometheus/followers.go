package prometheus

import (
	"context"
	"sync"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"

	"github.com/spillwayhq/spillway/cursor"
)

// Followers are those of one Log, for a Collector: all of them together have as many series as one, since their lag is a
// histogram. They come from NewFollowers. Its methods may be called by any number of goroutines at once.
type Followers struct {
	name string
	log  Bounded

	mu      sync.Mutex // not held while the Log is asked
	all     []FollowerSource
	sweepAt int // how many there are when those that have ended are to be looked for
	ended   uint64
	gone    cursor.FollowStats // the figures of those that have ended, together
}

// Bounded is what Followers ask a Log, once a scrape and for a second at most. It may be called by several scrapes at once.
type Bounded interface {
	Bounds(ctx context.Context) (cursor.Bounds, error)
}

// A FollowerSource tells a Follower's figures. Stats waits for nothing, and may be called from any goroutine.
type FollowerSource interface{ Stats() cursor.FollowStats }

var _ FollowerSource = (*cursor.Follower)(nil)

// NewFollowers returns an empty set of Followers of log. The name is what they have as label fanout: it had better be that of the
// Fanout that they follow.
func NewFollowers(name string, log Bounded) *Followers {
	return &Followers{name: name, log: log, sweepAt: leastSweep}
}

const (
	leastSweep = 64
	lagWithin  = time.Second
)

// Add adds a Follower, once. It need not be taken out: when it has ended it is let go of, and its counts are kept.
func (s *Followers) Add(f FollowerSource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, f)
	if len(s.all) >= s.sweepAt { // or they would pile up where nobody scrapes
		s.sweep(func(cursor.FollowStats) {})
	}
}

// sweep shows all who live, and lets go of those who don't. mu is held.
func (s *Followers) sweep(show func(cursor.FollowStats)) {
	lives := s.all[:0]
	for _, f := range s.all {
		if stats := f.Stats(); stats.State == cursor.Ended {
			s.ended++
			addTo(&s.gone, stats)
		} else {
			lives = append(lives, f)
			show(stats)
		}
	}
	clear(s.all[len(lives):])
	s.all = lives
	s.sweepAt = max(2*len(lives), leastSweep)
}

// addTo adds up what is counted.
func addTo(to *cursor.FollowStats, stats cursor.FollowStats) {
	to.Live += stats.Live
	to.Pulled += stats.Pulled
	to.Parked += stats.Parked
	to.Resumed += stats.Resumed
	to.Flaps += stats.Flaps
}

// followStats are the figures of a set of Followers.
type followStats struct {
	states [cursor.Ended]uint64
	ended  uint64
	sum    cursor.FollowStats
	lag    *cursor.Distribution // nil: the Log doesn't say where it ends
	beyond uint64               // Followers that have been where the Log does not come to any more
}

func (s *Followers) stats() (all followStats) {
	places := s.take(&all)
	ctx, cancel := context.WithTimeout(context.Background(), lagWithin)
	defer cancel()
	b, err := s.log.Bounds(ctx) // after the places were taken: a place that is beyond it is no race
	if err != nil {
		return all
	}
	all.lag = new(cursor.Distribution)
	for _, place := range places {
		if place > b.Next {
			all.beyond++ // it has no lag, and 0 would say that all is well
			continue
		}
		all.lag.Observe(b.Next - place)
	}
	return all
}

// take adds up what the Followers say, and returns the places of those that have one.
func (s *Followers) take(all *followStats) (places []uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(func(stats cursor.FollowStats) {
		all.states[stats.State]++
		addTo(&all.sum, stats)
		if !stats.Unplaced {
			places = append(places, stats.Place)
		}
	})
	addTo(&all.sum, s.gone)
	all.ended = s.ended
	return places
}

func ofFollowers(name, help string, labels ...string) *prom.Desc {
	return described("fanout", "follower", name, help, labels...)
}

var (
	states  = ofFollowers("s", "Followers that have not ended, by what they do.", "state")
	handed  = ofFollowers("_events_total", "Events handed out, by how they came.", "by")
	follows = family[followStats]{
		metrics: []metric[followStats]{
			inState(cursor.CatchingUp), inState(cursor.Joining), inState(cursor.Live), inState(cursor.Parked),
			of(handed, "push", func(s *followStats) uint64 { return s.sum.Live }),
			of(handed, "pull", func(s *followStats) uint64 { return s.sum.Pulled }),
			counter(ofFollowers("_parked_total", "How often followers were pruned, and read the log instead."),
				func(s *followStats) uint64 { return s.sum.Parked }),
			counter(ofFollowers("_resumed_total", "How often followers went live."),
				func(s *followStats) uint64 { return s.sum.Resumed }),
			counter(ofFollowers("_flaps_total", "How often followers were pruned soon after they had gone live."),
				func(s *followStats) uint64 { return s.sum.Flaps }),
			gauge(ofFollowers("s_beyond", "Followers whose place is beyond the log's end, which has lost some. They have no lag."), sum,
				func(s *followStats) float64 { return float64(s.beyond) }),
			counter(ofFollowers("_ended_total", "Followers that have ended."),
				func(s *followStats) uint64 { return s.ended }),
		},
		histograms: []histogram[followStats]{
			{
				ofFollowers("_lag_events", "How far followers are from the log's end, each as it is now: not over time."), lags,
				func(s *followStats) *cursor.Distribution { return s.lag },
			},
		},
	}
)

func inState(state cursor.FollowState) metric[followStats] {
	m := gauge(states, sum, func(s *followStats) float64 { return float64(s.states[state]) })
	m.value = state.String()
	return m
}
