package server_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/server"
)

// TestH182ForeignHost: a request by a host that is not the server's is refused, whatever it is disguised as.
func TestH182ForeignHost(t *testing.T) {
	b := open(t, nil)
	_, port, _ := strings.Cut(b.address, ":")
	for host, status := range map[string]int{
		"127.0.0.1:" + port: 200, "localhost:" + port: 200, "LocalHost:" + port: 200, "[::1]:" + port: 200,

		"evil.example": 403, "evil.example:" + port: 403, "localhost.evil.example:" + port: 403, "localhost." + ":" + port: 403,
		"localhost": 403, "localhost:1": 403, "localhost:0" + port: 403, "localhost:": 403, "localhost:" + port + ":" + port: 403,
		"[127.0.0.1]:" + port: 403, "::1:" + port: 403, "[::1": 403, "127.0.0.1.:" + port: 403, "127.1:" + port: 403, "0x7f.1:" + port: 403,
		"2130706433:" + port: 403, "10.0.0.1:" + port: 403, "user@localhost:" + port: 400, "[::1%lo]:" + port: 403, "": 403,
		"127.0.0.1:" + port + "/": 400, "localhost:" + port + ",evil.example": 400,
	} {
		got := b.raw("GET /v1/log HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")
		if got != status && (got < 400 || status == 200) {
			t.Errorf("Host %q: got %d, want %d", host, got, status)
		}
	}
	for target, status := range map[string]int{
		"http://evil.example/v1/log":               403,
		"http://evil.example:" + port + "/v1/log":  403,
		"http://localhost:" + port + "/v1/log":     200,
		"https://evil.example:" + port + "/v1/log": 403,
		"http://localhost:1/v1/log":                403,
	} {
		// The target names the host, whatever the header says.
		if got := b.raw("GET " + target + " HTTP/1.1\r\nHost: localhost:" + port + "\r\nConnection: close\r\n\r\n"); got != status {
			t.Errorf("%s: got %d, want %d", target, got, status)
		}
	}
	if got := b.raw("GET /v1/log HTTP/1.0\r\n\r\n"); got != 403 {
		t.Errorf("HTTP/1.0 without a host: got %d, want 403", got)
	}
	if got := b.raw("GET /v1/log HTTP/1.1\r\nHost: localhost:" + port + "\r\nHost: evil.example\r\n\r\n"); got != 400 {
		t.Errorf("two hosts: got %d, want 400", got)
	}
}

// A server behind another name is asked by that; and by any address, where it is told so.
func TestHosts(t *testing.T) {
	b := open(t, func(o *server.Options) {
		o.Hosts, o.AnyAddress = []string{"events.example", "other.example:8443"}, true
	})
	_, port, _ := strings.Cut(b.address, ":")
	for host, status := range map[string]int{
		"events.example": 200, "events.example:80": 200, "events.example:" + port: 200, "events.example:443": 403,
		"other.example:8443": 200, "other.example": 403,
		"192.0.2.1:" + port: 200, "[2001:db8::1]:" + port: 200, "192.0.2.1": 403, "localhost:" + port: 403,
	} {
		if r := b.get("/v1/log", "Host", host); r.status != status {
			t.Errorf("Host %q: got %d, want %d", host, r.status, status)
		}
	}
}

// TestH183HostBeforeOrigin: an Origin that agrees with a foreign Host is foreign, too; and no origin is anybody.
func TestH183HostBeforeOrigin(t *testing.T) {
	b := open(t, nil)
	_, port, _ := strings.Cut(b.address, ":")
	for _, c := range []struct {
		host, origin, site string
		status             int
		kind               string
	}{
		{"evil.example:" + port, "http://evil.example:" + port, "same-origin", 403, "host"},
		{"localhost:" + port, "http://localhost:" + port, "same-origin", 200, ""},
		{"LOCALHOST:" + port, "http://localhost:" + port, "", 200, ""},
		{"localhost:" + port, "http://127.0.0.1:" + port, "", 403, "origin"},
		{"localhost:" + port, "http://localhost", "", 403, "origin"},
		{"localhost:" + port, "http://localhost:1", "", 403, "origin"},
		{"localhost:" + port, "http://localhost:" + port + ".evil.example", "", 403, "origin"},
		{"localhost:" + port, "http://localhost:" + port + "/", "", 403, "origin"},
		{"localhost:" + port, "null", "", 403, "origin"},
		{"localhost:" + port, "file://", "", 403, "origin"},
		{"localhost:" + port, "*", "", 403, "origin"},
		{"localhost:" + port, "", "cross-site", 403, "origin"},
		{"localhost:" + port, "", "same-site", 403, "origin"},
		{"localhost:" + port, "", "none", 200, ""},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions} {
			headers := []string{"Host", c.host, "Content-Type", asJSON}
			if c.origin != "" {
				headers = append(headers, "Origin", c.origin)
			}
			if c.site != "" {
				headers = append(headers, "Sec-Fetch-Site", c.site)
			}
			path, want := "/v1/log", c.status
			switch method {
			case http.MethodPost:
				path = "/v1/events"
			case http.MethodOptions:
				if want == 200 {
					want = http.StatusMethodNotAllowed
				}
			}
			r := b.do(method, path, strings.NewReader(event("a", "")), headers...)
			if r.status != want || c.kind != "" && !r.is(t, c.status, c.kind) {
				t.Errorf("%s from %q at %q (%s): got %d %s", method, c.origin, c.host, c.site, r.status, r.body)
			}
			for name := range r.header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s: %v", name, r.header[name])
				}
			}
		}
	}
	// Somebody follows a link from another site.
	if r := b.get("/", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"); r.status != 200 {
		t.Errorf("a link: %d %s", r.status, r.body)
	}
	if r := b.get("/", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"); r.status != 403 {
		t.Errorf("a frame: %d", r.status)
	}
}

const reader, writer, master = "reader-0123456789", "writer-0123456789", "master-0123456789"

func guarded(t *testing.T, more ...func(*server.Options)) *bed {
	t.Helper()
	return open(t, func(o *server.Options) {
		for _, change := range more {
			change(o)
		}
		o.Tokens = tokens(t, fmt.Sprintf("# who may what\n\nread %s\nwrite sha256:%X\nboth %s\n", reader, sha256.Sum256([]byte(writer)), master))
	})
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

// Nobody gets past what a token is for, by any route.
func TestRights(t *testing.T) {
	b := guarded(t)
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, c := range []struct {
		method, path string
		need         string // read, write, or none
	}{
		{"GET", "/v1/log", "read"},
		{"HEAD", "/v1/log", "read"},
		{"GET", "/v1/subscriptions", "read"},
		{"GET", "/v1/tree", "read"},
		{"GET", "/metrics", "read"},
		{"GET", "/debug/spillway", "read"},
		{"HEAD", "/v1/events", "read"},
		{"HEAD", "/v1/activity", "read"},
		{"POST", "/v1/events", "write"},
		{"DELETE", "/v1/subscriptions/1", "write"},
		{"GET", "/", "none"},
		{"GET", "/healthz", "none"},
		{"GET", "/readyz", "none"},
		{"GET", "/v1/openapi.json", "none"},
		{"GET", "/v1/session", "none"},
	} {
		for token, rights := range map[string]string{reader: "read", writer: "write", master: "read write", "": "", "nonsense-0123456789": ""} {
			want := func(status int) bool { return status != 401 && status != 403 }
			switch {
			case c.need == "none":
			case rights == "":
				want = func(status int) bool { return status == 401 }
			case !strings.Contains(rights, c.need):
				want = func(status int) bool { return status == 403 }
			}
			var headers []string
			if token != "" {
				headers = bearer(token)
			}
			r := b.do(c.method, c.path, http.NoBody, headers...)
			if !want(r.status) {
				t.Errorf("%s %s as %q: got %d", c.method, c.path, token, r.status)
			}
			if c.method == "POST" && (r.problem(t).Accepted == nil || *r.problem(t).Accepted != 0) {
				t.Errorf("%s %s as %q: %s doesn't say that nothing was accepted", c.method, c.path, token, r.body)
			}
		}
	}
}

// TestH184Tokens: what is not one token, whole, is none, the empty one before all.
func TestH184Tokens(t *testing.T) {
	b := guarded(t)
	for _, headers := range [][]string{
		{},
		bearer(""),
		{"Authorization", "Bearer"},
		{"Authorization", ""},
		{"Authorization", reader},
		{"Authorization", "Basic " + reader},
		bearer(reader[:len(reader)-1]),
		bearer(reader + "x"),
		bearer(strings.ToUpper(reader)),
		bearer(fmt.Sprintf("%x", sha256.Sum256([]byte(reader)))),
		bearer("sha256:" + fmt.Sprintf("%x", sha256.Sum256([]byte(writer)))),
		bearer(strings.Repeat("x", 20_000)),
		append(bearer(reader), bearer(reader)...),
		append(bearer("nonsense-0123456789"), "Cookie", "spillway=x"),
	} {
		r := b.get("/v1/log", headers...)
		if !r.is(t, http.StatusUnauthorized, "token") || !strings.HasPrefix(r.header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%.60q: got %d %s", headers, r.status, r.body)
		}
	}
	if r := b.get("/v1/log", "Authorization", "bearer  "+reader+" "); r.status != http.StatusOK {
		t.Errorf("got %d", r.status)
	}
}

// TestH185NoTokenInURL: a token in a URL is none, and nothing that is logged has one.
func TestH185NoTokenInURL(t *testing.T) {
	b := guarded(t)
	for _, q := range []string{"?token=" + reader, "?access_token=" + reader, "?authorization=Bearer+" + reader} {
		if r := b.get("/v1/events" + q); r.status != http.StatusUnauthorized {
			t.Errorf("%s: got %d", q, r.status)
		}
	}
	if r := b.do("POST", "/v1/session?token="+reader, http.NoBody, "Content-Type", "text/plain"); r.status != http.StatusUnauthorized {
		t.Errorf("a session: got %d", r.status)
	}
	b.stop()
	if strings.Contains(b.logged.String(), reader) {
		t.Errorf("logged: %s", b.logged)
	}
}

func TestReadTokens(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "no token",
		"# nothing\n":                          "no token",
		"read\n":                               ":1: 1 words",
		"read a b\n":                           ":1: 3 words",
		"\nadmin " + reader:                    ":2: the first word",
		"read short":                           "can be guessed",
		"read sha256:00":                       "64 hexadecimal digits",
		"read " + reader + "\nwrite " + reader: ":2: that token was there",
		fmt.Sprintf("read sha256:%x", sha256.Sum256(nil)): "no token at all",
		strings.Repeat("x", 5000):                         "token too long",
	} {
		path := filepath.Join(t.TempDir(), "tokens")
		if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
		_, err := server.ReadTokens(path)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), reader) || strings.Contains(err.Error(), "short") {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
	path := filepath.Join(t.TempDir(), "tokens")
	for mode, ok := range map[os.FileMode]bool{0o600: true, 0o640: true, 0o644: false, 0o602: false, 0o601: false} {
		if err := os.WriteFile(path, []byte("read "+reader), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := server.ReadTokens(path); (err == nil) != ok {
			t.Errorf("%v: got %v", mode, err)
		}
	}
}
