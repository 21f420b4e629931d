package prometheus_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var metricsAt = regexp.MustCompile(`http://(\S+)/metrics`)

// TestScrapeReplay lets a real Prometheus scrape the program itself while it replays a history, with subscribers that
// never read, until it is interrupted.
func TestScrapeReplay(t *testing.T) {
	t.Parallel()
	tool(t, "prometheus")
	if testing.Short() {
		t.Skip("builds the program: not with -short")
	}
	dir := t.TempDir()
	bin, in := filepath.Join(dir, "spillway"), filepath.Join(dir, "in.jsonl")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "../../cmd/spillway").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	line := `{"entity":"a","scope":"s","kind":"0x1:0x001"}` + "\n"
	if err := os.WriteFile(in, []byte(strings.Repeat(line, 200_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	// At this pace it would take 400 seconds.
	replay := exec.CommandContext(t.Context(), bin, "replay", "--metrics", ":0", "--pace", "500", "--capacity", "64",
		"--region", "*", "--region", "entity=a", "--region", "scope=s", "--stuck", "1", in)
	var out bytes.Buffer
	replay.Stdout = &out
	notes, err := replay.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := replay.Start(); err != nil {
		t.Fatal(err)
	}
	says := bufio.NewScanner(notes)
	says.Scan()
	at := metricsAt.FindStringSubmatch(says.Text())
	if at == nil {
		t.Fatalf("stderr %q doesn't say where the metrics are", says.Text())
	}

	s := startServer(t, at[1])
	s.value(`spillway_subscribed_total{fanout="replay"}`, 3)
	s.value(`increase(spillway_broadcasts_total{fanout="replay"}[1m]) > bool 0`, 1)
	s.value(`spillway_pruned_total{reason="full"} >= bool 1`, 1) // a machine with much else to do may prune the others too
	s.value("sum(spillway_subscribed_total) - sum(spillway_subscriptions_live) - sum(spillway_pruned_total)", 0)
	s.value("sum(spillway_matched_total) - sum(spillway_accepted_total) - sum(spillway_pruned_total)", 0)

	if err := replay.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for says.Scan() { // to the end, as Wait asks
	}
	exit := new(exec.ExitError)
	if err := replay.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 130 || !strings.Contains(out.String(), "conserved: yes") {
		t.Errorf("interrupted: got %v, %s", err, out.String())
	}
	s.value(fmt.Sprintf(`up{instance=%q}`, at[1]), 0) // it no longer listens
}
