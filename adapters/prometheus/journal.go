package prometheus

import (
	"math"

	prom "github.com/prometheus/client_golang/prometheus"

	"github.com/spillwayhq/spillway/cursor"
)

func ofJournal(name, help string, labels ...string) *prom.Desc {
	return described("journal", "journal_", name, help, labels...)
}

var (
	batches       = ofJournal("batches_total", "Batches that came to an end, by how.", "outcome")
	journalEvents = ofJournal("events_total", "Events that passed, by what they were.", "kind")
)

var journals = family[cursor.JournalStats]{
	metrics: []metric[cursor.JournalStats]{
		gauge(ofJournal("queued_batches", "Batches that wait to be committed."), sum,
			func(s *cursor.JournalStats) float64 { return float64(s.Queued) }),
		gauge(ofJournal("queued_events", "Events that wait to be committed."), sum,
			func(s *cursor.JournalStats) float64 { return float64(s.QueuedEvents) }),
		gauge(ofJournal("queued_bytes", "Bytes of the payloads that wait to be committed."), sum,
			func(s *cursor.JournalStats) float64 { return float64(s.QueuedBytes) }),
		gauge(ofJournal("committing_events", "Events of the group that is being committed."), sum,
			func(s *cursor.JournalStats) float64 { return float64(s.UnderWay) }),
		gauge(ofJournal("failed", "1 where the journal has failed for good; 0 where it has not."), math.Max,
			func(s *cursor.JournalStats) float64 { return truth(s.Failed != nil) }),
		of(batches, "added", func(s *cursor.JournalStats) uint64 { return s.Batches }),
		of(batches, "refused", func(s *cursor.JournalStats) uint64 { return s.Refused }),
		of(batches, "unknown", func(s *cursor.JournalStats) uint64 { return s.Unknown }),
		of(journalEvents, "new", func(s *cursor.JournalStats) uint64 { return s.Appended }),
		of(journalEvents, "repeat", func(s *cursor.JournalStats) uint64 { return s.Repeats }),
		of(journalEvents, "foreign", func(s *cursor.JournalStats) uint64 { return s.Foreign - s.Skipped }),
		of(journalEvents, "skipped", func(s *cursor.JournalStats) uint64 { return s.Skipped }),
		counter(ofJournal("retries_total", "Groups that were appended again, since their outcome was not known."),
			func(s *cursor.JournalStats) uint64 { return s.Retries }),
		counter(ofJournal("panics_total", "Panics of Config.Locate, recovered."),
			func(s *cursor.JournalStats) uint64 { return s.Panics }),
	},
	histograms: []histogram[cursor.JournalStats]{
		{
			ofJournal("group_events", "Events that were committed together."), events,
			func(s *cursor.JournalStats) *cursor.Distribution { return &s.Group },
		},
		{
			ofJournal("commit_seconds", "How long the log took for a group."), durations,
			func(s *cursor.JournalStats) *cursor.Distribution { return &s.Commit },
		},
		{
			ofJournal("append_seconds", "How long it took from an append's call to its answer, of batches that were added."), durations,
			func(s *cursor.JournalStats) *cursor.Distribution { return &s.Latency },
		},
	},
	level:   ofJournal("level_info", "What a crash of the machine can take back; always 1.", "level"),
	levelOf: func(s *cursor.JournalStats) cursor.Level { return s.Level },
}

func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
