package server

import (
	"sync"

	"github.com/spillwayhq/spillway/cursor"
)

// follows are the followers of the streams.
type follows struct {
	mu  sync.Mutex
	all []*cursor.Follower
	top int // how many there are when those that have ended are to be looked for
}

const leastFollows = 64

func (f *follows) add(w *cursor.Follower) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, w)
	if len(f.all) >= max(f.top, leastFollows) {
		f.sweep(func(cursor.FollowStats) {})
	}
}

// sweep shows all who live, and lets go of those who don't. mu is held.
func (f *follows) sweep(show func(cursor.FollowStats)) {
	lives := f.all[:0]
	for _, w := range f.all {
		if stats := w.Stats(); stats.State != cursor.Ended {
			lives = append(lives, w)
			show(stats)
		}
	}
	clear(f.all[len(lives):])
	f.all = lives
	f.top = 2 * len(lives)
}

// followFigures are what they do now.
type followFigures struct {
	CatchingUp int    `json:"catchingUp"`
	Live       int    `json:"live"`
	Parked     int    `json:"parked"`
	Lag        uint64 `json:"lag"` // of the one that is furthest behind
}

// figures returns what they do, the log's end being next.
func (f *follows) figures(next uint64) (all followFigures) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sweep(func(stats cursor.FollowStats) {
		switch stats.State {
		case cursor.CatchingUp, cursor.Joining:
			all.CatchingUp++
		case cursor.Live:
			all.Live++
		case cursor.Parked:
			all.Parked++
		}
		if stats.State != cursor.Live {
			all.Lag = max(all.Lag, next-min(stats.Place, next))
		}
	})
	return all
}
