package sse_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	parser "github.com/tmaxmax/go-sse"

	"github.com/spillwayhq/spillway/adapters/sse"
	"github.com/spillwayhq/spillway/cursor/memlog"
)

// A browser is an EventSource as the WHATWG has it, without its waits: all that it keeps is the id that came last, with whatever event.
type browser struct {
	b     *bed
	query string
	id    string
}

// connect reads the events that come, until it is told to stop.
func (s *browser) connect(each func(parser.Event) (more bool)) {
	s.b.t.Helper()
	ctx, cancel := context.WithCancel(s.b.t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.b.server.URL+s.query, http.NoBody)
	if err != nil {
		s.b.t.Fatal(err)
	}
	if s.id != "" {
		r.Header.Set("Last-Event-ID", s.id)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.b.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		s.b.t.Fatalf("with the id %q: %s", s.id, res.Status)
	}
	for e, err := range parser.Read(res.Body, nil) {
		if err != nil {
			s.b.t.Fatal(err)
		}
		if e.LastEventID != "" {
			s.id = e.LastEventID
		}
		if !each(e) {
			return
		}
	}
	s.b.t.Fatal("the stream has ended")
}

// A browser that has seen no event yet comes back with where its stream began, and misses nothing that came meanwhile; also where the log
// was empty then.
func TestH165ComesBackBeforeAnEvent(t *testing.T) {
	for _, before := range []int{0, 3} {
		b := open(t, nil)
		b.append("a", before)
		s := &browser{b: b, query: "/?entity=q"}
		s.connect(func(e parser.Event) bool { return e.Type != sse.EventProgress })
		b.append("q", 1)
		b.append("a", 1)
		s.connect(func(e parser.Event) bool {
			if e.Type != "" || e.LastEventID != b.at(uint64(before)) {
				t.Errorf("%d before: got %+v, want the event that came meanwhile", before, e)
			}
			return false
		})
		if s.id != b.at(uint64(before)) {
			t.Errorf("it keeps %q", s.id)
		}
	}
}

// A browser whose region is quiet, and which was there when others' events were dropped, is told of no gap when it comes back. One that
// really misses some is told once.
func TestH165QuietIsNoGap(t *testing.T) {
	b := openWith(t, memlog.Options{MaxEvents: 4}, func(o *sse.Options) { o.ProgressEvery = 5 * time.Millisecond })
	b.append("q", 1)
	s := &browser{b: b, query: "/?entity=q"}
	s.id = b.at(0) // it has this
	b.append("a", 1)
	left := 7
	s.connect(func(e parser.Event) bool {
		if e.Type != sse.EventProgress {
			t.Errorf("got %+v", e)
		}
		if left--; left >= 0 {
			b.append("a", 1)
		}
		return left >= 0
	})
	if s.id != b.at(8) {
		t.Fatalf("it keeps %q", s.id)
	}
	b.append("q", 1)
	s.connect(func(e parser.Event) bool {
		if e.Type != "" || s.id != b.at(9) {
			t.Errorf("got %+v, want the next event and no gap", e)
		}
		return false
	})
	b.append("a", 4)
	b.append("q", 4)
	s.connect(func(e parser.Event) bool {
		if e.Type != sse.EventGap || e.Data != `{"asked":10,"left":14}` {
			t.Errorf("got %+v, want a gap", e)
		}
		return false
	})
	s.connect(func(e parser.Event) bool {
		if e.Type != "" || s.id != b.at(14) {
			t.Errorf("got %+v, want an event: the gap was told", e)
		}
		return false
	})
}
