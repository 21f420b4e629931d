package disklog

import (
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// A scheduler lets the engine merge its tables once it is open. Until then it may fail to open, and a merge that has
// begun would go on over what was taken down, and panic where nobody recovers.
//
// The engine's usual one has a goroutine besides, which a failed open leaves behind. It only makes up for limits that change.
type scheduler struct {
	*pebble.ConcurrencyLimitScheduler
	mu   sync.Mutex
	open bool
}

func newScheduler() *scheduler {
	return &scheduler{ConcurrencyLimitScheduler: pebble.NewConcurrencyLimitSchedulerWithNoPeriodicGrantingForTest()}
}

// TrySchedule is called by the engine, which calls it again, or is called below, for what is refused.
func (s *scheduler) TrySchedule() (bool, pebble.CompactionGrantHandle) {
	s.mu.Lock()
	open := s.open
	s.mu.Unlock()
	if !open {
		return false, nil
	}
	return s.ConcurrencyLimitScheduler.TrySchedule()
}

// opened has the engine begin what it was refused.
func (s *scheduler) opened(db *pebble.DB) {
	s.mu.Lock()
	s.open = true
	s.mu.Unlock()
	waiting, _ := db.GetWaitingCompaction()
	if !waiting {
		return
	}
	if ok, grant := s.TrySchedule(); ok && !db.Schedule(grant) {
		grant.Done()
	}
}
