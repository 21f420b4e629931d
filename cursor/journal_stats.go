package cursor

import "fmt"

// JournalStats are a Journal's figures since it was made.
type JournalStats struct {
	Name  string
	Level Level

	Queued, QueuedEvents, QueuedBytes int // batches that wait, their events, the bytes of their Payloads
	UnderWay                          int // events of the group that is being committed

	Batches  uint64 // answered with their events
	Appended uint64 // events that were new
	Repeats  uint64 // events that were answered as before, and not broadcast again
	Refused  uint64 // batches that were not added, whatever the reason
	Unknown  uint64 // batches of which it is not known
	Retries  uint64 // groups that were appended again, since it was not known

	Foreign uint64 // events in between that were not the Journal's, or not known to be
	Skipped uint64 // of those, the ones that retention was quicker with: not broadcast
	Panics  uint64 // of Config.Locate, recovered
	Failed  error  // what Err returns

	Group   Distribution // events that were committed together
	Commit  Distribution // nanoseconds that the Log took for a group, whatever the outcome
	Latency Distribution // nanoseconds from Append's call to its answer, of batches that were added
}

// A JournalSource is what a Journal tells about itself, for metrics.
type JournalSource interface {
	Name() string
	Stats() JournalStats
}

var _ JournalSource = (*Journal)(nil)

// Name returns the one that JournalOptions gave.
func (j *Journal) Name() string { return j.o.Name }

// Level returns what the Log says of itself; the zero Level where it says nothing.
func (j *Journal) Level() Level {
	if l, ok := j.log.(interface{ Level() Level }); ok {
		return l.Level()
	}
	return Level{}
}

// String returns the Journal's name and Level, as "journal orders, sync: each group".
func (j *Journal) String() string { return fmt.Sprintf("journal %s, sync: %s", j.Name(), j.Level()) }

// Stats returns the figures.
func (j *Journal) Stats() JournalStats {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.stats
	s.Failed = j.failed
	s.Queued, s.QueuedEvents, s.QueuedBytes = j.line.batches, j.line.events, j.line.bytes
	return s
}
