package sse_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/adapters/sse"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
)

// The server's own time-outs, which count from the request on, end no stream.
func TestH171ServersTimeouts(t *testing.T) {
	b := open(t, nil)
	server := httptest.NewUnstartedServer(b.handler)
	server.Config.WriteTimeout, server.Config.ReadTimeout = 50*time.Millisecond, 50*time.Millisecond
	server.Start()
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	retried := 0
	n := 0
	past := make(chan struct{})
	time.AfterFunc(200*time.Millisecond, func() { close(past) }) // four of them are over
	o := sse.FollowOptions{Retrying: func(error, time.Duration) { retried++ }}
	b.append("a", 1)
	for _, err := range sse.Follow(ctx, server.URL+"/?from=0", o) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 2 {
			break
		}
		<-past
		b.append("a", 1)
	}
	if retried != 0 {
		t.Errorf("the stream was cut %d times", retried)
	}
}

// Over HTTP/2 it is the same, and a quiet stream outlives its write's deadline.
func TestH196HTTP2(t *testing.T) {
	b := open(t, func(o *sse.Options) { o.WriteTimeout = 30 * time.Millisecond })
	server := httptest.NewUnstartedServer(b.handler)
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	past := make(chan struct{})
	b.append("a", 1)
	n, retried := 0, 0
	o := sse.FollowOptions{Client: server.Client(), Retrying: func(error, time.Duration) { retried++ }}
	for e, err := range sse.Follow(t.Context(), server.URL+"/?from=0", o) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 2 {
			if e.ID != b.at(1) {
				t.Errorf("got %s", e.ID)
			}
			break
		}
		time.AfterFunc(100*time.Millisecond, func() { close(past) })
		<-past
		b.append("a", 1)
	}
	if retried != 0 {
		t.Errorf("the stream was cut %d times", retried)
	}
}

// Over HTTP/2, too, who reads nothing is ended by its deadline, and others of the same connection get everything.
func TestH170ReadsNothingByHTTP2(t *testing.T) {
	b := open(t, func(o *sse.Options) { o.WriteTimeout = 500 * time.Millisecond })
	server := httptest.NewUnstartedServer(b.handler)
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/?from=0", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := server.Client().Do(req)
	if err != nil || res.ProtoMajor != 2 {
		t.Fatalf("%v, HTTP/%d", err, res.ProtoMajor)
	}
	defer func() { _ = res.Body.Close() }()
	for range 16 {
		d := draft("a", 0)
		d.Payload = []byte(strings.Repeat("x", 1<<20))
		if _, err := b.journal.Append(t.Context(), []cursor.Draft{d}); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for _, err := range sse.Follow(t.Context(), server.URL+"/?from=0", sse.FollowOptions{Client: server.Client()}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 16 {
			break
		}
	}
	if err := b.handler.Shutdown(t.Context()); err != nil || b.handler.Stats().Stuck == 0 {
		t.Errorf("%v; %+v", err, b.handler.Stats())
	}
}

// Over HTTP/1.0, as proxies speak it, a stream is what comes until the end.
func TestH196HTTP10(t *testing.T) {
	b := open(t, nil)
	b.append("a", 1)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", b.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprint(conn, "GET /?from=0 HTTP/1.0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if got := firstFrames(t, res, 1)[0]; res.StatusCode != http.StatusOK || len(res.TransferEncoding) > 0 || !strings.HasPrefix(got, "id: "+b.at(0)+"\n") {
		t.Errorf("%s, %v: %q", res.Status, res.TransferEncoding, got)
	}
}

// A panic of the owner's code ends one stream, is counted, and leaves nothing behind; an error of it ends the stream before the event.
func TestH198PanicIsCounted(t *testing.T) {
	for name, data := range map[string]func([]byte, core.Envelope) ([]byte, error){
		"panic": func([]byte, core.Envelope) ([]byte, error) { panic(http.ErrAbortHandler) },
		"error": func([]byte, core.Envelope) ([]byte, error) { return nil, errors.New("no") },
	} {
		b := open(t, func(o *sse.Options) { o.Data = data })
		b.append("a", 3)
		res := b.get("/?from=1", nil)
		body, err := io.ReadAll(res.Body)
		if shut := b.handler.Shutdown(t.Context()); shut != nil {
			t.Fatal(shut)
		}
		s := b.handler.Stats()
		if panicked := name == "panic"; s.Open != 0 || (s.Panics == 1) != panicked || (err != nil) != panicked ||
			strings.Contains(string(body), "can't be sent\",\"from\":\""+b.at(1)) == panicked {
			t.Errorf("%s: %+v, %v, %s", name, s, err, body)
		}
	}
}

// Notices go into the same stream, by the same writer, without an id; what would forge a field is dropped.
func TestH165Notices(t *testing.T) {
	notices := make(chan sse.Notice, 4)
	b := open(t, func(o *sse.Options) {
		o.Notices = func(context.Context, *http.Request) <-chan sse.Notice { return notices }
	})
	b.append("a", 1)
	res := b.get("/?from=0", nil)
	if got := firstFrames(t, res, 1)[0]; !strings.HasPrefix(got, "id: "+b.at(0)+"\n") {
		t.Errorf("got %q", got)
	}
	notices <- sse.Notice{Event: "stats\nid: 9", Data: []byte("x")}
	notices <- sse.Notice{Event: "spillway.end", Data: []byte("x")}
	notices <- sse.Notice{Event: "stats", Data: []byte("a\nid: 9\r\rb")}
	close(notices)
	if got, want := firstFrames(t, res, 1)[0], "event: stats\ndata: a\ndata: id: 9\ndata: \ndata: b\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	b.append("a", 1)
	if got := firstFrames(t, res, 1)[0]; !strings.HasPrefix(got, "id: "+b.at(1)+"\n") {
		t.Errorf("got %q", got)
	}
}

// Each client is told another time to come back.
func TestH195RetryDiffers(t *testing.T) {
	h, err := sse.NewHandler(sse.Options{Fanout: newFanout(), Retry: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	told := make(map[string]bool)
	for range 8 {
		w := &gate{recorder: httptest.NewRecorder(), at: func(int) {}, failing: errors.New("gone")}
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody))
		var ms int
		if _, err := fmt.Sscanf(w.recorder.Body.String(), "retry: %d\n", &ms); err != nil || ms < 1_800_000 || ms >= 5_400_000 {
			t.Errorf("told %q, %v", w.recorder.Body, err)
		}
		told[w.recorder.Body.String()] = true
	}
	if len(told) < 2 {
		t.Errorf("all are told %v", told)
	}
}
