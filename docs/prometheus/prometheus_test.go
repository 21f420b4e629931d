package prometheus_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// TestScrape lets a real Prometheus scrape a program, and holds against it every figure, every rule and every query of
// the dashboard.
func TestScrape(t *testing.T) {
	t.Parallel()
	tool(t, "prometheus")
	p := start(t)
	web := httptest.NewServer(promhttp.HandlerFor(p.registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	defer web.Close()
	s := startServer(t, strings.TrimPrefix(web.URL, "http://"))

	for name, value := range want {
		s.value(only(name, `fanout="orders"`), value)
	}
	s.value(`spillway_slow_close_seconds{fanout="orders"} > bool 0`, 1)
	// A name that the parser doesn't take would have failed the whole scrape.
	s.value(`spillway_subscriptions_live{fanout="\x00\n\"\\{}<b>?\u202e"}`, 0)
	s.value("count(up == 1)", 1)
	s.value("count({__name__=~'spillway_.+',fanout!~'audit|'})", 2*(float64(len(want))+1))
	for expr, value := range followed {
		s.value(expr, value)
	}

	for range 5 { // it goes on looking
		p.orders.Broadcast(1)
	}
	s.value(`spillway_accepted_total{fanout="orders"}`, want["spillway_accepted_total"]+2*5)

	t.Run("rules", func(t *testing.T) { checkRules(t, s, p) })
	t.Run("dashboard", func(t *testing.T) { checkDashboard(t, s, p) })
}

// only adds a label to a series' selector.
func only(name, label string) string {
	name, labels, _ := strings.Cut(strings.TrimSuffix(name, "}"), "{")
	return name + "{" + strings.Trim(labels+","+label, ",") + "}"
}

// rule is what Prometheus says about one of the files' rules.
type rule struct {
	Name, Query, Health, LastError, Type string
	Annotations, Labels                  map[string]string
}

// rules waits until all have been evaluated once.
func (s *server) rules() (all []rule) {
	s.t.Helper()
	if err := s.eventually(func() error {
		var data struct{ Groups []struct{ Rules []rule } }
		if err := s.get("/api/v1/rules", &data); err != nil {
			return err
		}
		all = nil
		for _, g := range data.Groups {
			all = append(all, g.Rules...)
		}
		for _, r := range all {
			if r.Health == "unknown" {
				return fmt.Errorf("rule %s has not been evaluated", r.Name)
			}
		}
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
	return all
}

var threshold = regexp.MustCompile(` [<>]=? [0-9.]+`)

// checkRules: every rule is evaluated without an error, and, its thresholds left out, finds series.
func checkRules(t *testing.T, s *server, p *program) {
	known := p.families(t, true)
	all := s.rules()
	for _, r := range all {
		if r.Type == "recording" {
			known = append(known, r.Name)
		}
	}
	alerts := 0
	for _, r := range all {
		if r.Health != "ok" || r.LastError != "" {
			t.Errorf("%s: %s: %s", r.Name, r.Health, r.LastError)
		}
		checkNames(t, r.Query, known)
		if err := s.eventually(func() error {
			_, err := s.query(threshold.ReplaceAllString(r.Query, ""))
			return err
		}); err != nil {
			t.Errorf("%s: %v", r.Name, err)
		}
		if r.Type != "alerting" {
			continue
		}
		alerts++
		if r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["runbook"] == "" {
			t.Errorf("%s: want a severity, a summary and a runbook", r.Name)
		}
		if !threshold.MatchString(r.Query) {
			t.Errorf("%s: %s has no threshold that this test finds", r.Name, r.Query)
		}
	}
	if alerts == 0 || alerts == len(all) {
		t.Errorf("%d alerts of %d rules: want some of either", alerts, len(all))
	}
}

// families returns the names of all that the collector exports; with parts, those of a histogram's series as well.
func (p *program) families(t *testing.T, parts bool) (names []string) {
	t.Helper()
	families, err := p.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		names = append(names, f.GetName())
		if ms := f.GetMetric(); parts && len(ms) > 0 && ms[0].GetHistogram() != nil {
			names = append(names, f.GetName()+"_bucket", f.GetName()+"_sum", f.GetName()+"_count")
		}
	}
	return names
}

var series = regexp.MustCompile(`\bspillway[_:][a-zA-Z0-9_:]+`)

// checkNames: an expression names something, and nothing that nobody exports.
func checkNames(t *testing.T, expr string, known []string) {
	t.Helper()
	names := series.FindAllString(expr, -1)
	if len(names) == 0 {
		t.Errorf("%s names no series of Spillway's", expr)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			t.Errorf("%s: nobody exports %s", expr, name)
		}
	}
}

// dashboard is what of Grafana's form is looked at.
type dashboard struct {
	UID        string
	Templating struct {
		List []struct {
			Name, Type, AllValue string
			Query                json.RawMessage
		}
	}
	Panels []struct {
		ID                       int
		Title, Description, Type string
		GridPos                  struct{ X, Y, W, H int }
		FieldConfig              struct{ Defaults struct{ Unit string } }
		Targets                  []struct{ Expr, LegendFormat string }
	}
}

var (
	placeholder = strings.NewReplacer(
		"$__rate_interval", "1m", "$__range", "1h",
		"$job", ".*", "$instance", ".*", "$fanout", ".*",
	)
	legend      = regexp.MustCompile(`\{\{(\w+)\}\}`)
	labelValues = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)
)

// checkDashboard: every query finds series, with the labels that its legend shows, and the panels don't overlap.
func checkDashboard(t *testing.T, s *server, p *program) {
	text, err := os.ReadFile("dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	known := p.families(t, true)
	for _, r := range s.rules() {
		known = append(known, r.Name)
	}
	run := func(expr string, labels ...string) {
		t.Helper()
		checkNames(t, expr, known)
		expr = placeholder.Replace(expr)
		if strings.Contains(expr, "$") {
			t.Errorf("%s: what is the variable?", expr)
			return
		}
		var got []sample
		if err := s.eventually(func() (err error) {
			got, err = s.query(expr)
			return err
		}); err != nil {
			t.Error(err)
		}
		for _, sample := range got {
			for _, label := range labels {
				if sample.labels[label] == "" {
					t.Errorf("%s: %v has no label %s", expr, sample.labels, label)
				}
			}
		}
	}
	for _, v := range d.Templating.List {
		if v.Type != "query" {
			continue
		}
		var q struct{ Query string }
		if err := json.Unmarshal(v.Query, &q); err != nil {
			t.Fatal(err)
		}
		m := labelValues.FindStringSubmatch(q.Query)
		if m == nil || m[2] != v.Name || v.AllValue != ".*" {
			t.Errorf("variable %s: got %q, all: %q", v.Name, q.Query, v.AllValue)
			continue
		}
		run(m[1], m[2])
	}
	if d.UID == "" || len(d.Panels) == 0 {
		t.Fatalf("dashboard %q has %d panels", d.UID, len(d.Panels))
	}
	taken := make(map[[2]int]int) // cell: panel
	ids := make(map[int]bool)
	for _, panel := range d.Panels {
		if ids[panel.ID] || panel.Title == "" || panel.Description == "" || panel.FieldConfig.Defaults.Unit == "" || len(panel.Targets) == 0 {
			t.Errorf("panel %d, %q: want a number of its own, a title, a description, a unit and a query", panel.ID, panel.Title)
		}
		ids[panel.ID] = true
		g := panel.GridPos
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other := taken[[2]int{x, y}]; other != 0 || x >= 24 {
					t.Fatalf("panel %d lies on panel %d, or outside", panel.ID, other)
				}
				taken[[2]int{x, y}] = panel.ID
			}
		}
		for _, target := range panel.Targets {
			var labels []string
			for _, m := range legend.FindAllStringSubmatch(target.LegendFormat, -1) {
				labels = append(labels, m[1])
			}
			run(target.Expr, labels...)
		}
	}
}
