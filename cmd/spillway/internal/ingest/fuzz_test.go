package ingest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	cloudevents "github.com/cloudevents/sdk-go/v2"

	"github.com/spillwayhq/spillway/adapters/sse"
	"github.com/spillwayhq/spillway/cmd/spillway/internal/ingest"
	"github.com/spillwayhq/spillway/cmd/spillway/internal/problem"
	"github.com/spillwayhq/spillway/core"
)

// FuzzNDJSON: whatever the lines, the same is read of them in whichever pieces they come; what is taken is JSON, and is the same event when it is
// given out and sent again; what is refused is a problem with its event.
func FuzzNDJSON(f *testing.F) {
	f.Add([]byte(event(`,"payload":{"a":"\u00e9\ud83d\ude00"},"id":"0123456789abcdef0123456789abcdef"`) + "\n" + event("")))
	f.Add([]byte("{}\n\n[]\n"))
	f.Add([]byte(event(`,"lane":01`)))
	f.Add([]byte(event(`,"payload":-0.5e+7`) + "\r\n"))
	limits := ingest.Limits{Line: 1000, Nesting: 20, Payload: 300}
	f.Fuzz(func(t *testing.T, body []byte) {
		ds, err := read(header(lines), bytes.NewReader(body), limits)
		again, err2 := read(header(lines), iotest.OneByteReader(bytes.NewReader(body)), limits)
		if !reflect.DeepEqual(ds, again) || !reflect.DeepEqual(err, err2) {
			t.Fatalf("in one piece %d events, %v; byte by byte %d, %v", len(ds), err, len(again), err2)
		}
		var p *problem.Problem
		if err != nil && (!errors.As(err, &p) || p.Detail == "" || p.Event > len(ds)+1) {
			t.Fatalf("%d events, and then %v", len(ds), err)
		}
		n := 0
		for line := range bytes.Lines(body) {
			if len(bytes.TrimSpace(line)) == 0 {
				continue
			}
			if n == len(ds) {
				break
			}
			if !json.Valid(line) {
				t.Fatalf("%q was taken", line)
			}
			d := &ds[n]
			e := core.Envelope{Time: d.Time, Payload: d.Payload}
			e.EventID, e.CorrelationID, e.CausationID, e.Coordinate, e.Kind = d.EventID, d.CorrelationID, d.CausationID, d.Coordinate, d.Kind
			e.Position.Lane, e.Position.Depth = d.Lane, d.Depth
			out, err := sse.AppendJSON(nil, e)
			if err != nil {
				t.Fatal(err)
			}
			back, err := read(header(jsonType), bytes.NewReader(out), ingest.Limits{})
			if err != nil || len(back) != 1 || !back[0].Made(&e) {
				t.Fatalf("%s is given out, and then %v (%v)", out, back, err)
			}
			n++
		}
	})
}

// FuzzCloudEvents: what is taken in the JSON format is, in the payload, what the official SDK reads of both, and has the same id and
// place when it is sent again.
func FuzzCloudEvents(f *testing.F) {
	f.Add([]byte(`{"specversion":"1.0","id":"1","source":"s","type":"t","subject":"a:b","time":"2026-11-25T11:00:00Z","data":{"a":1},"ext":"x","n":-3,"b":true}`))
	f.Add([]byte(`{"specversion":"1.0","id":"1","source":"s","type":"t","datacontenttype":"text/plain","data":"x"}`))
	f.Add([]byte(`{"specversion":"1.0","id":"1","source":"s","type":"t","data_base64":"AAH/"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		ds, err := read(header(ceJSON), bytes.NewReader(body), ingest.Limits{})
		if err != nil {
			return
		}
		back, err := read(header(ceJSON), bytes.NewReader(ds[0].Payload), ingest.Limits{})
		if err != nil || !reflect.DeepEqual(ds, back) {
			t.Fatalf("%s became %s, and that %v (%v)", body, ds[0].Payload, back, err)
		}
		var theirs, ours cloudevents.Event
		if json.Unmarshal(body, &theirs) != nil || theirs.Validate() != nil {
			return // they take less
		}
		if err := json.Unmarshal(ds[0].Payload, &ours); err != nil {
			t.Fatalf("%s: the official SDK reads the event, and not the payload %s: %v", body, ds[0].Payload, err)
		}
		same := ours.ID() == theirs.ID() && ours.Source() == theirs.Source() && ours.Type() == theirs.Type() && ours.Subject() == theirs.Subject() &&
			ours.Time().Equal(theirs.Time()) && reflect.DeepEqual(ours.Extensions(), theirs.Extensions())
		if !same || !bytes.Equal(compact(ours.Data()), compact(theirs.Data())) {
			t.Fatalf("%s became %s:\n%v\n%v", body, ds[0].Payload, ours, theirs)
		}
	})
}

// compact is JSON in one form, and anything else as it is.
func compact(data []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, data) != nil {
		return []byte(strings.TrimSpace(string(data)))
	}
	return b.Bytes()
}
