package prometheus_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// server is a Prometheus of its own: a process on a loopback port, its data in a directory of the test's.
type server struct {
	t      *testing.T
	url    string
	client *http.Client
	exited chan struct{} // closed when the process is gone; then log may be read
	log    *bytes.Buffer
}

const settings = `
global: {scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 200ms}
rule_files: [%q, %q]
scrape_configs:
  - job_name: program
    static_configs: [targets: [%q]]
`

// startServer starts a Prometheus that scrapes target and evaluates the rules of this directory.
func startServer(t *testing.T, target string) *server {
	t.Helper()
	path := tool(t, "prometheus")
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "prometheus.yml")
	text := fmt.Sprintf(settings, filepath.Join(dir, "recording.yml"), filepath.Join(dir, "alerts.yml"), target)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s := startOnce(t, path, config)
		err := s.eventually(func() error { return s.get("/-/ready", nil) })
		if err == nil {
			return s
		}
		if !errors.Is(err, errExited) {
			t.Fatal(err)
		}
		t.Logf("%s", s.log) // most likely someone else has taken the port meanwhile
	}
	t.Fatal("prometheus doesn't start")
	return nil
}

func startOnce(t *testing.T, path, config string) *server {
	t.Helper()
	// Prometheus can't be asked which port it was given: one that is free now is hoped to be so still.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	s := &server{
		t: t, url: "http://" + address, client: &http.Client{Transport: &http.Transport{}},
		exited: make(chan struct{}), log: new(bytes.Buffer),
	}
	command := exec.CommandContext(t.Context(), path, "--config.file="+config, "--web.listen-address="+address,
		"--storage.tsdb.path="+t.TempDir(), "--log.level=warn")
	command.Stdout, command.Stderr = s.log, s.log
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 10 * time.Second
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = command.Wait() // how it ends is of no interest, what it answered is
		close(s.exited)
	}()
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		<-s.exited // the test's context is over
	})
	return s
}

var errExited = errors.New("prometheus has exited")

// eventually calls look until it returns nil, for a minute at most. Here, and nowhere else, a test sleeps: what it
// waits for is another process.
func (s *server) eventually(look func() error) error {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		err := look()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		select {
		case <-s.exited:
			return errors.Join(errExited, err)
		default:
		}
	}
}

// get reads what the server answers into data, where that isn't nil.
func (s *server) get(path string, data any) error {
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		return err
	}
	response, err := s.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", path, response.Status, body)
	}
	if data == nil {
		return nil
	}
	answer := struct {
		Status string
		Data   any
	}{Data: data}
	if err := json.Unmarshal(body, &answer); err != nil {
		return err
	}
	if answer.Status != "success" {
		return fmt.Errorf("%s: %s", path, body)
	}
	return nil
}

// A sample is one series' value.
type sample struct {
	labels map[string]string
	value  float64
}

// query returns what an expression is now; no sample at all is an error.
func (s *server) query(expr string) ([]sample, error) {
	var data struct {
		Result []struct {
			Metric map[string]string
			Value  [2]any
		}
	}
	if err := s.get("/api/v1/query?query="+url.QueryEscape(expr), &data); err != nil {
		return nil, err
	}
	var samples []sample
	for _, r := range data.Result {
		text, _ := r.Value[1].(string)
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", expr, err)
		}
		samples = append(samples, sample{maps.Clone(r.Metric), v})
	}
	if len(samples) == 0 {
		return nil, fmt.Errorf("%s: no data", expr)
	}
	return samples, nil
}

// value waits until an expression is one sample of this value.
func (s *server) value(expr string, want float64) {
	s.t.Helper()
	if err := s.eventually(func() error {
		got, err := s.query(expr)
		if err == nil && (len(got) != 1 || got[0].value != want) {
			err = fmt.Errorf("%s: got %v, want %v", expr, got, want)
		}
		return err
	}); err != nil {
		s.t.Error(err)
	}
}
