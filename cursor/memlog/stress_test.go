package memlog_test

import (
	"testing"

	"github.com/spillwayhq/spillway/cursor/internal/enginetest"
	"github.com/spillwayhq/spillway/cursor/memlog"
)

func TestStress(t *testing.T) {
	const kept = 2000
	batches := 400
	if testing.Short() {
		batches = 80
	}
	enginetest.Stress(t, newLog(t, memlog.Options{MaxEvents: kept}), kept, batches)
}
