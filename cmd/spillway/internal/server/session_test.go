package server_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/server"
)

// cookie is what a reply sets.
func (r reply) cookie(t *testing.T) *http.Cookie {
	t.Helper()
	res := http.Response{Header: r.header}
	if len(res.Cookies()) != 1 {
		t.Fatalf("%d %s: cookies %v", r.status, r.body, res.Cookies())
	}
	return res.Cookies()[0]
}

func (b *bed) login(token string) *http.Cookie {
	b.t.Helper()
	r := b.do("POST", "/v1/session", strings.NewReader(token+"\n"), "Content-Type", "text/plain")
	if r.status != http.StatusNoContent {
		b.t.Fatalf("%d %s", r.status, r.body)
	}
	return r.cookie(b.t)
}

// A browser gets a cookie for its token, which does what the token does, until it is ended.
func TestSession(t *testing.T) {
	b := guarded(t)
	if r := b.do("POST", "/v1/session", strings.NewReader("nonsense-0123456789"), "Content-Type", "text/plain"); !r.is(t, 401, "token") {
		t.Errorf("got %d %s", r.status, r.body)
	}
	if r := b.do("POST", "/v1/session", strings.NewReader("token="+reader), "Content-Type", "application/x-www-form-urlencoded"); !r.is(t, 415, "type") {
		t.Errorf("a form: got %d %s", r.status, r.body)
	}
	if r := b.do("POST", "/v1/session", strings.NewReader(`{"token":"`+reader+`"}`), "Content-Type", asJSON); r.status != 204 {
		t.Errorf("JSON: got %d %s", r.status, r.body)
	}
	c := b.login(reader)
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Secure || c.Path != "/" || c.MaxAge < 1 || c.MaxAge > 3600 || strings.Contains(c.Value, reader) {
		t.Errorf("got %v", c)
	}
	with := []string{"Cookie", c.Name + "=" + c.Value}
	if r := b.get("/v1/log", with...); r.status != 200 {
		t.Errorf("reading: %d", r.status)
	}
	if r := b.post(asJSON, event("a", ""), with...); !r.is(t, 403, "right") {
		t.Errorf("writing: %d %s", r.status, r.body)
	}
	if r := b.get("/v1/log", append(with, bearer("nonsense-0123456789")...)...); r.status != 401 {
		t.Errorf("with a bad token besides: %d", r.status)
	}
	if r := b.get("/v1/session", with...); string(r.body) != `{"asked":true,"read":true,"write":false}` {
		t.Errorf("got %s", r.body)
	}
	if r := b.get("/v1/session"); string(r.body) != `{"asked":true,"read":false,"write":false}` {
		t.Errorf("got %s", r.body)
	}
	s := b.stream("/v1/activity", with...)
	if r := b.do("DELETE", "/v1/session", http.NoBody, with...); r.status != 204 || r.cookie(t).MaxAge >= 0 {
		t.Errorf("got %d %v", r.status, r.header)
	}
	for ok := true; ok; { // the stream that it began ends
		_, ok = s.next()
	}
	if r := b.get("/v1/log", with...); r.status != 401 {
		t.Errorf("after the end: %d", r.status)
	}
}

// A session ends by itself, and its stream with it; one that is used goes on.
func TestSessionExpires(t *testing.T) {
	b := open(t, func(o *server.Options) {
		o.Tokens = tokens(t, "both "+master)
		o.Bounds.Session = 300 * time.Millisecond
	})
	c := b.login(master)
	with := []string{"Cookie", c.Name + "=" + c.Value}
	began := time.Now()
	until(t, "a session that is used for longer than one lasts", func() bool {
		return b.get("/v1/log", with...).status == 200 && time.Since(began) > 450*time.Millisecond
	})
	s := b.stream("/v1/events", with...)
	for ok := true; ok; {
		_, ok = s.next()
	}
	until(t, "the end", func() bool { return b.get("/v1/log", with...).status == 401 })
}

// There are so many sessions, and no more: the one that would end first goes.
func TestSessionsAreBounded(t *testing.T) {
	b := open(t, func(o *server.Options) {
		o.Tokens = tokens(t, "both "+master)
		o.Bounds.Sessions = 10
	})
	var first, last *http.Cookie
	for i := range 50 {
		c := b.login(master)
		if i == 0 {
			first = c
		}
		last = c
	}
	if r := b.get("/v1/log", "Cookie", first.Name+"="+first.Value); r.status != 401 {
		t.Errorf("the first of 50: %d", r.status)
	}
	with := bearer(master)
	if r := b.get("/metrics", with...); !strings.Contains(string(r.body), "\nspillway_http_sessions 10\n") {
		t.Errorf("there are other than 10: %s", r.body)
	}
	if r := b.get("/v1/log", "Cookie", last.Name+"="+last.Value); r.status != 200 {
		t.Errorf("the last: %d", r.status)
	}
}

// Without tokens everybody on the machine may do all, and a page that asks for a session is let be.
func TestWithoutTokens(t *testing.T) {
	b := open(t, nil)
	if r := b.do("POST", "/v1/session", strings.NewReader("whatever"), "Content-Type", "text/plain"); r.status != 204 || len(r.header["Set-Cookie"]) != 0 {
		t.Errorf("got %d %v", r.status, r.header)
	}
	if r := b.get("/v1/session"); string(r.body) != `{"asked":false,"read":true,"write":true}` {
		t.Errorf("got %s", r.body)
	}
	if r := b.do("POST", "/v1/session", io.LimitReader(zeros{}, 1<<20), "Content-Type", "text/plain"); r.status != 400 {
		t.Errorf("a large one: %d", r.status)
	}
}

// zeros is a reader of spaces without an end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}
