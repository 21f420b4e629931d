package memlog_test

import (
	"testing"

	"github.com/spillwayhq/spillway/cursor/logtest"
	"github.com/spillwayhq/spillway/cursor/memlog"
)

func TestKit(t *testing.T) {
	for name, o := range map[string]memlog.Options{
		"small":       {MaxEvents: 20_000, MaxBytes: 1 << 16, MaxEntities: 24},
		"without end": {MaxEntities: 24}, // as they are by default, but for what takes long to reach
	} {
		t.Run(name, func(t *testing.T) {
			logtest.Run(t, func() logtest.Subject {
				log := newLog(t, o)
				return logtest.Subject{Log: log, Compact: log.Compact}
			})
		})
	}
}
