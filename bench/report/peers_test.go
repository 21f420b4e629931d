package report_test

import (
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/bench/report"
)

func TestPeers(t *testing.T) {
	p, err := report.ReadPeers(strings.NewReader(`{"machine": "m", "go": "g", "rows": [
		{"peer": "slow", "version": "v1.2.3", "readers": 1, "ns": 90, "ratio_multicast": 3, "ratio_channels": 2},
		{"peer": "both", "version": "v0.0.0-20200907212545-49d423059eef", "readers": 1, "ns": 10, "ratio_multicast": 0.5, "ratio_channels": 0.9},
		{"peer": "some", "readers": 1, "ns": 20, "ratio_multicast": 1, "ratio_channels": 0.99}],
		"cannot": [{"peer": "slow", "what": "filter", "why": "x"}, {"peer": "slow", "what": "prune", "why": "y"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	var order, wins []string
	for _, r := range p.Sorted() {
		order = append(order, r.Peer)
		wins = append(wins, r.Wins())
	}
	if got, want := strings.Join(order, " "), "both some slow"; got != want {
		t.Errorf("the order is %s; want %s", got, want)
	}
	if got, want := strings.Join(wins, ","), "WINS over both,WINS over channels,"; got != want {
		t.Errorf("wins are %s; want %s", got, want)
	}
	if len(p.Losses()) != 2 || len(p.Rows) != 3 {
		t.Errorf("losses are %v of %d", p.Losses(), len(p.Rows))
	}
	if got := p.Lacks(p.Rows[0]); got != "can't filter; can't prune" {
		t.Errorf("it lacks %q", got)
	}
	if got := p.Lacks(report.Peer{Peer: "slow", Without: []string{"a", "b"}}); got != "a; b" {
		t.Errorf("it lacks %q; want what the row says", got)
	}
	if got := p.Rows[1].Tag() + " " + p.Rows[0].Tag(); got != "20200907-49d4230 v1.2.3" {
		t.Errorf("versions are %s", got)
	}
	for _, bad := range []string{"", "[]", "{}"} {
		if _, err := report.ReadPeers(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is read as peers' figures", bad)
		}
	}
}
