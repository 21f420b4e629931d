package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/spillwayhq/spillway/core"
)

var served = regexp.MustCompile(`http://(\S+)/metrics`)

// measured starts the server at an address, and returns where it listens.
func measured(t *testing.T, address string) (at string, stop func()) {
	t.Helper()
	var notes strings.Builder
	stop, err := serveMetrics(t.Context(), address, core.New(core.Config[int]{Name: "mine"}), &notes)
	if err != nil {
		t.Fatal(err)
	}
	m := served.FindStringSubmatch(notes.String())
	if m == nil {
		t.Fatalf("it says %q, and not where it listens", notes.String())
	}
	return m[1], stop
}

// Without a host it is this machine alone; whoever names one gets that.
func TestMetricsIsLoopbackUnlessSaidOtherwise(t *testing.T) {
	for address, loopback := range map[string]bool{":0": true, "localhost:0": true, "127.0.0.1:0": true, "0.0.0.0:0": false} {
		at, stop := measured(t, address)
		stop()
		host, _, err := net.SplitHostPort(at)
		if err != nil || net.ParseIP(host).IsLoopback() != loopback {
			t.Errorf("--metrics %s listens at %s (%v)", address, at, err)
		}
	}
}

func TestMetricsAnswers(t *testing.T) {
	at, stop := measured(t, ":0")
	defer stop()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, c := range []struct {
		method, path string
		code         int
		has          string
	}{
		{"GET", "/metrics", http.StatusOK, `spillway_subscriptions_live{fanout="mine"} 0`},
		{"HEAD", "/metrics", http.StatusOK, ""},
		{"POST", "/metrics", http.StatusMethodNotAllowed, ""},
		{"GET", "/debug", http.StatusOK, "mine"},
		{"GET", "/debug?format=json", http.StatusOK, `"name":"mine"`},
		{"POST", "/debug", http.StatusMethodNotAllowed, ""},
		{"GET", "/", http.StatusNotFound, ""},
		{"GET", "/debug/pprof/", http.StatusNotFound, ""},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, "http://"+at+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || answer.StatusCode != c.code || !strings.Contains(string(body), c.has) {
			t.Errorf("%s %s: got %s, %v, %q; want %d with %q", c.method, c.path, answer.Status, err, body, c.code, c.has)
		}
	}
}

// The replay's end is the server's: a client that takes its time over a request doesn't hold it up.
func TestMetricsStops(t *testing.T) {
	before := goleak.IgnoreCurrent()
	at, stop := measured(t, ":0")
	var dialer net.Dialer
	slow, err := dialer.DialContext(t.Context(), "tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = slow.Close() }()
	if _, err := io.WriteString(slow, "GET /metrics HTTP/1.1\r\nHost: "); err != nil {
		t.Fatal(err)
	}
	stop()
	if _, err := dialer.DialContext(context.WithoutCancel(t.Context()), "tcp", at); err == nil {
		t.Errorf("somebody listens at %s still", at)
	}
	if err := goleak.Find(before); err != nil { // the slow client's among them
		t.Error(err)
	}
}
