package disklog_test

import (
	"testing"
	"time"

	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/cursor/logtest"
)

func TestKit(t *testing.T) {
	for name, o := range map[string]disklog.Options{
		"small":     {MaxEvents: 20_000, MaxBytes: 1 << 16, MaxEntities: 24, Repeats: 100},
		"unlimited": {Sync: cursor.NoSync()},
		"interval":  {MaxEntities: 24, Sync: cursor.Interval(time.Millisecond)},
	} {
		t.Run(name, func(t *testing.T) {
			logtest.Run(t, func() logtest.Subject {
				dir := t.TempDir()
				log := openLog(t, dir, o)
				return logtest.Subject{
					Log: log, Compact: log.Compact,
					Reopen: func() (cursor.Log, error) { return disklog.Open(dir, o) },
				}
			})
		})
	}
}
