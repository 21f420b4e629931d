package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/server"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
)

// A gated log lets an Append through when it is told to, and counts.
type gated struct {
	cursor.Log
	gate   chan struct{} // nil: open
	late   atomic.Bool   // an Append came after Close
	closed atomic.Bool
}

func (g *gated) Append(ctx context.Context, ds []cursor.Draft) ([]core.Envelope, error) {
	if g.gate != nil {
		select {
		case <-g.gate:
		case <-ctx.Done():
			return nil, &cursor.UnknownError{Err: context.Cause(ctx)}
		}
	}
	if g.closed.Load() {
		g.late.Store(true)
	}
	return g.Log.Append(ctx, ds)
}

func (g *gated) Close() error {
	g.closed.Store(true)
	return g.Log.Close()
}

// TestH193Stop: requests with events end, and are told how many were taken; the journal commits; streams are told where to resume; the log is
// closed last.
func TestH193Stop(t *testing.T) {
	log := &gated{gate: make(chan struct{}, 100)}
	b := open(t, func(o *server.Options) {
		log.Log = o.Log
		o.Log = log
	})
	events := b.stream("/v1/events")
	quiet := b.stream("/v1/events?lane=77")
	from, to := io.Pipe()
	reading := make(chan reply, 1)
	lines := b.request(http.MethodPost, "/v1/events", from, "Content-Type", asLines)
	go func() { reading <- b.try(lines) }()
	log.gate <- struct{}{}
	if _, err := io.WriteString(to, event("a", "")+"\n"); err != nil { // its request waits for more
		t.Fatal(err)
	}
	if f, ok := events.next(); !ok || f.sequence(t) != 0 {
		t.Fatalf("got %+v", f)
	}
	committing := make(chan reply, 1)
	one := b.request(http.MethodPost, "/v1/events", strings.NewReader(event("b", "")), "Content-Type", asJSON)
	go func() { committing <- b.try(one) }() // its request waits for the log
	until(t, "both are under way", func() bool { return b.metric("spillway_http_ingests") == 2 })
	until(t, "one is being committed", func() bool { return b.metric(`spillway_journal_committing_events{journal="events"}`) == 1 })

	stopped := make(chan error, 1)
	go func() { stopped <- b.server.Shutdown(context.Background()) }()
	if r := <-reading; !r.is(t, http.StatusServiceUnavailable, "stopping") || *r.problem(t).Accepted != 1 || r.header.Get("Retry-After") == "" {
		t.Errorf("a stream of lines: %d %s", r.status, r.body)
	}
	_ = to.Close()
	// As long as something is committed, whoever asks is answered.
	if r := b.get("/readyz"); !r.is(t, http.StatusServiceUnavailable, "stopping") {
		t.Errorf("readyz: %d %s", r.status, r.body)
	}
	if r := b.get("/healthz"); r.status != http.StatusOK {
		t.Errorf("healthz: %d", r.status)
	}
	if r := b.post(asJSON, event("c", "")); !r.is(t, http.StatusServiceUnavailable, "stopping") {
		t.Errorf("events: %d %s", r.status, r.body)
	}
	if r := b.get("/v1/events"); !r.is(t, http.StatusServiceUnavailable, "stopping") {
		t.Errorf("a stream: %d %s", r.status, r.body)
	}
	log.gate <- struct{}{}
	if r := <-committing; r.status != http.StatusOK || *r.accepted(t).Last != 1 {
		t.Errorf("what was being committed: %d %s", r.status, r.body)
	}
	for name, s := range map[string]*tail{"all": events, "none": quiet} {
		var last frame
		at := uint64(0)
		for f, ok := s.next(); ok; f, ok = s.next() {
			if f.id != "" && f.event == "" {
				at = f.sequence(t)
			}
			last = f
		}
		var end struct{ Reason, From string }
		if err := json.Unmarshal([]byte(last.data), &end); err != nil || last.event != "spillway.end" || end.Reason != "stopping" || end.From == "" {
			t.Errorf("%s: the last is %+v (%v)", name, last, err)
		}
		if name == "all" && !strings.HasSuffix(end.From, map[uint64]string{0: "-1", 1: "-2"}[at]) {
			t.Errorf("the last event is %d, and to resume %s", at, end.From)
		}
	}
	if err := <-stopped; err != nil || log.late.Load() || !log.closed.Load() {
		t.Errorf("Shutdown: %v; the log closed %v, an append later %v", err, log.closed.Load(), log.late.Load())
	}
	var d net.Dialer
	if c, err := d.DialContext(t.Context(), "tcp", b.address); err == nil {
		_ = c.Close()
		t.Error("somebody listens still")
	}
}

// Whoever reads nothing, a log that is stuck and a request without an end hold the stop up no longer than it may take.
func TestH193StopIsForced(t *testing.T) {
	log := &gated{gate: make(chan struct{})}
	b := open(t, func(o *server.Options) {
		log.Log = o.Log
		o.Log = log
		o.Bounds.Write, o.Bounds.Body, o.Bounds.Idle = time.Hour, time.Hour, time.Hour
	})
	stuck := b.dial() // in the midst of a header
	send(t, stuck, "GET /v1/events HTTP/1.1\r\nHost: ")
	deaf := b.dial()
	if err := deaf.(*net.TCPConn).SetReadBuffer(1 << 10); err != nil {
		t.Fatal(err)
	}
	send(t, deaf, "GET /v1/activity HTTP/1.1\r\nHost: "+b.address+"\r\n\r\n")
	if _, err := bufio.NewReaderSize(deaf, 16).ReadByte(); err != nil {
		t.Fatal(err)
	}
	committing := make(chan reply, 1)
	late := b.request(http.MethodPost, "/v1/events", strings.NewReader(event("b", "")), "Content-Type", asJSON)
	go func() { committing <- b.try(late) }()
	until(t, "one is being committed", func() bool { return b.metric(`spillway_journal_committing_events{journal="events"}`) == 1 })
	b.stopped = true
	b.client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	if err := b.server.Shutdown(ctx); err != nil || !log.closed.Load() {
		t.Errorf("Shutdown: %v; the log closed: %v", err, log.closed.Load())
	}
	if err := <-b.served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if r := <-committing; !r.is(t, http.StatusServiceUnavailable, "unknown") {
		t.Errorf("what was being committed: %d %s", r.status, r.body)
	}
	if err := b.server.Shutdown(context.Background()); err != nil {
		t.Errorf("again: %v", err)
	}
}

// broken is a log that fails for good, and then can't be read.
type broken struct {
	cursor.Log
	failed atomic.Bool
}

func (l *broken) Append(ctx context.Context, ds []cursor.Draft) ([]core.Envelope, error) {
	if l.failed.Load() {
		return nil, cursor.ErrFailed
	}
	return l.Log.Append(ctx, ds)
}

// A log that has failed is told apart from one that is busy, and what it has can be read.
func TestLogHasFailed(t *testing.T) {
	log := new(broken)
	b := open(t, func(o *server.Options) {
		log.Log = o.Log
		o.Log = log
	})
	b.fill("a", 3)
	log.failed.Store(true)
	for range 2 {
		if r := b.post(asJSON, event("a", "")); !r.is(t, http.StatusServiceUnavailable, "failed") || r.header.Get("Retry-After") != "" {
			t.Errorf("got %d %s %v", r.status, r.body, r.header)
		}
	}
	if r := b.get("/readyz"); !r.is(t, http.StatusServiceUnavailable, "failed") {
		t.Errorf("readyz: %d %s", r.status, r.body)
	}
	if r := b.get("/v1/log"); r.status != http.StatusOK || strings.Count(string(r.body), "\n") != 3 {
		t.Errorf("the log: %d %s", r.status, r.body)
	}
	b.stopped = true
	b.client.CloseIdleConnections()
	if err := b.server.Shutdown(t.Context()); !errors.Is(err, cursor.ErrFailed) {
		t.Errorf("Shutdown: %v, want what the log failed with", err)
	}
	if err := <-b.served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}
