package prometheus

import (
	"math"

	prom "github.com/prometheus/client_golang/prometheus"

	"github.com/spillwayhq/spillway/cursor"
)

func ofLog(name, help string, labels ...string) *prom.Desc {
	return described("log", "log_", name, help, labels...)
}

var logs = family[cursor.LogStats]{
	metrics: []metric[cursor.LogStats]{
		gauge(ofLog("events", "Events that are kept."), sum,
			func(s *cursor.LogStats) float64 { return float64(s.Bounds.Next - s.Bounds.First) }),
		gauge(ofLog("payload_bytes", "Bytes of the payloads that are kept."), sum,
			func(s *cursor.LogStats) float64 { return float64(s.Bytes) }),
		gauge(ofLog("disk_bytes", "Bytes that the log takes on a disk; 0 where there is none."), sum,
			func(s *cursor.LogStats) float64 { return float64(s.Disk) }),
		gauge(ofLog("entities", "Entities whose clocks the log keeps."), sum,
			func(s *cursor.LogStats) float64 { return float64(s.Entities) }),
		gauge(ofLog("failed", "1 where the log appends nothing any more; 0 where it does."), math.Max,
			func(s *cursor.LogStats) float64 { return truth(s.Failed != nil) }),
		counter(ofLog("appended_events_total", "Events that were ever appended: the next sequence."),
			func(s *cursor.LogStats) uint64 { return s.Bounds.Next }),
		counter(ofLog("dropped_events_total", "Events that retention has passed: the first sequence that is kept."),
			func(s *cursor.LogStats) uint64 { return s.Bounds.First }),
	},
	histograms: []histogram[cursor.LogStats]{
		{
			ofLog("append_seconds", "How long appends that added events took, where the engine says."), durations,
			func(s *cursor.LogStats) *cursor.Distribution { return known(&s.Append) },
		},
		{
			ofLog("sync_seconds", "How long syncs took, where the engine says."), durations,
			func(s *cursor.LogStats) *cursor.Distribution { return known(&s.Sync) },
		},
	},
	level:   ofLog("level_info", "What a crash of the machine can take back; always 1.", "level"),
	levelOf: func(s *cursor.LogStats) cursor.Level { return s.Level },
}

// known returns nil for an empty Distribution: an engine that doesn't measure has no others.
func known(d *cursor.Distribution) *cursor.Distribution {
	if d.Count == 0 {
		return nil
	}
	return d
}
