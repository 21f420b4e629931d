package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/problem"
	"github.com/spillwayhq/spillway/cmd/spillway/internal/server"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
)

// much is how often, or how much, in a test that is the longer the better: more where SPILLWAY_EDGE is set, as a step of .ci/run has it.
func much(usual, edge int) int {
	if os.Getenv("SPILLWAY_EDGE") != "" {
		return edge
	}
	return usual
}

// A bed is a Server behind a real listener of this machine, and a client.
type bed struct {
	t       *testing.T
	server  *server.Server
	options server.Options
	log     cursor.Log
	address string
	url     string
	logged  *lines
	client  *http.Client
	tls     [2]string // the certificate's file, and its key's
	served  chan error
	stopped bool
	gone    chan struct{} // closed when stop has returned
}

// lines are what is logged.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func open(t *testing.T, change func(*server.Options)) *bed {
	t.Helper()
	b := &bed{client: &http.Client{Transport: &http.Transport{}}}
	b.begin(t, change)
	return b
}

// begin has the server serve.
func (b *bed) begin(t *testing.T, change func(*server.Options)) {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	log, err := memlog.New(memlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b.t, b.address, b.logged, b.served, b.gone = t, l.Addr().String(), new(lines), make(chan error, 1), make(chan struct{})
	b.url = "http://" + b.address
	_, port, _ := strings.Cut(b.address, ":")
	b.options = server.Options{
		Log: log, Hosts: []string{"localhost:" + port, "127.0.0.1:" + port, "[::1]:" + port}, Logger: slog.New(slog.NewTextHandler(b.logged, nil)),
		TLS: b.tls[0] != "",
	}
	if change != nil {
		change(&b.options)
	}
	b.log = b.options.Log
	if b.server, err = server.New(l.Addr(), b.options); err != nil {
		t.Fatal(err)
	}
	if b.options.TLS {
		b.url = "https://" + b.address
		go func() { b.served <- b.server.ServeTLS(l, b.tls[0], b.tls[1]) }()
	} else {
		go func() { b.served <- b.server.Serve(l) }()
	}
	t.Cleanup(b.stop)
}

// stop ends the server, and looks whether all is well.
func (b *bed) stop() {
	b.t.Helper()
	if b.stopped {
		return
	}
	b.stopped = true
	defer close(b.gone)
	b.client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := b.server.Shutdown(ctx); err != nil {
		b.t.Errorf("Shutdown: %v", err)
	}
	if err := <-b.served; err != nil {
		b.t.Errorf("Serve: %v", err)
	}
	b.client.CloseIdleConnections()
}

// A reply is what a request was answered with.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// problem is the reply as one.
func (r reply) problem(t *testing.T) problem.Problem {
	t.Helper()
	var p problem.Problem
	err := json.Unmarshal(r.body, &p)
	if err != nil || r.header.Get("Content-Type") != problem.ContentType || p.Status != r.status || p.Detail == "" || p.Title == "" || p.Type == "" {
		t.Errorf("%d %s: %s is no problem (%v)", r.status, r.header.Get("Content-Type"), r.body, err)
	}
	return p
}

// is tells whether the reply is a problem of a status and a type.
func (r reply) is(t *testing.T, status int, kind string) bool {
	t.Helper()
	return r.status == status && strings.HasSuffix(r.problem(t).Type, "/"+kind)
}

// request makes one; headers are by twos.
func (b *bed) request(method, path string, body io.Reader, headers ...string) *http.Request {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		} else {
			r.Header.Add(headers[i], headers[i+1])
		}
	}
	return r
}

func (b *bed) do(method, path string, body io.Reader, headers ...string) reply {
	b.t.Helper()
	res, err := b.client.Do(b.request(method, path, body, headers...))
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	return reply{res.StatusCode, res.Header, text}
}

// try is do for a goroutine of its own; what fails has no status.
func (b *bed) try(r *http.Request) reply {
	res, err := b.client.Do(r)
	if err != nil {
		return reply{body: []byte(err.Error())}
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return reply{body: []byte(err.Error())}
	}
	return reply{res.StatusCode, res.Header, text}
}

func (b *bed) get(path string, headers ...string) reply {
	b.t.Helper()
	return b.do(http.MethodGet, path, http.NoBody, headers...)
}

const (
	asJSON  = "application/json"
	asLines = "application/x-ndjson"
)

func (b *bed) post(contentType, body string, headers ...string) reply {
	b.t.Helper()
	return b.do(http.MethodPost, "/v1/events", strings.NewReader(body), append([]string{"Content-Type", contentType}, headers...)...)
}

// event is the JSON of one, with more fields.
func event(entity, more string) string {
	return fmt.Sprintf(`{"entity":%q,"scope":"shop","kind":"0x1:0x001"%s}`, entity, more)
}

// id is a field that names the n-th event.
func id(n int) string { return fmt.Sprintf(`,"id":"%032x"`, n) }

// fill appends events of one entity.
func (b *bed) fill(entity string, n int) {
	b.t.Helper()
	body := strings.Repeat(event(entity, "")+"\n", n)
	if r := b.post(asLines, body); r.status != http.StatusOK || !strings.Contains(string(r.body), fmt.Sprintf(`"accepted":%d`, n)) {
		b.t.Fatalf("%d %s", r.status, r.body)
	}
}

func (b *bed) next() uint64 {
	b.t.Helper()
	bounds, err := b.log.Bounds(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	return bounds.Next
}

// A frame is an event of a stream.
type frame struct{ id, event, data string }

// A tail is a stream that is read.
type tail struct {
	t     *testing.T
	res   *http.Response
	lines *bufio.Scanner
	close func()
}

// stream begins one.
func (b *bed) stream(path string, headers ...string) *tail {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	res, err := b.client.Do(b.request(http.MethodGet, path, http.NoBody, headers...).WithContext(ctx))
	if err != nil {
		b.t.Fatal(err)
	}
	s := &tail{t: b.t, res: res, lines: bufio.NewScanner(res.Body), close: func() {
		cancel()
		_ = res.Body.Close()
	}}
	s.lines.Buffer(nil, 1<<24)
	b.t.Cleanup(s.close)
	if res.StatusCode != http.StatusOK {
		b.t.Fatalf("%s: %s", path, res.Status)
	}
	return s
}

// next returns the next event; false at the end.
func (s *tail) next() (f frame, ok bool) {
	for s.lines.Scan() {
		line := s.lines.Text()
		name, value, _ := strings.Cut(line, ": ")
		switch {
		case line == "" && f.event == "spillway.progress": // where the stream begins
			f = frame{}
		case line == "" && f.data != "":
			return f, true
		case name == "id":
			f.id = value
		case name == "event":
			f.event = value
		case name == "data":
			f.data += value
		}
	}
	return f, false
}

// sequence is that of an event of the log.
func (f frame) sequence(t *testing.T) uint64 {
	t.Helper()
	_, number, _ := strings.Cut(f.id, "-")
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		t.Fatalf("%+v is no event of a log", f)
	}
	return n
}

// until waits for something that comes soon, without an event to wait for.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	late := time.After(10 * time.Second)
	for !is() {
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("%s: not within 10 s", what)
		}
	}
}

// tokens writes a file of tokens.
func tokens(t *testing.T, text string) *server.Tokens {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	tokens, err := server.ReadTokens(path)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// dial opens a connection that a test writes to by hand.
func (b *bed) dial() net.Conn {
	b.t.Helper()
	var d net.Dialer
	c, err := d.DialContext(b.t.Context(), "tcp", b.address)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = c.Close() })
	return c
}

// raw sends bytes, and returns the status that they are answered with; 0 where the connection is closed.
func (b *bed) raw(text string) int {
	b.t.Helper()
	c := b.dial()
	defer func() { _ = c.Close() }()
	if _, err := io.WriteString(c, text); err != nil {
		b.t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// metric returns a figure of /metrics.
func (b *bed) metric(name string) float64 {
	b.t.Helper()
	for line := range strings.Lines(string(b.get("/metrics").body)) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				b.t.Fatal(err)
			}
			return v
		}
	}
	return -1
}
