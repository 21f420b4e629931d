package ingest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	cetest "github.com/cloudevents/sdk-go/v2/test"
	"github.com/cloudevents/sdk-go/v2/types"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/ingest"
	"github.com/spillwayhq/spillway/cursor"
)

// official is a CloudEvent as the official SDK reads it.
func official(t *testing.T, payload []byte) cloudevents.Event {
	t.Helper()
	var e cloudevents.Event
	if err := json.Unmarshal(payload, &e); err != nil {
		t.Fatalf("%s: the official SDK says %v", payload, err)
	}
	if err := e.Validate(); err != nil {
		t.Fatalf("%s: the official SDK says %v", payload, err)
	}
	return e
}

// samples are events with and without everything.
func samples() []cloudevents.Event {
	text := cetest.FullEvent()
	_ = text.SetData("text/plain", "plain \"text\"\n<é>")
	raw := cetest.FullEvent()
	_ = raw.SetData("application/octet-stream", []byte{0, 1, 0xff})
	odd := cetest.MinEvent()
	odd.SetID("50% of é")
	odd.SetExtension("note", `a "b" 100% é`)
	return []cloudevents.Event{cetest.FullEvent(), cetest.MinEvent(), text, raw, odd}
}

// sent is an event in a mode of the SDK's.
func sent(t *testing.T, e cloudevents.Event, structured bool) (http.Header, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	ctx := binding.WithForceBinary(context.Background())
	if structured {
		ctx = binding.WithForceStructured(context.Background())
	}
	if err := cehttp.WriteRequest(ctx, binding.ToMessage(&e), req); err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		t.Fatal(err)
	}
	return req.Header, body
}

// An event that the official SDK has sent is, read by it again from the payload, the same; and the same in each mode.
func TestOfficialSDK(t *testing.T) {
	for i, e := range samples() {
		var first cursor.Draft
		for _, structured := range []bool{true, false} {
			h, body := sent(t, e, structured)
			ds, err := read(h, bytes.NewReader(body), ingest.Limits{})
			if err != nil || len(ds) != 1 {
				t.Fatalf("%d, structured %v: %d events, %v\n%v\n%s", i, structured, len(ds), err, h, body)
			}
			got := official(t, ds[0].Payload)
			if got.ID() != e.ID() || got.Source() != e.Source() || got.Type() != e.Type() || got.Subject() != e.Subject() ||
				!got.Time().Equal(e.Time()) || got.DataContentType() != e.DataContentType() || got.DataSchema() != e.DataSchema() ||
				!bytes.Equal(got.Data(), e.Data()) {
				t.Errorf("%d, structured %v: got %v\nwant %v", i, structured, got, e)
			}
			for name, want := range e.Extensions() {
				text, err := types.Format(want)
				if err != nil {
					t.Fatal(err)
				}
				if said, err := types.Format(got.Extensions()[name]); err != nil || said != text {
					t.Errorf("%d, structured %v: attribute %s is %v, want %v", i, structured, name, said, want)
				}
			}
			if structured {
				first = ds[0]
			} else if first.EventID != ds[0].EventID || first.Coordinate != ds[0].Coordinate || first.Time != ds[0].Time {
				t.Errorf("%d: got %+v by binary mode, and %+v structured", i, ds[0], first)
			}
		}
	}
}

// A batch is as many events, in order.
func TestBatch(t *testing.T) {
	all := samples()
	body, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	ds, err := read(header(ceBatch), bytes.NewReader(body), ingest.Limits{})
	if err != nil || len(ds) != len(all) {
		t.Fatalf("%d events, %v", len(ds), err)
	}
	for i := range ds {
		if got := official(t, ds[i].Payload); got.ID() != all[i].ID() || !bytes.Equal(got.Data(), all[i].Data()) {
			t.Errorf("%d: got %v, want %v", i, got, all[i])
		}
	}
}

func TestWhereACloudEventIs(t *testing.T) {
	const start = `{"specversion":"1.0","id":"1","source":"//shop/é?a=b","type":"com.example.made"`
	for _, c := range []struct{ more, at, kind string }{
		{``, "com.example.made@%2F%2Fshop%2Fé?a%3Db", "0x1:0x000"},
		{`,"subject":"order/7"`, "order%2F7@%2F%2Fshop%2Fé?a%3Db", "0x1:0x000"},
		{`,"subject":"x","entity":"alice:cart","scope":"shop","kind":"0x2:0x00b"`, "alice:cart@shop", "0x2:0x00b"},
	} {
		ds, err := read(header(ceJSON), strings.NewReader(start+c.more+`,"lane":"7","depth":3,"expect":2}`), ingest.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		d := ds[0]
		if d.Coordinate.String() != c.at || d.Kind.String() != c.kind || d.Lane != 7 || d.Depth != 3 || d.Expect != cursor.ExpectClock(2) {
			t.Errorf("%s: got %+v, want %s of %s", c.more, d, c.at, c.kind)
		}
	}
}

// Of two events the ids are the same only where both source and id are.
func TestIDOfACloudEvent(t *testing.T) {
	seen := make(map[string]string)
	for _, names := range []string{`"id":"1","source":"ab"`, `"id":"b1","source":"a"`, `"id":"2","source":"ab"`, `"id":"ab","source":"1"`} {
		ds, err := read(header(ceJSON), strings.NewReader(`{"specversion":"1.0","type":"t",`+names+`}`), ingest.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		id := ds[0].EventID.String()
		if other, ok := seen[id]; ok {
			t.Errorf("%s and %s are one event", names, other)
		}
		seen[id] = names
	}
}

func TestBadHeaders(t *testing.T) {
	for _, more := range [][]string{
		{"Ce-Subject", "%FF"},
		{"Ce-Subject", "a", "Ce-Subject", "b"},
		{"Ce-My_attr", "x"},
		{"Ce-Data", "x"},
	} {
		h := header("text/plain", append([]string{"Ce-Specversion", "1.0", "Ce-Id", "1", "Ce-Source", "s", "Ce-Type", "t"}, more...)...)
		if ds, err := read(h, strings.NewReader("x"), ingest.Limits{}); err == nil {
			t.Errorf("%v: got %+v", more, ds)
		}
	}
}
