package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/server"
)

// What is to be over soon, and what is not to be over before a while, on a busy machine either.
const (
	soon   = 100 * time.Millisecond
	awhile = 3 * soon
)

// closed waits until the other end has closed a connection, and returns what came before.
func closed(t *testing.T, c net.Conn) string {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(c)
	if err != nil {
		t.Errorf("it is open still: %v", err)
	}
	return string(text)
}

func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// TestH174Slow: a header, a body, a line and an idle connection have their time, and the answer says what was accepted.
func TestH174Slow(t *testing.T) {
	b := open(t, func(o *server.Options) { o.Bounds.Header, o.Bounds.Body, o.Bounds.Idle = soon, soon, soon })
	post := "POST /v1/events HTTP/1.1\r\nHost: " + b.address + "\r\nContent-Type: "
	line := event("a", "") + "\n"
	for _, c := range []struct{ name, sent, answer string }{
		{"nothing", "", ""},
		{"half a header", "GET / HTTP/1.1\r\nHost: x\r\nX: ", ""},
		{"half a body", post + asJSON + "\r\nContent-Length: 100\r\n\r\n{", "HTTP/1.1 408 "},
		{"half a chunk", post + asJSON + "\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", "HTTP/1.1 408 "},
		{"half a line", post + asLines + "\r\nContent-Length: 1000\r\n\r\n" + line + line + "{", `"accepted":2,`},
		{"no more lines", post + asLines + "\r\nContent-Length: 1000\r\n\r\n" + line + line + line, `"accepted":3,`},
		{"a body for who wants none", "DELETE /v1/session HTTP/1.1\r\nHost: " + b.address + "\r\nContent-Length: 100\r\n\r\n", "HTTP/1.1 204 "},
		{"a body that is refused unread", "POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n", "HTTP/1.1 403 "},
		{"a stream with a body", "GET /v1/events HTTP/1.1\r\nHost: " + b.address + "\r\nContent-Length: 9\r\n\r\n", "HTTP/1.1 400 "},
		{"an idle connection", "GET /healthz HTTP/1.1\r\nHost: " + b.address + "\r\n\r\n", "HTTP/1.1 200 "},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := b.dial()
			send(t, conn, c.sent)
			if got := closed(t, conn); !strings.Contains(got, c.answer) {
				t.Errorf("got %q, want %q", got, c.answer)
			}
		})
	}
	if n := b.next(); n != 5 {
		t.Errorf("the log's next is %d, want 5", n)
	}
}

// A stream of lines that goes on is not cut, however long it takes; nor a stream of events.
func TestHealthyIsNotCut(t *testing.T) {
	b := open(t, func(o *server.Options) {
		o.Bounds.Header, o.Bounds.Body, o.Bounds.Write, o.Bounds.Idle, o.Bounds.Heartbeat = awhile, awhile, awhile, 10*time.Second, awhile/4
	})
	s := b.stream("/v1/events")
	from, to := io.Pipe()
	done := make(chan *http.Response, 1)
	go func() {
		res, err := b.client.Do(b.request(http.MethodPost, "/v1/events", from, "Content-Type", asLines))
		if err != nil {
			t.Error(err)
			res = &http.Response{Body: http.NoBody}
		}
		done <- res
	}()
	n := 0
	for began := time.Now(); time.Since(began) < 4*awhile; n++ {
		if _, err := io.WriteString(to, event("a", "")+"\n"); err != nil {
			t.Fatal(err)
		}
		if f, ok := s.next(); !ok || f.sequence(t) != uint64(n) {
			t.Fatalf("got %+v, %v", f, ok)
		}
	}
	_ = to.Close()
	res := <-done
	text, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil || !strings.Contains(string(text), fmt.Sprintf(`"accepted":%d,`, n)) {
		t.Errorf("got %s, %v; want %d", text, err, n)
	}
}

// allocated returns how much f has the process allocate.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestH178EndlessBody: a body that has no end, and says no length, is refused at its limit, and nothing is kept of it.
func TestH178EndlessBody(t *testing.T) {
	b := open(t, nil)
	for contentType, kind := range map[string]string{asJSON: "body", "application/cloudevents+json": "body", asLines: "line"} {
		var r reply
		took := allocated(func() { r = b.do("POST", "/v1/events", io.LimitReader(zeros{}, 1<<32), "Content-Type", contentType) })
		if !r.is(t, http.StatusRequestEntityTooLarge, kind) {
			t.Errorf("%s: got %d %s", contentType, r.status, r.body)
		}
		if took > 64<<20 {
			t.Errorf("%s: it took %d MiB", contentType, took>>20)
		}
	}
}

// TestAllowedPayloadFitsALine: a payload as large as one may be is taken as a line, too, whatever its text needs there.
func TestAllowedPayloadFitsALine(t *testing.T) {
	b := open(t, nil)
	const event = `{"entity":"a","scope":"s","kind":"0x1:0x001",`
	for _, payload := range []string{
		`"payload_base64":"` + strings.Repeat("////", (1<<20)/3) + `"}`,
		`"payload":"` + strings.Repeat(`\n`, 1<<20) + `"}`,
	} {
		if r := b.post(asLines, event+payload+"\n"); r.status != http.StatusOK {
			t.Errorf("%.40q: got %d %s", payload, r.status, r.body)
		}
	}
}

// TestH179GzipBomb: what is small before it is unpacked is refused by what it is afterwards.
func TestH179GzipBomb(t *testing.T) {
	b := open(t, nil)
	large := much(48, 256) << 20
	for _, c := range []struct{ contentType, content, kind string }{
		{asJSON, strings.Repeat(" ", large), "body"},
		{asLines, strings.Repeat(" ", large), "line"},
		{asLines, strings.Repeat("\n", large), "blank"},
		{asJSON, strings.Repeat("[", 3<<20), "nesting"},
		{asLines, `{"payload":` + strings.Repeat("[", 1<<19) + "\n", "nesting"},
	} {
		bomb := packed(t, c.content)
		var r reply
		took := allocated(func() { r = b.post(c.contentType, bomb, "Content-Encoding", "gzip") })
		if p := r.problem(t); !strings.HasSuffix(p.Type, "/"+c.kind) {
			t.Errorf("%s of %q: got %d %s", c.contentType, c.content[:1], r.status, r.body)
		}
		if took > 40<<20 {
			t.Errorf("%s of %q: it took %d MiB", c.contentType, c.content[:1], took>>20)
		}
	}
}

// TestH180Bounded: what is too much in each way is refused, and the answer counts what is in the log.
func TestH180Bounded(t *testing.T) {
	b := open(t, func(o *server.Options) {
		o.Bounds.Ingest.Events, o.Bounds.Ingest.Payload, o.Bounds.Ingest.Nesting, o.Bounds.Ingest.Line = 10, 1000, 10, 5000
	})
	good := event("a", "") + "\n"
	for _, c := range []struct {
		name, contentType, body string
		status, accepted        int
		kind                    string
	}{
		{"an array", asJSON, "[" + strings.TrimSuffix(strings.Repeat(event("a", "")+",", 11), ",") + "]", 413, 0, "events"},
		{"a payload", asLines, good + event("a", `,"payload":"`+strings.Repeat("x", 1001)+`"`), 413, 1, "payload"},
		{"nesting", asLines, good + good + event("a", `,"payload":`+strings.Repeat("[", 20)+strings.Repeat("]", 20)), 400, 2, "nesting"},
		{"a line", asLines, strings.Repeat(good, 3000) + strings.Repeat("x", 1<<20), 413, 3000, "line"},
	} {
		before := b.next()
		r := b.post(c.contentType, c.body)
		if p := r.problem(t); !r.is(t, c.status, c.kind) || *p.Accepted != c.accepted || b.next()-before != uint64(c.accepted) {
			t.Errorf("%s: got %d %s, and %d in the log", c.name, r.status, r.body, b.next()-before)
		}
	}
}

// hold begins a request with events that doesn't end, and returns what ends it.
func (b *bed) hold() (end func()) {
	b.t.Helper()
	from, to := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		res, err := b.client.Do(b.request(http.MethodPost, "/v1/events", from, "Content-Type", asLines))
		if err != nil {
			b.t.Error(err)
			return
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
	}()
	return func() {
		_ = to.Close()
		<-done
	}
}

// TestH190ManyIngests: however many come at a time, so many are let in; the others are told when to come back, and what is under way goes on.
func TestH190ManyIngests(t *testing.T) {
	for _, c := range []struct {
		name             string
		all, own, status int
		kind             string
	}{
		{"in all", 4, 16, http.StatusServiceUnavailable, "busy"},
		{"of one client", 16, 4, http.StatusTooManyRequests, "ingests"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t, func(o *server.Options) { o.Bounds.Ingests, o.Bounds.IngestsPerClient = c.all, c.own })
			var ends []func()
			for range 4 {
				ends = append(ends, b.hold())
			}
			until(t, "four under way", func() bool { return b.metric("spillway_http_ingests") == 4 })
			goroutines := runtime.NumGoroutine()
			var wg sync.WaitGroup
			each := much(40, 400)
			for range 50 {
				wg.Go(func() {
					for range each {
						r := b.post(asJSON, event("a", ""))
						if after, err := strconv.Atoi(r.header.Get("Retry-After")); !r.is(t, c.status, c.kind) || err != nil || after < 1 {
							t.Errorf("got %d %s %v", r.status, r.body, r.header)
							return
						}
					}
				})
			}
			wg.Wait()
			if b.metric("spillway_http_ingests_refused_total") != float64(50*each) || b.next() != 0 {
				t.Errorf("refused %v, the log's next is %d", b.metric("spillway_http_ingests_refused_total"), b.next())
			}
			b.client.CloseIdleConnections()
			until(t, "no more goroutines than before", func() bool { return runtime.NumGoroutine() <= goroutines+10 })
			for _, end := range ends {
				end()
			}
			if r := b.post(asJSON, event("a", "")); r.status != http.StatusOK {
				t.Errorf("afterwards: %d %s", r.status, r.body)
			}
		})
	}
}

// from is a client at another address of this machine.
func (b *bed) from(address string) *http.Client {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	transport := &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}
	return &http.Client{Transport: transport}
}

func TestRate(t *testing.T) {
	b := open(t, func(o *server.Options) { o.Bounds.Rate = 5 })
	fast := false
	for range 20 {
		r := b.get("/healthz")
		if r.status == http.StatusTooManyRequests {
			after, err := strconv.Atoi(r.header.Get("Retry-After"))
			if fast = r.is(t, 429, "rate"); !fast || err != nil || after != 1 {
				t.Errorf("got %s %v", r.body, r.header)
			}
		}
	}
	if !fast {
		t.Error("20 requests at once are not too fast")
	}
	if runtime.GOOS != "linux" {
		t.Skip("another address of this machine is Linux's")
	}
	other := *b
	other.client = b.from("127.0.0.2")
	if r := other.get("/healthz"); r.status != http.StatusOK {
		t.Errorf("another client: %d %s", r.status, r.body)
	}
}

// TestClientsAreForgotten: of addresses there is no end, and what is known of them has one.
func TestClientsAreForgotten(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("another address of this machine is Linux's")
	}
	b := open(t, func(o *server.Options) { o.Bounds.Clients, o.Bounds.Ingests = 8, 100 })
	end := b.hold() // has something under way, and is not forgotten
	until(t, "one under way", func() bool { return b.metric("spillway_http_ingests") == 1 })
	for i := range 40 {
		other := *b
		other.client = b.from(fmt.Sprintf("127.0.1.%d", i+1))
		if r := other.get("/healthz"); r.status != http.StatusOK {
			t.Fatalf("%d %s", r.status, r.body)
		}
	}
	if n := b.metric("spillway_http_clients"); n != 8 {
		t.Errorf("%v clients are known, want 8", n)
	}
	end()
}

// TestH191Streams: streams are bounded, in all and of a client, and their regions and shapes, too.
func TestH191Streams(t *testing.T) {
	b := open(t, func(o *server.Options) {
		o.Bounds.Streams, o.Bounds.StreamsPerClient, o.Bounds.Regions, o.Bounds.Shapes = 4, 3, 3, 4
	})
	s := b.stream("/v1/events?entity=a:b&lane=7")
	s2 := b.stream("/v1/events?region=lane%3D1&region=entity%3Da%7Clane%3D1&region=scope%3Dx")
	for query, kind := range map[string]string{
		"?region=lane%3D1&region=lane%3D2&region=lane%3D3&region=lane%3D4": "regions",
		"?entity=a:b:c":                    "shapes",
		"?region=nonsense":                 "region",
		"?from=nonsense&entity=q:r&lane=7": "place",
	} {
		if r := b.get("/v1/events" + query); r.status < 400 || !strings.HasSuffix(r.problem(t).Type, "/"+kind) {
			t.Errorf("%s: got %d %s", query, r.status, r.body)
		}
	}
	b.stream("/v1/events?entity=q:r&lane=9") // of a shape that is there
	if r := b.get("/v1/events?lane=1"); !r.is(t, http.StatusTooManyRequests, "client") || r.header.Get("Retry-After") == "" {
		t.Errorf("the fourth: %d %s", r.status, r.body)
	}
	s.close()
	s2.close()
	until(t, "its shapes are given back", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		res, err := b.client.Do(b.request("GET", "/v1/events?entity=a:b:c", http.NoBody).WithContext(ctx))
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

// Connections are bounded: the next waits until one ends.
func TestConnections(t *testing.T) {
	b := open(t, func(o *server.Options) { o.Bounds.Connections, o.Bounds.Header = 2, 10*time.Second })
	first, second, third := b.dial(), b.dial(), b.dial()
	ask := "GET /healthz HTTP/1.1\r\nHost: " + b.address + "\r\n\r\n"
	for _, c := range []net.Conn{first, second} {
		send(t, c, ask)
		if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
			t.Fatal(err)
		}
	}
	send(t, third, ask)
	if err := third.SetReadDeadline(time.Now().Add(soon)); err != nil {
		t.Fatal(err)
	}
	if n, err := third.Read(make([]byte, 1)); err == nil {
		t.Fatalf("the third is answered: %d bytes", n)
	}
	_ = first.Close()
	if err := third.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := http.ReadResponse(bufio.NewReader(third), nil); err != nil {
		t.Errorf("when one has ended: %v", err)
	}
}
