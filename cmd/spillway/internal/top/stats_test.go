package top_test

import (
	"testing"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/top"
)

func TestRates(t *testing.T) {
	var a, b top.Stats
	a.At, b.At = 1000, 3000
	a.Broadcasts, b.Broadcasts = 10, 30
	a.PrunedFull, b.PrunedFull, b.PrunedClosed = 1, 2, 3
	if got, want := b.Since(&a), (top.Rates{Broadcasts: 10, Pruned: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := b.Since(&top.Stats{}); got != (top.Rates{}) {
		t.Errorf("of the first: %+v", got)
	}
	again := top.Stats{At: 4000, Broadcasts: 5, Accepted: 1 << 40}
	if got := again.Since(&b); got != (top.Rates{}) {
		t.Errorf("of a server that was started again: %+v", got)
	}
	want := "00:00:03  events 10/s  accepted 0/s  pruned 5  lost 0  subscriptions 0  streams 0  lag 0  next 0"
	if got := b.Line(b.Since(&a)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestShort(t *testing.T) {
	for f, want := range map[float64]string{0: "0", 0.25: "0.2", 9999: "9999", 12_345: "12k", 12_345_678: "12M"} {
		if got := top.Short(f); got != want {
			t.Errorf("%v is %s, want %s", f, got, want)
		}
	}
}

func TestEndedLine(t *testing.T) {
	zero := uint64(0)
	for want, e := range map[string]top.Ended{
		"pruned: full: lane=1, missed from 0 on; a.go:7": {Cause: "spillway/core: was full", Verdict: "full", Region: "lane=1", Site: "a.go:7", Missed: &zero},
		"ended: cancelled: *, missed nothing; a.go:7":    {Cause: "spillway/core: cancelled", Region: "*", Site: "a.go:7"},
		"ended: 12 more": {Count: 12},
	} {
		if got := e.Line(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
