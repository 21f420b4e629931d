package memlog_test

import (
	"testing"

	"github.com/spillwayhq/spillway/cursor/checkpointtest"
	"github.com/spillwayhq/spillway/cursor/memlog"
)

func TestCheckpointsKit(t *testing.T) {
	checkpointtest.Run(t, func() checkpointtest.Subject {
		return checkpointtest.Subject{Checkpoints: memlog.NewCheckpoints()}
	})
}
