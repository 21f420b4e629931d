package server_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/server"
	"github.com/spillwayhq/spillway/cursor/memlog"
)

// A contract is the document, and which of its answers have been seen.
type contract struct {
	t    *testing.T
	doc  *openapi3.T
	seen map[string]bool // METHOD path status
}

func readContract(t *testing.T, b *bed) *contract {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(b.get("/v1/openapi.json").body)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"text/event-stream", "application/x-ndjson", "text/html", "text/javascript", "text/css"} {
		openapi3filter.RegisterBodyDecoder(name, openapi3filter.FileBodyDecoder)
	}
	return &contract{t: t, doc: doc, seen: make(map[string]bool)}
}

// promised are the answers that the document names.
func (c *contract) promised() (all []string) {
	for path, item := range c.doc.Paths.Map() {
		for method, operation := range item.Operations() {
			for status := range operation.Responses.Map() {
				if status != "default" {
					all = append(all, method+" "+path+" "+status)
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// find returns the operation that a request is of.
func (c *contract) find(r *http.Request) *routers.Route {
	path := r.URL.Path
	for _, prefix := range []string{"/v1/subscriptions/", "/assets/"} {
		if strings.HasPrefix(path, prefix) {
			path = prefix + map[string]string{"/v1/subscriptions/": "{id}", "/assets/": "{file}"}[prefix]
		}
	}
	item := c.doc.Paths.Value(path)
	if item == nil || item.GetOperation(r.Method) == nil {
		c.t.Fatalf("the document has no %s %s", r.Method, path)
	}
	return &routers.Route{Spec: c.doc, Path: path, PathItem: item, Method: r.Method, Operation: item.GetOperation(r.Method)}
}

// check makes a request, and looks whether the answer is of a status, and as the document has it.
func (c *contract) check(b *bed, status int, method, path, body string, headers ...string) {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	defer cancel()
	r := b.request(method, path, strings.NewReader(body), headers...).WithContext(ctx)
	route := c.find(r)
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := b.client.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var text []byte
	if res.Header.Get("Content-Type") == "text/event-stream" {
		text = make([]byte, 10) // there is no end
		_, err = io.ReadFull(res.Body, text)
	} else {
		text, err = io.ReadAll(res.Body)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	if res.StatusCode != status {
		c.t.Errorf("%s %s: got %d %s, want %d", method, path, res.StatusCode, text, status)
		return
	}
	input := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: map[string]string{"id": "1", "file": "x"}, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true},
	}
	r.Body = io.NopCloser(strings.NewReader(body))
	if status < 300 && method == http.MethodPost && path == "/v1/events" && !strings.Contains(r.Header.Get("Content-Type"), "text/plain") {
		if err := openapi3filter.ValidateRequest(ctx, input); err != nil {
			c.t.Errorf("%s %s is taken, and the document says %v", method, path, err)
		}
	}
	err = openapi3filter.ValidateResponse(ctx, (&openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: status, Header: res.Header, Options: input.Options,
	}).SetBodyBytes(text))
	if err != nil {
		c.t.Errorf("%s %s: %d: %v\n%s", method, path, status, err, text)
	}
	c.seen[fmt.Sprintf("%s %s %d", method, route.Path, status)] = true
}

// Every route is in the document and every answer of the document's is seen, as it says.
func TestOpenAPI(t *testing.T) {
	b := guarded(t)
	c := readContract(t, b)
	for _, route := range b.server.Routes() {
		method, path, _ := strings.Cut(route, " ")
		path = strings.TrimSuffix(path, "{$}")
		if path == "/assets/" {
			path += "{file}"
		}
		if item := c.doc.Paths.Value(path); item == nil || item.GetOperation(method) == nil {
			t.Errorf("the document has no %s", route)
		}
	}
	operations := 0
	for _, item := range c.doc.Paths.Map() {
		operations += len(item.Operations())
	}
	if operations != len(b.server.Routes()) {
		t.Errorf("the document has %d operations, and the server %d routes", operations, len(b.server.Routes()))
	}

	all := bearer(master)
	with := func(headers ...string) []string { return append(slices.Clone(all), headers...) }
	json := with("Content-Type", asJSON)
	c.check(b, 200, "POST", "/v1/events", event("a", id(1)+`,"payload":{"n":[1]},"lane":3,"expect":null`), json...)
	c.check(b, 200, "POST", "/v1/events", "["+event("a:b", "")+"]", json...)
	c.check(b, 200, "POST", "/v1/events", event("a", ""), with("Content-Type", asLines)...)
	c.check(b, 200, "POST", "/v1/events", `{"specversion":"1.0","id":"1","source":"s","type":"t"}`, with("Content-Type", "application/cloudevents+json")...)
	c.check(b, 200, "POST", "/v1/events", `[{"specversion":"1.0","id":"2","source":"s","type":"t","data":1}]`, with("Content-Type", "application/cloudevents-batch+json")...)
	c.check(b, 200, "POST", "/v1/events", "hi", with("Content-Type", "text/plain", "Ce-Specversion", "1.0", "Ce-Id", "3", "Ce-Source", "s", "Ce-Type", "t")...)
	c.check(b, 400, "POST", "/v1/events", "{", json...)
	c.check(b, 409, "POST", "/v1/events", event("a", `,"expect":0`), json...)
	c.check(b, 413, "POST", "/v1/events", strings.Repeat(" ", 5<<20), json...)
	c.check(b, 415, "POST", "/v1/events", "hi", with("Content-Type", "text/plain")...)
	c.check(b, 422, "POST", "/v1/events", event("a/b", ""), json...)
	for _, path := range []string{"/v1/events", "/v1/activity"} {
		c.check(b, 200, "GET", path, "", all...)
		c.check(b, 400, "GET", path+"?region=x", "", all...)
		c.check(b, 406, "GET", path, "", with("Accept", "text/html")...)
		c.check(b, 410, "GET", path+"?from=00000000-1&lane=1", "", all...)
	}
	c.check(b, 200, "GET", "/v1/log", "", all...)
	c.check(b, 400, "GET", "/v1/log?limit=x", "", all...)
	c.check(b, 410, "GET", "/v1/log?from=1000", "", all...)
	b.stream("/v1/events", all...)
	c.check(b, 200, "GET", "/v1/subscriptions", "", all...)
	c.check(b, 400, "GET", "/v1/subscriptions?limit=x", "", all...)
	until(t, "a subscription", func() bool {
		return len(decode[subscriptions](t, b.get("/v1/subscriptions", all...).body).Subscriptions) > 0
	})
	one := decode[subscriptions](t, b.get("/v1/subscriptions", all...).body).Subscriptions[0].ID
	c.check(b, 204, "DELETE", fmt.Sprintf("/v1/subscriptions/%d", one), "", all...)
	c.check(b, 400, "DELETE", "/v1/subscriptions/x", "", all...)
	c.check(b, 404, "DELETE", "/v1/subscriptions/1000", "", all...)
	c.check(b, 200, "GET", "/v1/tree", "", all...)
	c.check(b, 400, "GET", "/v1/tree?prefix=..", "", all...)
	c.check(b, 200, "GET", "/v1/session", "", all...)
	c.check(b, 204, "POST", "/v1/session", reader, "Content-Type", "text/plain")
	c.check(b, 400, "POST", "/v1/session", "x", "Content-Type", asJSON)
	c.check(b, 415, "POST", "/v1/session", "x", "Content-Type", "image/png")
	c.check(b, 401, "POST", "/v1/session", "x", "Content-Type", "text/plain")
	c.check(b, 204, "DELETE", "/v1/session", "")
	c.check(b, 200, "GET", "/v1/openapi.json", "")
	c.check(b, 200, "GET", "/healthz", "")
	c.check(b, 200, "GET", "/readyz", "")
	c.check(b, 200, "GET", "/metrics", "", all...)
	c.check(b, 200, "GET", "/debug/spillway", "", all...)
	c.check(b, 400, "GET", "/debug/spillway?limit=x", "", all...)
	c.check(b, 200, "GET", "/", "")
	c.check(b, 304, "GET", "/", "", "If-None-Match", b.get("/").header.Get("ETag"))
	c.check(b, 200, "GET", "/assets/app.js", "")
	c.check(b, 304, "GET", "/assets/app.js", "", "If-None-Match", b.get("/assets/app.js").header.Get("ETag"))
	c.check(b, 404, "GET", "/assets/none.js", "")

	c.everywhere(b)
	c.rarely()
	promised := c.promised()
	for _, answer := range promised {
		if !c.seen[answer] {
			t.Errorf("nothing was answered %s", answer)
		}
	}
	for answer := range c.seen {
		if !slices.Contains(promised, answer) {
			t.Errorf("%s is not in the document", answer)
		}
	}
}

// example is an address of a path.
func example(path string) string {
	return strings.NewReplacer("{id}", "1", "{file}", "app.js").Replace(path)
}

// everywhere looks at what each route answers to strangers, and to who is too fast.
func (c *contract) everywhere(b *bed) {
	c.t.Helper()
	fast := open(c.t, func(o *server.Options) { o.Bounds.Rate = 0.001 })
	fast.get("/healthz")
	for path, item := range c.doc.Paths.Map() {
		for method, operation := range item.Operations() {
			c.check(b, 403, method, example(path), "", "Host", "evil.example")
			c.check(fast, 429, method, example(path), "")
			if operation.Responses.Value("401") != nil && operation.OperationID != "beginSession" {
				c.check(b, 401, method, example(path), "")
				wrong := reader
				if method == http.MethodGet {
					wrong = writer
				}
				c.check(b, 403, method, example(path), "", bearer(wrong)...)
			}
		}
	}
}

// rarely looks at what it takes another server for.
func (c *contract) rarely() {
	c.t.Helper()
	slow := open(c.t, func(o *server.Options) { o.Bounds.Body = soon })
	conn := slow.dial()
	send(c.t, conn, "POST /v1/events HTTP/1.1\r\nHost: "+slow.address+"\r\nContent-Type: "+asJSON+"\r\nContent-Length: 9\r\n\r\n{")
	if text := closed(c.t, conn); !strings.HasPrefix(text, "HTTP/1.1 408 ") || !strings.Contains(text, "application/problem+json") {
		c.t.Errorf("got %s", text)
	}
	c.seen["POST /v1/events 408"] = true

	held, release := busy(c.t, func(o *server.Options) { o.Bounds.Answers = 1 })
	for _, path := range []string{"/v1/subscriptions", "/v1/tree", "/debug/spillway", "/v1/log"} {
		c.check(held, 503, "GET", path, "")
	}
	release()

	log, err := memlog.New(memlog.Options{})
	if err != nil {
		c.t.Fatal(err)
	}
	b := open(c.t, func(o *server.Options) { o.Log = log })
	if err := log.Close(); err != nil {
		c.t.Fatal(err)
	}
	c.check(b, 503, "POST", "/v1/events", event("a", ""), "Content-Type", asJSON)
	for _, path := range []string{"/v1/events", "/v1/activity", "/v1/log", "/readyz"} {
		c.check(b, 503, "GET", path, "")
	}
	b.stopped = true
	b.client.CloseIdleConnections()
	_ = b.server.Shutdown(context.Background()) // it says that the log was closed
	if err := <-b.served; err != nil {
		c.t.Error(err)
	}
}
