package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/adapters/sse"
	"github.com/spillwayhq/spillway/cmd/spillway/internal/server"
	"github.com/spillwayhq/spillway/cursor/disklog"
)

const activity = "/v1/activity"

// ondisk is a bed whose log is in a folder.
func ondisk(t *testing.T, change func(*server.Options)) (b *bed, dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "log")
	log, err := disklog.Open(dir, disklog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return open(t, func(o *server.Options) {
		o.Log = log
		if change != nil {
			change(o)
		}
	}), dir
}

// hostile are texts that somebody might send in the place of any name, id, region or place.
var hostile = []string{
	"", " ", ".", "..", "../..", "../../etc/passwd", "/etc/passwd", `..\..\windows`, "C:\\con", "con", "NUL", "aux.txt", "%2e%2e%2f", "%00", "a\x00b",
	"a\nb", "a\r\nb", "a\rb", "\n\n", "a\nid: 7", "a\ndata: forged\n\n", "event: spillway.end", ":comment", "retry: 1", "\ufeffid: 1",
	"\u2028", "\u202e", "\x7f", "\x1b[2J", "\xff\xfe", "\xc0\xaf", "\xed\xa0\x80", "é", "e\u0301", "A", "a", "*", ">", "a.*", "foo.>", "a b",
	"|", "=", "a|scope=b", "entity=x", "@", "a@b", ":", "a:", ":a", "a::b", strings.Repeat("a:", 100) + "a", strings.Repeat("x", 300), strings.Repeat("x", 5000),
	"<script>alert(1)</script>", "{{.}}", "${jndi:x}", "' OR 1=1 --", "0", "-1", "+5", " 7", "1e3", "0x10", "18446744073709551615", "18446744073709551616",
	"9223372036854775808", "4294967296", strings.Repeat("9", 40), "00000000-1", "null", "true", "[]", "{}", "NaN", "Infinity",
}

// TestH186HostileNames: whatever is sent as a name is refused, or is an event that comes out as it went in, once, by the stream, the log and the tree. No
// two of them are one, and none is a file.
func TestH186HostileNames(t *testing.T) {
	b, dir := ondisk(t, nil)
	parent, err := os.ReadDir(filepath.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	s := b.stream("/v1/events?from=start")
	sent := 0
	for _, text := range hostile {
		for _, field := range []string{"entity", "scope", "kind", "id", "payload"} {
			fields := map[string]string{"entity": "e", "scope": "s", "kind": "0x1:0x001", "id": "", "payload": ""}
			fields[field] = text
			var body strings.Builder
			body.WriteString("{")
			for name, value := range fields {
				if body.Len() > 1 {
					body.WriteString(",")
				}
				// What is no UTF-8 goes as it is.
				fmt.Fprintf(&body, `%q:"%s"`, name, strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\x00", `\u0000`, "\n", `\n`, "\r", `\r`, "\x1b", `\u001b`).Replace(value))
			}
			body.WriteString("}")
			r := b.post(asJSON, body.String())
			if r.status != http.StatusOK {
				if p := r.problem(t); r.status != 400 && r.status != 422 || strings.ContainsAny(p.Detail, "\x00\r\n\x1b") {
					t.Errorf("%s %q: %d %s", field, text, r.status, r.body)
				}
				continue
			}
			f, ok := s.next()
			if !ok {
				t.Fatalf("%s %q: the stream has ended", field, text)
			}
			e, err := sse.ParseJSON([]byte(f.data))
			if err != nil || f.event != "" || f.sequence(t) != uint64(sent) {
				t.Fatalf("%s %q came out as %+v (%v)", field, text, f, err)
			}
			got := map[string]string{"entity": e.Coordinate.Entity(), "scope": e.Coordinate.Scope(), "payload": string(e.Payload)}
			if want, is := fields[field], got[field]; field != "kind" && field != "id" && is != want {
				t.Errorf("%s %q came out as %q", field, want, is)
			}
			sent++
		}
	}
	if b.next() != uint64(sent) || sent < 100 {
		t.Errorf("%d were taken, and the log's next is %d", sent, b.next())
	}
	names := make(map[string]bool)
	until(t, "the tree has them", func() bool {
		total := 0
		for _, c := range b.tree("?limit=1000").Children {
			total += c.Events
			names[c.Name] = true
		}
		return total == sent
	})
	for _, pair := range []string{"A", "a", "é", "e\u0301"} {
		if !names[pair] {
			t.Errorf("%q is no name of its own", pair)
		}
	}
	after, err := os.ReadDir(filepath.Dir(dir))
	if err != nil || len(after) != len(parent) {
		t.Errorf("beside the log there are %v (%v)", after, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "engine")); err != nil {
		t.Errorf("the log: %v", err)
	}
}

// Whatever is in a query, a path or a header has an answer, by every route, and no token's rights are crossed.
func TestHostileRequests(t *testing.T) {
	b := guarded(t, func(o *server.Options) { o.Bounds.Body = 500 * time.Millisecond }) // for bodies that never come
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	goroutines := runtime.NumGoroutine()
	all := bearer(reader)
	for _, text := range hostile {
		q := url.QueryEscape(text)
		for _, path := range []string{
			"/v1/events?region=" + q, "/v1/events?entity=" + q, "/v1/events?from=" + q, "/v1/events?last_event_id=" + q, "/v1/events?lane=" + q + "&kind=" + q,
			activity + "?region=" + q, "/v1/log?region=" + q, "/v1/log?from=" + q + "&limit=" + q, "/v1/tree?prefix=" + q + "&after=" + q,
			"/v1/subscriptions?limit=" + q, "/debug/spillway?limit=" + q + "&sort=" + q + "&format=" + q,
			"/" + url.PathEscape(text), "/v1/" + url.PathEscape(text), "/assets/" + url.PathEscape(text), "/v1/subscriptions/" + url.PathEscape(text),
		} {
			method := http.MethodGet
			if strings.HasPrefix(path, "/v1/events") || strings.HasPrefix(path, activity) { // a stream has no end
				method = http.MethodHead
			}
			if r := b.do(method, path, http.NoBody, all...); r.status >= 500 {
				t.Errorf("%s %.100s: %d %s", method, path, r.status, r.body)
			}
			if r := b.do(http.MethodDelete, path, http.NoBody, all...); r.status < 300 || r.status >= 500 {
				t.Errorf("DELETE %.100s: %d", path, r.status)
			}
			if r := b.do(http.MethodHead, path, http.NoBody); r.status < 300 && !strings.HasPrefix(path, "/assets/") && path != "/" {
				t.Errorf("without a token %.100s: %d", path, r.status)
			}
		}
		if r := b.do(http.MethodPost, "/v1/session", strings.NewReader(text), "Content-Type", "text/plain"); r.status != http.StatusUnauthorized && r.status != 400 {
			t.Errorf("the token %.50q: %d", text, r.status)
		}
	}
	// Whatever a path is disguised as, and whatever a header says that the method is, a reader writes nothing.
	for _, path := range []string{
		"/v1/%65vents", "/v1/log/../events", "/v1/log/..%2fevents", "//v1/events", "/./v1/events", "/V1/EVENTS", "/v1/events/", "/v1/events%00", "/v1/events;x=y",
		"/v1/subscriptions/1", "/v1/subscriptions/%31", "/v1/log/..%2fsubscriptions/1", "/v1/events?method=POST",
	} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, "post"} {
			r := b.do(method, path, strings.NewReader(event("a", "")), append(bearer(reader), "Content-Type", asJSON, "X-HTTP-Method-Override", "POST", "X-Original-URL", "/v1/events")...)
			if r.status < 300 || r.status >= 500 {
				t.Errorf("%s %s: %d %s", method, path, r.status, r.body)
			}
		}
	}
	for _, raw := range []string{
		"GET / HTTP/9.9\r\nHost: x\r\n\r\n", "GARBAGE\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"GET /v1/log HTTP/1.1\r\nHost: " + b.address + "\r\nContent-Length: -1\r\n\r\n",
		"POST /v1/events HTTP/1.1\r\nHost: " + b.address + "\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/log HTTP/1.1\r\n\r\n",
		"POST /v1/events HTTP/1.1\r\nHost: " + b.address + "\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
		"POST /v1/events HTTP/1.1\r\nHost: " + b.address + "\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
		"GET /v1/log HTTP/1.1\r\nHost: " + b.address + "\r\nAuthorization: Bearer " + reader + "\x00\r\n\r\n",
		"GET /v1/log HTTP/1.1\r\nHost: " + b.address + "\r\nX: " + strings.Repeat("x", 1<<17) + "\r\n\r\n",
		"GET /" + strings.Repeat("a/../", 5000) + " HTTP/1.1\r\nHost: " + b.address + "\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: " + b.address + "\r\n\r\n", "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
		"GET /../../etc/passwd HTTP/1.1\r\nHost: " + b.address + "\r\n\r\n", "GET //evil.example/ HTTP/1.1\r\nHost: " + b.address + "\r\n\r\n",
		"TRACE / HTTP/1.1\r\nHost: " + b.address + "\r\n\r\n",
	} {
		if status := b.raw(raw); status != 0 && (status < 300 || status > 505) {
			t.Errorf("%.80q: %d", raw, status)
		}
	}
	b.client.CloseIdleConnections()
	until(t, "nothing is left", func() bool { return runtime.NumGoroutine() <= goroutines+2 })
	all = bearer(master)
	r := b.get("/metrics", all...)
	if !strings.Contains(string(r.body), "\nspillway_http_panics_total 0\n") {
		t.Errorf("something panicked: %s", b.logged)
	}
	if b.next() != 0 {
		t.Errorf("the log's next is %d", b.next())
	}
}

// A redirect leads nowhere else, and a cross-origin form posts nothing.
func TestHostilePages(t *testing.T) {
	b := open(t, nil)
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, path := range []string{"//evil.example", "//evil.example/..", "/\\evil.example", "/v1/../v1/log", "/./v1/log"} {
		r := b.do("GET", path, http.NoBody)
		if to := r.header.Get("Location"); strings.HasPrefix(to, "//") || strings.HasPrefix(to, "http") || strings.HasPrefix(to, "/\\") {
			t.Errorf("%s leads to %s", path, to)
		}
	}
	for _, contentType := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""} {
		if r := b.do("POST", "/v1/events", strings.NewReader(event("a", "")), "Content-Type", contentType); !r.is(t, 415, "type") {
			t.Errorf("%q: %d %s", contentType, r.status, r.body)
		}
	}
	if r := b.do("POST", "/v1/events", strings.NewReader(event("a", "")), "Content-Type", asJSON, "Origin", "http://evil.example"); !r.is(t, 403, "origin") {
		t.Errorf("from another site: %d %s", r.status, r.body)
	}
	if b.next() != 0 {
		t.Errorf("the log's next is %d", b.next())
	}
	for _, path := range []string{"/", "/v1/log", "/metrics", "/debug/spillway", "/nothing"} {
		r := b.get(path)
		if r.header.Get("X-Content-Type-Options") != "nosniff" || r.header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: %v", path, r.header)
		}
	}
}
