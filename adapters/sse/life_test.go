package sse_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/adapters/sse"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
)

// Events are appended while clients come, lose the connection and come back: each gets every event once and in order.
func TestH169AppendedWhileConnecting(t *testing.T) {
	b := open(t, func(o *sse.Options) { o.Buffer = 4 })
	const all, clients = 600, 8
	var wg sync.WaitGroup
	for n := range clients {
		wg.Go(func() {
			after, next := "", uint64(0)
			query := []string{"/?from=0", "/?from=0&entity=a", "/?from=0&region=entity%3Da&region=entity%3Db"}[n%3]
			step := []uint64{1, 2, 1}[n%3]
			for next < all { // each round is a connection that is left after a few events
				left := 1 + int(next)%(7+n)
				for e, err := range sse.Follow(t.Context(), b.server.URL+query, sse.FollowOptions{After: after}) {
					env, parseErr := e.Envelope()
					if err != nil || parseErr != nil || env.Sequence != next {
						t.Errorf("client %d: got %d, %v, %v; want %d", n, env.Sequence, err, parseErr, next)
						return
					}
					after, next = e.ID, next+step
					if left--; left == 0 || next >= all {
						break
					}
				}
			}
		})
	}
	for range all / 2 {
		b.append("a", 1)
		b.append("b", 1)
	}
	wg.Wait()
}

// At Shutdown each stream is told where to resume, and ends; who comes later is refused.
func TestH193Shutdown(t *testing.T) {
	b := open(t, nil)
	b.append("a", 3)
	res := b.get("/", http.Header{"Last-Event-Id": {"0"}})
	firstFrames(t, res, 2)
	if err := b.handler.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("id: %s\nevent: spillway.end\ndata: {\"reason\":\"stopping\",\"from\":%q}\n", b.at(2), b.at(3))
	if got := firstFrames(t, res, 1)[0]; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if res := b.get("/", nil); res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("answered %s, %v afterwards", res.Status, res.Header)
	}
	if s := b.handler.Stats(); s.Open != 0 || s.Opened != 1 || s.Events != 2 || s.RefusedFull != 1 {
		t.Errorf("got %+v", s)
	}
}

// Who leaves, whenever it is, leaves nothing.
func TestH194Gone(t *testing.T) {
	b := open(t, nil)
	b.append("a", 2000)
	for n := range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.server.URL+"/?from=0", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			firstFrames(t, res, n)
		}
		cancel()
		_ = res.Body.Close()
	}
	if err := b.handler.Shutdown(t.Context()); err != nil || b.fanout.Len() != 0 && b.fanout.Wait(t.Context()) != nil {
		t.Errorf("%v; %d subscriptions", err, b.fanout.Len())
	}
}

// Streams are bounded, in all and a client; a refusal says when to come back.
func TestLimits(t *testing.T) {
	b := open(t, func(o *sse.Options) {
		o.Streams, o.StreamsPerClient, o.Regions = 3, 2, 2
		o.Client = func(r *http.Request) string { return r.Header.Get("Who") }
	})
	for _, c := range []struct {
		who    string
		status int
	}{{"a", 200}, {"a", 200}, {"a", 429}, {"b", 200}, {"b", 503}} {
		res := b.get("/", http.Header{"Who": {c.who}})
		if res.StatusCode != c.status || (c.status != 200) != (res.Header.Get("Retry-After") != "") {
			t.Errorf("%s: answered %s, want %d", c.who, res.Status, c.status)
		}
	}
	if res := b.get("/?region=lane%3D1&region=lane%3D2&region=lane%3D3", nil); res.StatusCode != http.StatusBadRequest {
		t.Errorf("three regions: answered %s", res.Status)
	}
}

// Without a log a stream that falls behind ends, and says what was missed first.
func TestWithoutALog(t *testing.T) {
	f := newFanout()
	h, err := sse.NewHandler(sse.Options{Fanout: f, Buffer: 2})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := &gate{recorder: httptest.NewRecorder(), at: func(n int) {
		if n == 1 { // the headers are out; while this is written, more comes than fits
			for seq := range uint64(4) {
				f.Broadcast(core.Envelope{Notification: core.Notification{Coordinate: draft("a", 0).Coordinate, Sequence: seq}})
			}
		}
	}}
	h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody))
	body := w.recorder.Body.String()
	if strings.Contains(body, "id: ") || strings.Count(body, "\"sequence\":") != 2 ||
		!strings.HasSuffix(body, "event: spillway.end\ndata: {\"reason\":\"fell behind\",\"missed\":2}\n\n") {
		t.Errorf("got %s", body)
	}
}

// A gate is a response whose flushes are told.
type gate struct {
	recorder *httptest.ResponseRecorder
	n        int
	at       func(flush int)
	failing  error
}

func (g *gate) Header() http.Header { return g.recorder.Header() }
func (g *gate) Write(p []byte) (int, error) {
	return g.recorder.Write(p)
}
func (g *gate) WriteHeader(status int)           { g.recorder.WriteHeader(status) }
func (g *gate) SetWriteDeadline(time.Time) error { return nil }
func (g *gate) FlushError() error {
	g.n++
	g.at(g.n)
	return g.failing
}

// What has come is written together: one flush a batch.
func TestOneFlushABatch(t *testing.T) {
	f := newFanout()
	h, err := sse.NewHandler(sse.Options{Fanout: f})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := &gate{recorder: httptest.NewRecorder()}
	w.at = func(n int) {
		switch n {
		case 1:
			for seq := range uint64(20) {
				f.Broadcast(core.Envelope{Notification: core.Notification{Coordinate: draft("a", 0).Coordinate, Sequence: seq}})
			}
		case 2:
			if n := strings.Count(w.recorder.Body.String(), "\"sequence\":"); n != 20 {
				t.Errorf("%d events are in the first batch, want 20", n)
			}
			cancel()
		}
	}
	h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody))
	if w.n != 2 {
		t.Errorf("%d flushes, want one for the beginning and one for the batch", w.n)
	}
}

// A quiet stream gets a comment every 15 seconds, counted from the last write.
func TestH176Heartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFanout()
		h, err := sse.NewHandler(sse.Options{Fanout: f})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		var at []time.Duration
		w := &gate{recorder: httptest.NewRecorder(), at: func(int) { at = append(at, time.Since(start)) }}
		done := make(chan struct{})
		go func() {
			h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody))
			close(done)
		}()
		time.Sleep(10 * time.Second)
		f.Broadcast(core.Envelope{Notification: core.Notification{Coordinate: draft("a", 0).Coordinate}})
		time.Sleep(31 * time.Second)
		cancel()
		<-done
		want := []time.Duration{0, 10 * time.Second, 25 * time.Second, 40 * time.Second}
		if fmt.Sprint(at) != fmt.Sprint(want) {
			t.Errorf("written at %v, want %v", at, want)
		}
		if got := strings.Count(w.recorder.Body.String(), ":\n\n"); got != 2 {
			t.Errorf("%d comments in %s", got, w.recorder.Body)
		}
	})
}

// What Flush says counts: what was written before may not have gone anywhere.
func TestH170FlushFails(t *testing.T) {
	f := newFanout()
	h, err := sse.NewHandler(sse.Options{Fanout: f})
	if err != nil {
		t.Fatal(err)
	}
	w := &gate{recorder: httptest.NewRecorder(), at: func(int) {}, failing: errors.New("gone")}
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody))
	if w.n != 1 || h.Stats().Open != 0 {
		t.Errorf("%d flushes", w.n)
	}
}

// Over real TCP with a small buffer: who reads nothing is ended by its deadline, and others get everything meanwhile.
func TestH170ReadsNothing(t *testing.T) {
	b := open(t, func(o *sse.Options) { o.WriteTimeout = 500 * time.Millisecond })
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", b.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprint(conn, "GET /?from=0 HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	large := draft("a", 0)
	large.Payload = []byte(strings.Repeat("x", 1<<20))
	for range 16 {
		large.EventID[0]++
		d := large
		if _, err := b.journal.Append(t.Context(), []cursor.Draft{d}); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.follow("/?from=0", sse.FollowOptions{}, 16); len(got) != 16 {
		t.Errorf("got %v", got)
	}
	if err := b.handler.Shutdown(t.Context()); err != nil || b.handler.Stats().Stuck == 0 {
		t.Errorf("%v; %+v", err, b.handler.Stats())
	}
}
