package dashboard_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/server"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/disklog"
	"github.com/spillwayhq/spillway/region"
)

// A bed is spillway serve's Server, on a log in a folder, at an address of this machine. It can be cut off, and started again there.
type bed struct {
	t       *testing.T
	change  func(*server.Options)
	folder  string
	address string
	options disklog.Options

	server    *server.Server
	listener  *cutListener
	served    chan error
	published int
}

// A cutListener can cut every connection that came by it, as it happens to those of a process that is killed.
type cutListener struct {
	net.Listener

	mu  sync.Mutex
	all []net.Conn
}

func (l *cutListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		_ = c.(*net.TCPConn).SetWriteBuffer(1 << 14) // who reads nothing holds events soon
		l.mu.Lock()
		defer l.mu.Unlock()
		l.all = append(l.all, c)
	}
	return c, err
}

func (l *cutListener) cut() {
	_ = l.Close() // nothing more comes
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.all {
		_ = c.Close()
	}
}

// open serves a new log; change is made to the options of the Server each time that it starts.
func open(t *testing.T, change func(*server.Options)) *bed {
	t.Helper()
	b := &bed{t: t, change: change, folder: filepath.Join(t.TempDir(), "log"), options: disklog.Options{Sync: cursor.NoSync()}}
	b.start()
	t.Cleanup(b.stop)
	return b
}

func (b *bed) page() string { return "http://" + b.address + "/" }

// listen listens where the bed was, or at first where nobody is: below the addresses that clients are given.
func (b *bed) listen() (l net.Listener, err error) {
	var config net.ListenConfig
	for range 100 {
		address := b.address
		if address == "" {
			address = fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(22_000))
		}
		if l, err = config.Listen(b.t.Context(), "tcp", address); !errors.Is(err, syscall.EADDRINUSE) {
			return l, err
		}
	}
	return nil, err
}

func (b *bed) start() {
	b.t.Helper()
	l, err := b.listen()
	if err != nil {
		b.t.Fatal(err)
	}
	b.address = l.Addr().String()
	log, err := disklog.Open(b.folder, b.options)
	if err != nil {
		b.t.Fatal(err)
	}
	o := server.Options{Log: log, Hosts: []string{b.address}, Bounds: server.Bounds{Retry: 50 * time.Millisecond}}
	if b.change != nil {
		b.change(&o)
	}
	if b.server, err = server.New(l.Addr(), o); err != nil {
		b.t.Fatal(err)
	}
	b.listener, b.served = &cutListener{Listener: l}, make(chan error, 1)
	go func(s *server.Server, l net.Listener, served chan error) { served <- s.Serve(l) }(b.server, b.listener, b.served)
}

// stop cuts every connection, without a word to anybody, and then ends the server.
func (b *bed) stop() {
	b.t.Helper()
	if b.server == nil {
		return
	}
	b.listener.cut()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := b.server.Shutdown(ctx); err != nil {
		b.t.Errorf("Shutdown: %v", err)
	}
	if err := <-b.served; err != nil && !errors.Is(err, net.ErrClosed) {
		b.t.Errorf("Serve: %v", err)
	}
	b.server = nil
}

// forget has the next start begin another log.
func (b *bed) forget() { b.folder, b.published = filepath.Join(b.t.TempDir(), "log"), 0 }

var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// ask makes a request, with a token of "" without one.
func (b *bed) ask(method, path, token, body string) (status int, header http.Header, answer string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, "http://"+b.address+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(text)
}

// send sends lines of events.
func (b *bed) send(token string, lines ...string) {
	b.t.Helper()
	status, _, answer := b.ask(http.MethodPost, "/v1/events", token, strings.Join(lines, "\n"))
	if want := fmt.Sprintf(`{"accepted":%d,`, len(lines)); status != http.StatusOK || !strings.HasPrefix(answer, want) {
		b.t.Fatalf("%d %s, want %s", status, answer, want)
	}
	b.published += len(lines)
}

// publish sends an event of each entity.
func (b *bed) publish(payload string, entities ...string) {
	b.t.Helper()
	var lines []string
	for _, entity := range entities {
		lines = append(lines, fmt.Sprintf(`{"entity":%q,"scope":"shop","kind":"0x1:0x00a","payload":%s}`, entity, payload))
	}
	b.send("", lines...)
}

// many is an entity so many times.
func many(n int, entity string) []string { return slices.Repeat([]string{entity}, n) }

// until waits for an answer that has a text in it.
func (b *bed) until(path, text string) {
	b.t.Helper()
	for late := time.Now().Add(20 * time.Second); ; runtime.Gosched() {
		_, _, answer := b.ask(http.MethodGet, path, "", "")
		if strings.Contains(answer, text) {
			return
		}
		if time.Now().After(late) {
			b.t.Fatalf("%s is answered %s, want %s", path, answer, text)
		}
	}
}

// figure returns what /metrics has of a name.
func (b *bed) figure(name string) int {
	b.t.Helper()
	_, _, text := b.ask(http.MethodGet, "/metrics", "", "")
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				b.t.Fatal(err)
			}
			return int(v)
		}
	}
	b.t.Fatalf("/metrics has no %s", name)
	return 0
}

// stuck begins a stream that nobody reads.
func (b *bed) stuck(query string) {
	b.t.Helper()
	var d net.Dialer
	c, err := d.DialContext(b.t.Context(), "tcp", b.address)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = c.Close() })
	if err := c.(*net.TCPConn).SetReadBuffer(1 << 12); err != nil {
		b.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(c, "GET /v1/events?%s HTTP/1.1\r\nHost: %s\r\n\r\n", query, b.address); err != nil {
		b.t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, len("HTTP/1.1 200"))); err != nil {
		b.t.Fatal(err)
	}
}

// stick begins a stream of an entity that nobody reads, publishes until so much of it is held, and returns its id.
func (b *bed) stick(entity string, held int) (id int) {
	b.t.Helper()
	b.stuck("entity=" + url.QueryEscape(entity))
	payload := strconv.Quote(strings.Repeat("x", 1<<13))
	for range 300 {
		var all struct {
			Subscriptions []struct {
				ID     int
				Region string
				Held   int
			}
		}
		if _, _, text := b.ask(http.MethodGet, "/v1/subscriptions", "", ""); json.Unmarshal([]byte(text), &all) != nil {
			b.t.Fatal(text)
		}
		there := false
		for _, s := range all.Subscriptions {
			if s.Region == (region.Region{Entity: entity}).String() {
				there = true
				if s.Held >= held {
					return s.ID
				}
			}
		}
		if there {
			b.publish(payload, many(4, entity)...)
		}
	}
	b.t.Fatal("it isn't stuck")
	return 0
}

// end ends a subscription.
func (b *bed) end(id int) {
	b.t.Helper()
	if status, _, text := b.ask(http.MethodDelete, fmt.Sprintf("/v1/subscriptions/%d", id), "", ""); status != http.StatusNoContent {
		b.t.Fatalf("%d %s", status, text)
	}
}

// tokens has the server ask for a token.
func tokens(t *testing.T, text string) func(*server.Options) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(o *server.Options) {
		var err error
		if o.Tokens, err = server.ReadTokens(path); err != nil {
			t.Fatal(err)
		}
	}
}
