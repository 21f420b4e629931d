package prometheus_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/spillwayhq/spillway/adapters/prometheus"
	"github.com/spillwayhq/spillway/core"
)

// each has a figure of its own in every field.
var each = core.Stats{
	Live: 1, Subscribed: 2, Broadcasts: 3, Matched: 4, Accepted: 5, PrunedFull: 6, PrunedClosed: 7,
	Cancelled: 8, Panics: 9, Lost: 10, Retiring: 11, SlowClose: 12500 * time.Millisecond,
}

const eachText = `
# HELP spillway_accepted_total Offers accepted.
# TYPE spillway_accepted_total counter
spillway_accepted_total{fanout="orders"} 5
# HELP spillway_broadcasts_total Broadcasts that found somebody live.
# TYPE spillway_broadcasts_total counter
spillway_broadcasts_total{fanout="orders"} 3
# HELP spillway_cancelled_total Subscriptions ended by their owner, a context or the fan-out's end.
# TYPE spillway_cancelled_total counter
spillway_cancelled_total{fanout="orders"} 8
# HELP spillway_lost_total Accepted events that sinks overwrote or replaced, and multicast Readers that were lapped.
# TYPE spillway_lost_total counter
spillway_lost_total{fanout="orders"} 10
# HELP spillway_matched_total Offers made: one for each event and subscription that it concerns.
# TYPE spillway_matched_total counter
spillway_matched_total{fanout="orders"} 4
# HELP spillway_panics_total Panics of user code, recovered.
# TYPE spillway_panics_total counter
spillway_panics_total{fanout="orders"} 9
# HELP spillway_pruned_total Subscriptions ended because their sink refused an event.
# TYPE spillway_pruned_total counter
spillway_pruned_total{fanout="orders",reason="closed"} 7
spillway_pruned_total{fanout="orders",reason="full"} 6
# HELP spillway_slow_close_seconds How long the Close or Observer call has taken that the ends are waiting for; 0: none.
# TYPE spillway_slow_close_seconds gauge
spillway_slow_close_seconds{fanout="orders"} 12.5
# HELP spillway_subscribed_total Subscriptions begun.
# TYPE spillway_subscribed_total counter
spillway_subscribed_total{fanout="orders"} 2
# HELP spillway_subscriptions_live Subscriptions that are open and not over.
# TYPE spillway_subscriptions_live gauge
spillway_subscriptions_live{fanout="orders"} 1
# HELP spillway_subscriptions_retiring Subscriptions that are over and not done: their sinks are still to be closed.
# TYPE spillway_subscriptions_retiring gauge
spillway_subscriptions_retiring{fanout="orders"} 11
`

func TestEveryFigure(t *testing.T) {
	c := prometheus.NewCollector(fixed(t, "orders", each))
	if err := testutil.CollectAndCompare(c, strings.NewReader(eachText)); err != nil {
		t.Error(err)
	}
}

func TestLint(t *testing.T) {
	problems, err := testutil.CollectAndLint(prometheus.NewCollector(fixed(t, "orders", each)))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// registry returns a pedantic one: it refuses what was not described, what is there twice and what isn't UTF-8.
func registry(t *testing.T, c prom.Collector) *prom.Registry {
	t.Helper()
	r := prom.NewPedanticRegistry()
	if err := r.Register(c); err != nil {
		t.Fatalf("Register: %v", err)
	}
	return r
}

// gather returns each series' value by its family and labels: name{fanout reason}.
func gather(t *testing.T, c prom.Collector) map[string]float64 {
	t.Helper()
	families, err := registry(t, c).Gather()
	if err != nil {
		t.Fatalf("Gather: %v", err)
	}
	series := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			series[f.GetName()+"{"+strings.Join(labels, " ")+"}"] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return series
}

const perFanout = 12 // series of each name

func TestNames(t *testing.T) {
	for _, c := range []struct {
		name    string
		sources []string
		labels  []string
	}{
		{"none", nil, nil},
		{"one", []string{"orders"}, []string{"orders"}},
		{"two", []string{"orders", "payments"}, []string{"orders", "payments"}},
		{"the same", []string{"orders", "payments", "orders"}, []string{"orders", "payments"}},
		{"empty", []string{""}, []string{""}},
		{"empty, twice", []string{"", ""}, []string{""}},
		{"marks of the format", []string{`a"b\c{d="e"}`, "a b,c#d"}, []string{`a"b\c{d="e"}`, "a b,c#d"}},
		{"marks of HTML", []string{"<script>alert(1)</script>"}, []string{"<script>alert(1)</script>"}},
		{"lines", []string{"a\nb\r\nc"}, []string{"a\nb\r\nc"}},
		{"NUL", []string{"a\x00b"}, []string{"a\x00b"}},
		{"not UTF-8", []string{"a\xffb"}, []string{"a?b"}},
		{"alike when made UTF-8", []string{"a\xff", "a\xfe\xfd", "a?"}, []string{"a?"}},
		{"cut rune", []string{"\xe2\x82"}, []string{"?"}},
		{"right to left", []string{"\u202eabc", "עברית"}, []string{"\u202eabc", "עברית"}},
		{"long", []string{strings.Repeat("x", 1<<16)}, []string{strings.Repeat("x", 1<<16)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var sources []core.Source
			for _, name := range c.sources {
				sources = append(sources, fixed(t, name, each))
			}
			got := make(map[string]bool)
			series := gather(t, prometheus.NewCollector(sources...))
			for name := range series {
				label, isLive := strings.CutPrefix(name, "spillway_subscriptions_live{")
				if isLive {
					got[strings.TrimSuffix(label, "}")] = true
				}
			}
			want := slices.Sorted(slices.Values(c.labels))
			if labels := slices.Sorted(maps.Keys(got)); !slices.Equal(labels, want) {
				t.Errorf("labels %q, want %q", labels, want)
			}
			if len(series) != perFanout*len(want) {
				t.Errorf("%d series, want %d", len(series), perFanout*len(want))
			}
		})
	}
}

// TestSameNameIsOneSeries: figures are added, the longest close counts, and a nil source is none.
func TestSameNameIsOneSeries(t *testing.T) {
	quick := each
	quick.SlowClose = time.Second
	series := gather(t, prometheus.NewCollector(fixed(t, "a", quick), nil, fixed(t, "b", each), fixed(t, "a", each), fixed(t, "a", quick)))
	for name, want := range map[string]float64{
		"spillway_subscriptions_live{a}":     3,
		"spillway_subscriptions_retiring{a}": 33,
		"spillway_slow_close_seconds{a}":     12.5,
		"spillway_pruned_total{a full}":      18,
		"spillway_pruned_total{a closed}":    21,
		"spillway_lost_total{a}":             30,
		"spillway_lost_total{b}":             10,
	} {
		if got, ok := series[name]; !ok || got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

// TestCountersNeverFall: two snapshots of a Fanout may disagree by a broadcast that prunes between. A counter
// that falls by one is, to Prometheus, a counter that was added to by all that it says.
func TestCountersNeverFall(t *testing.T) {
	less := core.Stats{Live: 1}
	now := each
	s := source{t, "orders", func() core.Stats { return now }}
	c := prometheus.NewCollector(s, fixed(t, "orders", core.Stats{Accepted: 100}))
	for name, want := range gather(t, c) {
		now = less
		got := gather(t, c)[name]
		now = each
		falls := !strings.Contains(name, "_total{") && !strings.Contains(name, "_live{")
		switch {
		case !falls && got != want:
			t.Errorf("%s went from %v to %v", name, want, got)
		case falls && got != 0:
			t.Errorf("%s: got %v, want what the source says now, 0", name, got)
		}
	}
}

// TestOneRegistry: a second Collector is refused when it is registered, not found out by a scrape that fails.
func TestOneRegistry(t *testing.T) {
	r := prom.NewPedanticRegistry()
	r.MustRegister(prometheus.NewCollector())
	if err := r.Register(prometheus.NewCollector(fixed(t, "a", each))); err == nil {
		t.Error("a second Collector was registered: its series would meet the first's in the scrape")
	}
	r = prom.NewPedanticRegistry()
	for _, part := range []string{"1", "2"} {
		c := prometheus.NewCollector(fixed(t, "a", each))
		if err := prom.WrapRegistererWith(prom.Labels{"part": part}, r).Register(c); err != nil {
			t.Errorf("part %s, with a label of its own, was refused: %v", part, err)
		}
	}
	if _, err := r.Gather(); err != nil {
		t.Errorf("Gather: %v", err)
	}
}
