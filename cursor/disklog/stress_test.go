package disklog_test

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/cursor/internal/enginetest"
)

func TestStress(t *testing.T) {
	const kept = 2000
	log, err := openOn(vfs.NewMem(), disklog.Options{MaxEvents: kept})
	if err != nil {
		t.Fatal(err)
	}
	enginetest.Stress(t, log, kept, sized(300, 80, 20))
}
