package debug_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/adapters/debug"
	"github.com/spillwayhq/spillway/core"
)

// ask sends a request to the handler and returns its answer.
func ask(t *testing.T, h http.Handler, method, target string, accept ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, nil)
	r.Header["Accept"] = accept
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestMethods(t *testing.T) {
	h := debug.Handler(of("orders"))
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "BREW"} {
		w := ask(t, h, method, "/")
		want, allow := http.StatusMethodNotAllowed, "GET, HEAD"
		if method == "GET" || method == "HEAD" {
			want, allow = http.StatusOK, ""
		}
		if w.Code != want || w.Header().Get("Allow") != allow {
			t.Errorf("%s: got %d, Allow %q; want %d, %q", method, w.Code, w.Header().Get("Allow"), want, allow)
		}
		if empty := w.Body.Len() == 0; empty != (method == "HEAD") {
			t.Errorf("%s: %d bytes", method, w.Body.Len())
		}
	}
}

// TestHeadWalksNothing: it has no body, so it needs no subscriptions.
func TestHeadWalksNothing(t *testing.T) {
	s := source{name: "orders", infos: func(func(core.Info) bool) { t.Error("HEAD asked for the subscriptions") }}
	if w := ask(t, debug.Handler(s), "HEAD", "/", "application/json"); w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("Content-Type %q, want what GET has", w.Header().Get("Content-Type"))
	}
}

func TestHeaders(t *testing.T) {
	h := debug.Handler(of("orders", core.Info{ID: 1}))
	page := ask(t, h, "GET", "/", "text/html").Body.String()
	_, style, _ := strings.Cut(page, "<style>")
	style, _, found := strings.Cut(style, "</style>")
	if !found || style == "" {
		t.Fatal("the page has no style sheet")
	}
	sum := sha256.Sum256([]byte(style))
	for _, c := range []struct{ method, target string }{
		{"GET", "/"}, {"HEAD", "/"}, {"GET", "/?format=json"}, {"GET", "/?limit=x"}, {"POST", "/"},
	} {
		got := ask(t, h, c.method, c.target).Header()
		for name, want := range map[string]string{
			"Cache-Control":          "no-store",
			"X-Content-Type-Options": "nosniff",
			"Referrer-Policy":        "no-referrer",
			"Vary":                   "Accept",
			"Content-Security-Policy": "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
				"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		} {
			if got.Get(name) != want {
				t.Errorf("%s %s: %s: got %q, want %q", c.method, c.target, name, got.Get(name), want)
			}
		}
	}
	// What the policy forbids isn't there either.
	for _, foreign := range []string{"<script", "<link", "<img", "style=", "src=", "://", "@import", "onclick"} {
		if strings.Contains(page, foreign) {
			t.Errorf("the page contains %s", foreign)
		}
	}
}

func TestFormat(t *testing.T) {
	const html, json = "text/html; charset=utf-8", "application/json"
	h := debug.Handler(of("orders"))
	for _, c := range []struct {
		target string
		accept []string
		want   string
	}{
		{"/", nil, html},
		{"/", []string{""}, html},
		{"/", []string{"*/*"}, html},
		{"/", []string{"application/json"}, json},
		{"/", []string{"Application/JSON"}, json},
		{"/", []string{"application/json; charset=utf-8"}, json},
		{"/", []string{"application/*"}, json},
		{"/", []string{"text/html", "application/json"}, html},
		{"/", []string{"text/html;q=0.5", "application/json"}, json},
		{"/", []string{"text/html;q=0.5, application/json;q=0.4"}, html},
		{"/", []string{"text/html;q=0.5,*/*"}, json},
		{"/", []string{"*/*,text/html;q=0.5"}, json},
		{"/", []string{"application/json;q=0, */*;q=0.1"}, html},
		{"/", []string{"text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"}, html},
		{"/", []string{"application/json;q=7"}, html},
		{"/", []string{"application/json;q=NaN"}, html},
		{"/", []string{"application/json;q"}, html},
		{"/", []string{",;,=,/,application/json/x"}, html},
		{"/", []string{"image/png"}, html},
		{"/?format=json", []string{"text/html"}, json},
		{"/?format=html", []string{"application/json"}, html},
		{"/any/path?format=json&other=1", nil, json},
	} {
		w := ask(t, h, "GET", c.target, c.accept...)
		if got := w.Header().Get("Content-Type"); got != c.want || w.Code != http.StatusOK {
			t.Errorf("%s, Accept %q: got %d, %s; want %s", c.target, c.accept, w.Code, got, c.want)
		}
		if isJSON := strings.HasPrefix(w.Body.String(), "{"); isJSON != (c.want == json) {
			t.Errorf("%s, Accept %q: the body is not what Content-Type says", c.target, c.accept)
		}
	}
}

func TestBadQueries(t *testing.T) {
	h := debug.Handler(of("orders"))
	for target, want := range map[string]string{
		"/?format=xml":                        "spillway/debug: format is html or json\n",
		"/?format=JSON":                       "spillway/debug: format is html or json\n",
		"/?sort=age":                          "spillway/debug: sort is full or lost\n",
		"/?limit=0":                           "spillway/debug: limit is a number, from 1\n",
		"/?limit=-1":                          "spillway/debug: limit is a number, from 1\n",
		"/?limit=1e3":                         "spillway/debug: limit is a number, from 1\n",
		"/?limit=%3Cb%3E":                     "spillway/debug: limit is a number, from 1\n",
		"/?limit=-99999999999999999999999999": "spillway/debug: limit is a number, from 1\n",
	} {
		w := ask(t, h, "GET", target)
		if w.Code != http.StatusBadRequest || w.Body.String() != want || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
			t.Errorf("%s: got %d, %q, %s; want 400, %q", target, w.Code, w.Body, w.Header().Get("Content-Type"), want)
		}
	}
}
