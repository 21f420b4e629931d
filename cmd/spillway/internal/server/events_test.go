package server_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/ingest"
	"github.com/spillwayhq/spillway/cmd/spillway/internal/server"
	"github.com/spillwayhq/spillway/cursor/memlog"
)

type accepted struct {
	Accepted    int
	First, Last *uint64
}

func (r reply) accepted(t *testing.T) accepted {
	t.Helper()
	var a accepted
	if err := json.Unmarshal(r.body, &a); err != nil || r.status != http.StatusOK {
		t.Fatalf("%d %s: %v", r.status, r.body, err)
	}
	return a
}

func packed(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Every form is taken, and comes out of the stream and the log the same.
func TestPostForms(t *testing.T) {
	b := open(t, nil)
	s := b.stream("/v1/events?scope=shop")
	ce := `{"specversion":"1.0","id":"%d","source":"shop","type":"made","data":{"n":1}}`
	for _, c := range []struct {
		contentType, body string
		headers           []string
		n                 int
	}{
		{asJSON, event("one", `,"payload":{"n":1}`), nil, 1},
		{asJSON, "[" + event("two", "") + "," + event("three", "") + "]", nil, 2},
		{asJSON, "[]", nil, 0},
		{asLines, event("four", "") + "\n" + event("five", ""), nil, 2},
		{asLines, packed(t, event("six", "")+"\n"), []string{"Content-Encoding", "gzip"}, 1},
		{asLines, "", nil, 0},
		{"application/cloudevents+json", fmt.Sprintf(ce, 1), nil, 1},
		{"application/cloudevents-batch+json", "[" + fmt.Sprintf(ce, 2) + "," + fmt.Sprintf(ce, 3) + "]", nil, 2},
		{"text/plain", "hello", []string{"Ce-Specversion", "1.0", "Ce-Id", "4", "Ce-Source", "shop", "Ce-Type", "made"}, 1},
	} {
		before := b.next()
		a := b.post(c.contentType, c.body, c.headers...).accepted(t)
		if a.Accepted != c.n || b.next() != before+uint64(c.n) || (a.First == nil) != (c.n == 0) ||
			c.n > 0 && (*a.First != before || *a.Last != before+uint64(c.n)-1) {
			t.Errorf("%s %s: got %+v, and the log's next from %d to %d", c.contentType, c.body, a, before, b.next())
		}
	}
	var streamed strings.Builder
	for range b.next() {
		f, ok := s.next()
		if !ok {
			t.Fatal("the stream has ended")
		}
		streamed.WriteString(f.data + "\n")
	}
	if log := string(b.get("/v1/log").body); log != streamed.String() || !strings.Contains(log, `"payload":{"n":1}`) {
		t.Errorf("the log has\n%s\nand the stream\n%s", log, streamed.String())
	}
}

// TestH181SentAgain: an event that is sent again under its id is there once, and is answered as the first time, whatever it is sent with.
func TestH181SentAgain(t *testing.T) {
	b := open(t, nil)
	b.fill("other", 5)
	body := event("a", id(1)) + "\n" + event("b", id(2)) + "\n"
	for _, again := range []string{body, body, "[" + strings.ReplaceAll(strings.TrimSpace(body), "\n", ",") + "]"} {
		contentType := asLines
		if again[0] == '[' {
			contentType = asJSON
		}
		if a := b.post(contentType, again).accepted(t); a.Accepted != 2 || *a.First != 5 || *a.Last != 6 {
			t.Errorf("got %+v, want 2 from 5 to 6", a)
		}
	}
	if a := b.post(asLines, event("c", id(3))+"\n"+body).accepted(t); a.Accepted != 3 || *a.First != 7 || *a.Last != 6 {
		t.Errorf("with a new one: got %+v, want from 7 to 6", a)
	}
	if b.next() != 8 {
		t.Errorf("the log's next is %d, want 8", b.next())
	}
	r := b.post(asJSON, event("b", id(1)))
	if !r.is(t, http.StatusConflict, "id") {
		t.Errorf("another event of that id: %d %s", r.status, r.body)
	}
}

// Of a stream what comes before the one at fault is accepted, and said; a document is all or nothing.
func TestPartly(t *testing.T) {
	three := event("a", id(1)) + "\n" + event("a", id(2)) + "\n"
	for _, c := range []struct {
		name, fault string
		status      int
		kind        string
	}{
		{"no JSON", "{", 400, "json"},
		{"a name", event("a/b", ""), 422, "name"},
		{"a clock", event("a", `,"expect":7`), 409, "clock"},
		{"an id", event("b", id(1)), 409, "id"},
		{"a long line", strings.Repeat("x", 3000), 413, "line"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t, func(o *server.Options) { o.Bounds.Ingest.Line = 2000 })
			r := b.post(asLines, three+c.fault+"\n"+event("c", ""))
			p := r.problem(t)
			if !r.is(t, c.status, c.kind) || *p.Accepted != 2 || *p.First != 0 || *p.Last != 1 || p.Event != 3 || b.next() != 2 {
				t.Errorf("got %d %s, the log's next is %d", r.status, r.body, b.next())
			}
			if c.kind == "line" {
				return
			}
			r = b.post(asJSON, "["+event("d", "")+","+c.fault+"]")
			if p = r.problem(t); r.status != c.status || *p.Accepted != 0 || p.First != nil || b.next() != 2 {
				t.Errorf("an array: %d %s, the log's next is %d", r.status, r.body, b.next())
			}
		})
	}
}

func TestExpect(t *testing.T) {
	b := open(t, nil)
	if a := b.post(asJSON, event("a", `,"expect":0`)).accepted(t); a.Accepted != 1 {
		t.Errorf("got %+v", a)
	}
	r := b.post(asJSON, event("a", `,"expect":0`))
	if p := r.problem(t); !r.is(t, http.StatusConflict, "clock") || !strings.Contains(p.Detail, "is 1, and 0 was expected") || p.Event != 1 {
		t.Errorf("got %d %s", r.status, r.body)
	}
	if a := b.post(asLines, event("a", `,"expect":1`)+"\n"+event("a", `,"expect":2`)).accepted(t); a.Accepted != 2 {
		t.Errorf("got %+v", a)
	}
}

// What the log can't have is told apart from what is wrong.
func TestEntitiesAreFull(t *testing.T) {
	b := open(t, func(o *server.Options) {
		log, err := memlog.New(memlog.Options{MaxEntities: 2})
		if err != nil {
			t.Fatal(err)
		}
		o.Log = log
	})
	r := b.post(asLines, event("a", "")+"\n"+event("b", "")+"\n"+event("c", "")+"\n")
	if p := r.problem(t); !r.is(t, http.StatusUnprocessableEntity, "entities") || *p.Accepted != 2 || p.Event != 3 {
		t.Errorf("got %d %s", r.status, r.body)
	}
}

func TestEncodings(t *testing.T) {
	b := open(t, nil)
	for _, c := range []struct {
		encoding, body string
		status         int
		kind           string
	}{
		{"br", event("a", ""), 415, "encoding"},
		{"gzip, gzip", event("a", ""), 415, "encoding"},
		{"gzip", event("a", ""), 400, "gzip"},
		{"gzip", packed(t, event("a", ""))[:30], 400, "body"},
	} {
		if r := b.post(asJSON, c.body, "Content-Encoding", c.encoding); !r.is(t, c.status, c.kind) {
			t.Errorf("%s: got %d %s", c.encoding, r.status, r.body)
		}
	}
	if r := b.post("text/plain", "hi"); !r.is(t, 415, "type") || r.header.Get("Accept-Post") != ingest.Types {
		t.Errorf("got %d %v", r.status, r.header)
	}
	if r := b.post(asJSON, event("a", ""), "Content-Encoding", "Identity"); r.status != http.StatusOK {
		t.Errorf("identity: %d %s", r.status, r.body)
	}
}

// A stream of lines is appended as it comes: what was sent is there while the request goes on.
func TestStreamOfLines(t *testing.T) {
	b := open(t, nil)
	s := b.stream("/v1/events")
	from, to := io.Pipe()
	done := make(chan reply, 1)
	go func() {
		r := b.request(http.MethodPost, "/v1/events", from, "Content-Type", asLines)
		res, err := b.client.Do(r)
		if err != nil {
			t.Error(err)
			done <- reply{}
			return
		}
		defer func() { _ = res.Body.Close() }()
		text, _ := io.ReadAll(res.Body)
		done <- reply{res.StatusCode, res.Header, text}
	}()
	for n := range 3 {
		if _, err := io.WriteString(to, event("a", "")+"\n"); err != nil {
			t.Fatal(err)
		}
		f, ok := s.next()
		if !ok || f.sequence(t) != uint64(n) {
			t.Fatalf("got %+v, %v; want sequence %d", f, ok, n)
		}
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	if a := (<-done).accepted(t); a.Accepted != 3 {
		t.Errorf("got %+v", a)
	}
}
