package server_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/textproto"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/adapters/sse"
)

// begins asks for a stream by hand, and returns its status and where it says that it begins.
func (b *bed) begins(path string, headers ...string) (status int, from string) {
	b.t.Helper()
	c := b.dial()
	defer func() { _ = c.Close() }()
	send(b.t, c, "GET "+path+" HTTP/1.1\r\nHost: "+b.address+"\r\n"+strings.Join(append(headers, "\r\n"), "\r\n"))
	head := textproto.NewReader(bufio.NewReader(c)) // a stream's body has no end
	line, err := head.ReadLine()
	if err != nil {
		return 0, ""
	}
	header, err := head.ReadMIMEHeader()
	if _, e := fmt.Sscanf(line, "HTTP/1.1 %d", &status); e != nil || err != nil {
		b.t.Fatalf("%q: %v, %v", line, e, err)
	}
	return status, header.Get("Spillway-From")
}

// TestHostileIDs: whatever is sent as the last event's id, in the header as its very bytes, has an answer; and nothing but an id of this log, or
// the number of one of its events, has events sent again.
func TestHostileIDs(t *testing.T) {
	b := open(t, nil)
	b.fill("a", 3)
	id := b.log.ID().String()[24:]
	ids := append([]string{
		"41", "2", "02", "2.", "2,", "2;", "+2", "-2", "2 2", "0x2", "２", "2\x00", "2\t", "\t2", "2\x7f", "2\xff", "2\u200b", "1e0", "1_0", "٢",
		id, id + "-", id + "-2", id + "-3", id + "--1", id + "-02", id + "-2-", id + "-2\x00", id + "- 2", id + "-0x2", id + "-start", id + "-Start", id + "-end",
		strings.ToUpper(id) + "x-2", id + id + "-2", id[1:] + "-2", id + "-18446744073709551615", id + "-18446744073709551616", "00000000-2", "-start", "start", "end",
		"2\x0b", "2, 2", strings.Repeat("0", 5000) + "2", strings.Repeat(id+"-2", 500),
	}, hostile...)
	again := map[string]string{"2": "3", id + "-2": "3", "0": "1", id + "-start": "0", "2\t": "3", "\t2": "3", " 7": ""} // HTTP takes white space off
	for _, text := range ids {
		if strings.ContainsAny(text, "\r\n") {
			continue // that is another header
		}
		status, from := b.begins("/v1/events", "Last-Event-ID: "+text)
		switch _, number, _ := strings.Cut(from, "-"); {
		case status >= 500:
			t.Errorf("%.60q: %d", text, status)
		case status != http.StatusOK:
		case strings.TrimSpace(text) == "" && number == "3": // it has none, and gets what comes
		case again[text] == "" || number != again[text]:
			t.Errorf("%.60q begins at %s", text, from)
		}
	}
	if status, _ := b.begins("/v1/events", "Last-Event-ID: 2", "Last-Event-ID: 1"); status != http.StatusBadRequest {
		t.Errorf("two ids: %d", status)
	}
	if n := b.metric("spillway_http_panics_total"); n != 0 {
		t.Errorf("%v panics: %s", n, b.logged)
	}
}

// TestHostileCloudEvents: whatever is an attribute of a CloudEvent, or its data, is refused, or is one event that has it as it was sent.
func TestHostileCloudEvents(t *testing.T) {
	b := open(t, nil)
	s := b.stream("/v1/events?from=start")
	sent := 0
	for _, text := range hostile {
		for _, name := range []string{"id", "source", "type", "subject", "time", "dataschema", "datacontenttype", "data", "entity", "scope", "kind", "lane", "own", text} {
			ce := map[string]any{"specversion": "1.0", "id": text + name, "source": "s", "type": "t"}
			ce[name] = text
			body, err := json.Marshal(ce)
			if err != nil {
				t.Fatal(err)
			}
			r := b.post("application/cloudevents+json", string(body))
			if r.status != http.StatusOK {
				if p := r.problem(t); r.status != 400 && r.status != 422 || strings.ContainsAny(p.Detail, "\x00\r\n\x1b") {
					t.Errorf("%s %.60q: %d %s", name, text, r.status, r.body)
				}
				continue
			}
			if r.accepted(t).Last != nil && *r.accepted(t).Last < uint64(sent) { // the same once more, as the attribute id "" was sent before
				continue
			}
			f, ok := s.next()
			if !ok {
				t.Fatalf("%s %.60q: the stream has ended", name, text)
			}
			e, err := sse.ParseJSON([]byte(f.data))
			var got map[string]any
			if err == nil {
				err = json.Unmarshal(e.Payload, &got)
			}
			if err != nil || f.event != "" || f.sequence(t) != uint64(sent) {
				t.Fatalf("%s %.60q came out as %+v (%v)", name, text, f, err)
			}
			if name == "data" || name == "source" || name == "own" {
				was := decode[map[string]any](t, body)
				if got[name] != was[name] {
					t.Errorf("%s %.60q came out as %.60q", name, was[name], got[name])
				}
			}
			sent++
		}
	}
	if b.next() != uint64(sent) || sent < 300 {
		t.Errorf("%d were taken, and the log's next is %d", sent, b.next())
	}
	if n := b.metric("spillway_http_panics_total"); n != 0 {
		t.Errorf("%v panics: %s", n, b.logged)
	}
}
