package prometheus_test

import (
	"bytes"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

var ruleFiles = []string{"recording.yml", "alerts.yml", "rules_test.yml"}

// promtool runs it in a directory and returns what it printed.
func promtool(t *testing.T, dir string, input []byte, args ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), tool(t, "promtool"), args...)
	command.Dir, command.Stdin = dir, bytes.NewReader(input)
	out, err := command.CombinedOutput()
	return string(out), err
}

func TestRules(t *testing.T) {
	if out, err := promtool(t, ".", nil, "check", "rules", "--lint=all", "--lint-fatal", "recording.yml", "alerts.yml"); err != nil {
		t.Errorf("check rules: %v\n%s", err, out)
	}
	if out, err := promtool(t, ".", nil, "test", "rules", "rules_test.yml"); err != nil {
		t.Errorf("test rules: %v\n%s", err, out)
	}
}

var expression = regexp.MustCompile(`(?m)^      - (?:alert|record): (\S+)\n        expr: (.+)$`)

// TestRulesTestsCanFail: rules_test.yml catches each rule that is always true, or never, and each recorded one that is
// less by a thousandth.
func TestRulesTestsCanFail(t *testing.T) {
	t.Parallel()
	tool(t, "promtool")
	text := make(map[string]string)
	for _, name := range ruleFiles {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text[name] = string(b)
	}
	for _, file := range ruleFiles[:2] {
		rules := expression.FindAllStringSubmatch(text[file], -1)
		if want := strings.Count(text[file], "expr:"); len(rules) != want || want == 0 {
			t.Fatalf("%s: found %d of %d rules", file, len(rules), want)
		}
		for _, m := range rules {
			for _, expr := range []string{"vector(1) > 2", `{__name__=~"spillway_.+", fanout=~".+"} > -1`, "0.999 * (" + m[2] + ")"} {
				if strings.HasPrefix(expr, "0.999") && file == "alerts.yml" {
					continue // an alert's value is in its text only
				}
				dir := t.TempDir()
				for _, name := range ruleFiles {
					content := text[name]
					if name == file {
						content = strings.Replace(content, m[0], strings.Replace(m[0], m[2], expr, 1), 1)
					}
					if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				if out, err := promtool(t, dir, nil, "test", "rules", "rules_test.yml"); err == nil || !strings.Contains(out, "FAILED") {
					t.Errorf("%s may as well be %s: %v\n%s", m[1], expr, err, out)
				}
			}
		}
	}
}

// TestPromtoolReadsTheMetrics: its linter is a second opinion on names, help and units.
func TestPromtoolReadsTheMetrics(t *testing.T) {
	tool(t, "promtool")
	p := start(t)
	page := httptest.NewRecorder()
	promhttp.HandlerFor(p.registry, promhttp.HandlerOpts{}).ServeHTTP(page, httptest.NewRequest("GET", "/metrics", nil))
	if out, err := promtool(t, ".", page.Body.Bytes(), "check", "metrics"); err != nil || out != "" {
		t.Errorf("check metrics: %v\n%s", err, out)
	}
}

// TestReadme: the page has a row for every series and every alert, and for none that isn't.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]bool)
	for _, m := range regexp.MustCompile("(?m)^\\| `([A-Za-z_]+)").FindAllStringSubmatch(string(readme), -1) {
		rows[m[1]] = true
	}
	alerts, err := os.ReadFile("alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	names := start(t).families(t, false)
	for _, m := range expression.FindAllStringSubmatch(string(alerts), -1) {
		names = append(names, m[1])
	}
	for _, name := range names {
		if !rows[name] {
			t.Errorf("README.md has no row for %s", name)
		}
		delete(rows, name)
	}
	for name := range rows {
		t.Errorf("README.md has a row for %s, which is nowhere", name)
	}
}
