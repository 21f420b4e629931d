package bench

import (
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/core"
)

// Both of Spillway's own deliver every event of every round, and a block that is sent in parts is whole.
func TestDeliveries(t *testing.T) {
	rounds, err := Play([]Section{
		ThroughMulticast(t, 3, 64, 2),
		ThroughChannels(t, 3, 16, 64),
	}, func() bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	for i := range rounds {
		if len(rounds[i]) != minRounds {
			t.Errorf("section %d was played in %d rounds; want %d", i, len(rounds[i]), minRounds)
		}
	}
}

// What a reader got instead of its events is told, in a block's first part too.
func TestThroughNoticesWrongEvents(t *testing.T) {
	const window, block = 2, 6
	var in chan core.Notification
	crowd := NewCrowd(1, window)
	in = make(chan core.Notification, window)
	crowd.Go(func(got func(n int, sum uint64)) error {
		large.reading(in, got)
		return nil
	})
	t.Cleanup(func() {
		close(in)
		crowd.Wait()
	})
	var off uint64
	section := Through(t, "wrong", crowd, block, func(events []core.Notification) {
		for _, v := range events {
			v.Sequence += off
			in <- v
		}
	})
	off = 1
	if _, err := Play([]Section{section}, func() bool { return false }); err == nil || !strings.Contains(err.Error(), "a reader has") {
		t.Errorf("the error is %v", err)
	}
}

func TestRounds(t *testing.T) {
	r := Rounds{{8, 2, 9}, {2, 1, 1}}
	if got := r.Median(0); got != 8 {
		t.Errorf("Median is %v; want 8", got)
	}
	if got := r.Ratio(0, 1); got != 4 {
		t.Errorf("Ratio is %v; want 4: that of the rounds 4, 2, 9", got)
	}
}
