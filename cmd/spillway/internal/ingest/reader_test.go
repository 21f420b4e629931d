package ingest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/ingest"
	"github.com/spillwayhq/spillway/cmd/spillway/internal/problem"
	"github.com/spillwayhq/spillway/cursor"
)

// header is that of a body of a type, and whatever else.
func header(contentType string, more ...string) http.Header {
	h := http.Header{"Content-Type": {contentType}}
	for i := 0; i < len(more); i += 2 {
		h.Add(more[i], more[i+1])
	}
	return h
}

// read reads all events of a body.
func read(h http.Header, body io.Reader, l ingest.Limits) (ds []cursor.Draft, err error) {
	r, err := ingest.NewReader(h, body, l)
	if err != nil {
		return nil, err
	}
	if ds, whole := r.Whole(); whole {
		return ds, nil
	}
	for {
		d, err := r.Next()
		if errors.Is(err, io.EOF) {
			return ds, nil
		}
		if err != nil {
			return ds, err
		}
		ds = append(ds, d)
	}
}

const (
	jsonType = "application/json"
	lines    = "application/x-ndjson"
	ceJSON   = "application/cloudevents+json"
	ceBatch  = "application/cloudevents-batch+json"
)

func TestFields(t *testing.T) {
	ds, err := read(header(jsonType+"; charset=utf-8"), strings.NewReader(` {"id":"0123456789abcdef0123456789ABCDEF","correlation":"00000000-0000-0000-0000-000000000002",
		"causation":null,"entity":"shop:order\u00e9","scope":"main","kind":"0x1:0xa","lane":7,"depth":2,"time":1764061706000,"expect":0,
		"payload":{"a": [1, "\ud83d\ude00"]},"sequence":9,"clock":1,"wall_ms":3,"counter":4} `), ingest.Limits{})
	if err != nil || len(ds) != 1 {
		t.Fatalf("%d events, %v", len(ds), err)
	}
	d := ds[0]
	if d.EventID.String() != "0123456789abcdef0123456789abcdef" || d.CorrelationID[15] != 2 || d.CausationID[0] != 0 ||
		d.Coordinate.String() != "shop:orderé@main" || d.Kind.String() != "0x1:0x00a" || d.Lane != 7 || d.Depth != 2 || d.Time != 1764061706000 {
		t.Errorf("got %+v", d)
	}
	if n, ok := d.Expect.Clock(); n != 0 || !ok {
		t.Errorf("expect: %v", d.Expect)
	}
	if want := `{"a": [1, "\ud83d\ude00"]}`; string(d.Payload) != want {
		t.Errorf("payload %s, want %s", d.Payload, want)
	}
}

// A payload is a string's text, or the JSON as it stands, in one line.
func TestPayloads(t *testing.T) {
	for _, c := range []struct{ field, want string }{
		{`"payload":"hi\n"`, "hi\n"},
		{`"payload":42.50`, "42.50"},
		{`"payload":[ 1,2 ]`, "[ 1,2 ]"},
		{"\"payload\":[ 1,\r\n2 ]", "[1,2]"},
		{`"payload":true`, "true"},
		{`"payload":null`, ""},
		{`"payload_base64":"AAH/"`, "\x00\x01\xff"},
		{`"payload":null,"payload_base64":"AAH/"`, "\x00\x01\xff"},
	} {
		ds, err := read(header(jsonType), strings.NewReader(`{"entity":"e","scope":"s","kind":"0x1:0x001",`+c.field+`}`), ingest.Limits{})
		if err != nil || string(ds[0].Payload) != c.want {
			t.Errorf("%s: got %+v, %v; want %q", c.field, ds, err, c.want)
		}
	}
}

// event is one, with more fields.
func event(more string) string { return `{"entity":"e","scope":"s","kind":"0x1:0x001"` + more + `}` }

func TestRefusals(t *testing.T) {
	small := ingest.Limits{Body: 2000, Line: 100, Events: 3, Nesting: 5, Payload: 20}
	for _, c := range []struct {
		name, contentType, body string
		status                  int
		kind                    string // the end of the type
		event                   int
	}{
		{"no type", "", "{}", 415, "type", 0},
		{"a form", "application/x-www-form-urlencoded", "a=b", 415, "type", 0},
		{"nothing", jsonType, "", 400, "json", 1},
		{"no JSON", jsonType, "{", 400, "json", 1},
		{"more behind", jsonType, event("") + "x", 400, "json", 1},
		{"two documents", jsonType, event("") + event(""), 400, "json", 1},
		{"a number", jsonType, "3", 400, "json", 1},
		{"not UTF-8", jsonType, event(`,"payload":"` + "\xe9" + `"`), 400, "json", 1},
		{"half a pair", jsonType, event(`,"payload":"\ud800"`), 400, "json", 1},
		{"the other half", jsonType, event(`,"payload":"\udc00\ud800"`), 400, "json", 1},
		{"an unknown field", jsonType, event(`,"entitty":"e"`), 400, "json", 1},
		{"a field by another case", jsonType, event(`,"Lane":1`), 400, "json", 1},
		{"a field twice", jsonType, event(`,"entity":"f"`), 400, "json", 1},
		{"a field twice, escaped", jsonType, event(`,"\u0065ntity":"f"`), 400, "json", 1},
		{"a lane that is no number", jsonType, event(`,"lane":"1"`), 400, "json", 1},
		{"a lane below 0", jsonType, event(`,"lane":-1`), 400, "json", 1},
		{"a lane with a point", jsonType, event(`,"lane":1.0`), 400, "json", 1},
		{"a lane too far", jsonType, event(`,"lane":4294967296`), 400, "json", 1},
		{"an entity that is no string", jsonType, `{"entity":1}`, 400, "json", 1},
		{"two payloads", jsonType, event(`,"payload":1,"payload_base64":""`), 400, "json", 1},
		{"no base64", jsonType, event(`,"payload_base64":"?"`), 400, "json", 1},
		{"too deep", jsonType, event(`,"payload":[[[[[]]]]]`), 400, "nesting", 1},
		{"far too deep", jsonType, event(`,"payload":` + strings.Repeat("[", 1000)), 400, "nesting", 1},
		{"no entity", jsonType, `{"scope":"s","kind":"0x1:0x001"}`, 422, "missing", 1},
		{"a bad name", jsonType, `{"entity":"a/b","scope":"s","kind":"0x1:0x001"}`, 422, "name", 1},
		{"a line break in a name", jsonType, `{"entity":"a\nid: 7","scope":"s","kind":"0x1:0x001"}`, 422, "name", 1},
		{"a bad kind", jsonType, `{"entity":"a","scope":"s","kind":"data"}`, 422, "kind", 1},
		{"a kind of the system's", jsonType, `{"entity":"a","scope":"s","kind":"0x0:0xffe"}`, 422, "kind", 1},
		{"a bad id", jsonType, event(`,"id":"1"`), 422, "id", 1},
		{"an id that is no hex", jsonType, event(`,"id":"` + strings.Repeat("g", 32) + `"`), 422, "id", 1},
		{"a large payload", jsonType, event(`,"payload":"` + strings.Repeat("x", 21) + `"`), 413, "payload", 1},
		{"a large body", jsonType, strings.Repeat(" ", 2001), 413, "body", 0},
		{"the second of an array", jsonType, "[" + event("") + `,{"entity":"e"}]`, 422, "missing", 2},
		{"a long array", jsonType, "[" + strings.Repeat(event("")+",", 3) + event("") + "]", 413, "events", 4},
		{"an array without an end", jsonType, "[" + event(""), 400, "json", 0},
		{"an array in an array", jsonType, "[[]]", 400, "json", 1},
		{"a long line", lines, event("") + "\n" + strings.Repeat("x", 101) + "\n", 413, "line", 2},
		{"a line without an end", lines, strings.Repeat(" ", 5000), 413, "line", 1},
		{"a bad line", lines, event("") + "\n\n{}\n", 422, "missing", 2},
		{"empty lines", lines, strings.Repeat("\n", 2000), 400, "blank", 0},
		{"a cloudevent without a source", ceJSON, `{"specversion":"1.0","id":"1","type":"t"}`, 422, "missing", 1},
		{"a later cloudevent", ceJSON, `{"specversion":"2.0","id":"1","type":"t","source":"s"}`, 422, "version", 1},
		{"an attribute that is none", ceJSON, `{"specversion":"1.0","id":"1","type":"t","source":"s","my_attr":"x"}`, 400, "json", 1},
		{"an attribute of parts", ceJSON, `{"specversion":"1.0","id":"1","type":"t","source":"s","attr":{}}`, 400, "json", 1},
		{"data twice", ceJSON, `{"specversion":"1.0","id":"1","type":"t","source":"s","data":1,"data_base64":""}`, 400, "json", 1},
		{"a control character", ceJSON, `{"specversion":"1.0","id":"1\u0000","type":"t","source":"s"}`, 422, "attribute", 1},
		{"a time that is none", ceJSON, `{"specversion":"1.0","id":"1","type":"t","source":"s","time":"now"}`, 422, "attribute", 1},
		{"a bad lane", ceJSON, `{"specversion":"1.0","id":"1","type":"t","source":"s","lane":-1}`, 422, "attribute", 1},
		{"a batch that is none", ceBatch, `{}`, 400, "json", 0},
	} {
		_, err := read(header(c.contentType), strings.NewReader(c.body), small)
		var p *problem.Problem
		if !errors.As(err, &p) || p.Status != c.status || !strings.HasSuffix(p.Type, "/"+c.kind) || p.Event != c.event || p.Detail == "" {
			t.Errorf("%s: got %v (%+v); want %d %s of event %d", c.name, err, p, c.status, c.kind, c.event)
		}
	}
}

// What comes before a bad line is had; a line need not end.
func TestLines(t *testing.T) {
	for _, body := range []string{
		event("") + "\r\n \n" + event(`,"lane":1`),
		event("") + "\n" + event(`,"lane":1`) + "\n{}\n",
	} {
		ds, _ := read(header(lines), strings.NewReader(body), ingest.Limits{})
		if len(ds) != 2 || ds[1].Lane != 1 {
			t.Errorf("%q: got %d events", body, len(ds))
		}
	}
}

// A line longer than the reader's own buffer is whole, and what is read keeps nothing of the buffer.
func TestLongLines(t *testing.T) {
	text := strings.Repeat("x", 200<<10)
	body := event(`,"payload":"`+text+`"`) + "\n" + event(`,"payload":[1]`) + "\n"
	ds, err := read(header(lines), strings.NewReader(body+strings.Repeat(body, 3)), ingest.Limits{})
	if err != nil || len(ds) != 8 {
		t.Fatalf("%d events, %v", len(ds), err)
	}
	for i, d := range ds {
		want := []byte(text)
		if i%2 == 1 {
			want = []byte("[1]")
		}
		if !bytes.Equal(d.Payload, want) {
			t.Errorf("event %d has %d bytes that are not its own", i, len(d.Payload))
		}
	}
}

func TestReady(t *testing.T) {
	from, to := io.Pipe()
	defer func() { _ = to.Close() }()
	r, err := ingest.NewReader(header(lines), from, ingest.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = fmt.Fprintf(to, "%s\n%s\n{", event(""), event("")) }()
	if err := r.Await(); err != nil || !r.Ready() {
		t.Fatalf("%v, ready %v: want two lines", err, r.Ready())
	}
	for range 2 {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if r.Ready() {
		t.Error("half a line is ready")
	}
}
