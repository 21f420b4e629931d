package sse_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/adapters/sse"
	"github.com/spillwayhq/spillway/cursor/memlog"
)

// firstFrames returns as many frames of a stream, retry apart, and the place that a stream may begin with.
func firstFrames(t *testing.T, res *http.Response, n int) (frames []string) {
	t.Helper()
	lines, frame := bufio.NewReader(res.Body), ""
	for len(frames) < n {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("%v after %q and %q", err, frames, frame)
		}
		if line != "\n" {
			frame += line
			continue
		}
		if !strings.HasPrefix(frame, "retry: ") && (len(frames) > 0 || !strings.Contains(frame, "event: spillway.progress\n")) {
			frames = append(frames, frame)
		}
		frame = ""
	}
	return frames
}

// Every Last-Event-ID has its answer, and none is a replay that nobody has asked for.
func TestH166LastEventID(t *testing.T) {
	b := open(t, nil)
	b.append("a", 5)
	const goOn = "" // there is a sixth event to be streamed
	for _, c := range []struct {
		id     string
		status int
		from   string
	}{
		{"", 200, "5"},
		{"4", 200, "5"},
		{"2", 200, "3"},
		{b.at(2), 200, "3"},
		{b.at(4), 200, "5"},
		{"0", 200, "1"},
		{"5", 410, goOn},
		{b.at(5), 410, goOn},
		{"00000000-2", 410, goOn},
		{"18446744073709551615", 410, goOn},
		{"-1", 400, goOn},
		{"+5", 400, goOn},
		{" 7", 400, goOn},
		{"1e3", 400, goOn},
		{"0x1f", 400, goOn},
		{"1f", 400, goOn},
		{strings.Repeat("9", 30), 400, goOn},
		{"18446744073709551616", 400, goOn},
		{"007", 400, goOn},
		{b.id + "-", 400, goOn},
		{b.id + "-02", 400, goOn},
		{strings.ToUpper("abcdef01") + "-2", 400, goOn},
		{"-2", 400, goOn},
		{b.at(2) + "-1", 400, goOn},
		{"2\x00", 400, goOn},
		{"٣", 400, goOn},
		{"2\n", 400, goOn},
		{strings.Repeat("1", 1<<16), 400, goOn},
		{"start", 400, goOn},
		{b.id + "-start", 200, "0"},
		{"00000000-start", 410, goOn},
		{"-start", 400, goOn},
		{b.at(2) + "-start", 400, goOn},
		{b.id + "-starts", 400, goOn},
		{b.id + "-end", 400, goOn},
	} {
		for _, how := range []string{"Last-Event-ID", "last_event_id"} {
			ctx, cancel := context.WithCancel(t.Context())
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody)
			if how == "Last-Event-ID" {
				r.Header.Set(how, c.id)
			} else {
				q := r.URL.Query()
				q.Set(how, c.id)
				r.URL.RawQuery = q.Encode()
			}
			w := httptest.NewRecorder()
			b.handler.ServeHTTP(recorder{w, cancel}, r)
			cancel()
			from := ""
			if c.from != "" {
				from = b.id + "-" + c.from
			}
			if w.Code != c.status {
				t.Errorf("%s %.40q: answered %d, want %d: %s", how, c.id, w.Code, c.status, w.Body)
			}
			if w.Code == 200 && w.Header().Get("Spillway-From") != from {
				t.Errorf("%s %.40q: begins at %q, want %q", how, c.id, w.Header().Get("Spillway-From"), from)
			}
		}
	}
}

// A recorder has what a stream needs, and ends it as soon as it has begun.
type recorder struct {
	*httptest.ResponseRecorder
	flushed func()
}

func (r recorder) Flush() { r.flushed() }

func (recorder) SetWriteDeadline(time.Time) error { return nil }

// Through real HTTP: what is sent twice, and where the header stands before the query.
func TestH166Precedence(t *testing.T) {
	b := open(t, nil)
	b.append("a", 9)
	for _, c := range []struct {
		query  string
		header http.Header
		first  string // id, or status
	}{
		{"", http.Header{"Last-Event-Id": {"3", "3"}}, "400"},
		{"?last_event_id=3&last_event_id=3", nil, "400"},
		{"?from=3&from=4", nil, "400"},
		{"?from=3", http.Header{"Last-Event-Id": {"6"}}, b.at(7)},
		{"?from=3&last_event_id=5", nil, b.at(6)},
		{"?from=3", nil, b.at(3)},
		{"?from=" + b.at(3), nil, b.at(3)},
		{"?from=start", nil, b.at(0)},
		{"?last_event_id=&from=2", http.Header{"Last-Event-Id": {""}}, b.at(2)},
		{"?from=10", nil, "410"},
		{"?from=" + b.id + "-start", nil, "400"},
		{"?from=7", http.Header{"Last-Event-Id": {b.id + "-start"}}, b.at(0)},
		{"?from=%zz", nil, "400"},
		{"?entity=a;b", nil, "400"},
		{"?entity=a&region=*", nil, "400"},
		{"?region=clock%3D1..2", nil, "400"},
		{"?entity=", nil, "400"},
		{"?region=", nil, "400"},
		{"?lane=-1", nil, "400"},
		{"?kind=0x1:0x000&category=0x1", nil, "400"},
		{"?entitiy=a", nil, "400"},
		{"?from=0&Entity=a", nil, "400"},
		{"?lastEventId=3", nil, "400"},
		{"?from=0&category=0x1&entity=a", nil, b.at(0)},
		{"?from=0&kind=0X1:0x0", nil, b.at(0)},
	} {
		res := b.get("/"+c.query, c.header)
		if res.StatusCode != http.StatusOK {
			body, _ := io.ReadAll(res.Body)
			if got := res.Status[:3]; got != c.first || !strings.Contains(string(body), `"detail":`) ||
				res.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s %v: %s, want %s: %s", c.query, c.header, res.Status, c.first, body)
			}
			continue
		}
		if got, _, _ := strings.Cut(firstFrames(t, res, 1)[0], "\n"); got != "id: "+c.first {
			t.Errorf("%s %v: begins with %q, want %s", c.query, c.header, got, c.first)
		}
		_ = res.Body.Close()
	}
}

// What is compacted is said before the first event, once; then comes what is left.
func TestH167Compacted(t *testing.T) {
	b := openWith(t, memlog.Options{MaxEvents: 4}, nil)
	b.append("a", 4)
	b.append("a", 4)
	res := b.get("/", http.Header{"Last-Event-Id": {b.at(1)}})
	frames := firstFrames(t, res, 2)
	if want := "id: " + b.at(3) + "\nevent: spillway.gap\ndata: {\"asked\":2,\"left\":4}\n"; frames[0] != want {
		t.Errorf("got %q, want %q", frames[0], want)
	}
	if !strings.HasPrefix(frames[1], "id: "+b.at(4)+"\n") {
		t.Errorf("the first event is %q", frames[1])
	}
	for _, err := range sse.Follow(t.Context(), b.server.URL, sse.FollowOptions{After: b.at(1)}) {
		if gap, ok := err.(*sse.GapError); !ok || gap.Asked != 2 || gap.Left != 4 {
			t.Errorf("Follow got %v", err)
		}
	}
}

// Another log's id is not this log's place.
func TestH168AnotherLog(t *testing.T) {
	b, other := open(t, nil), open(t, nil)
	b.append("a", 3)
	for _, err := range sse.Follow(t.Context(), b.server.URL, sse.FollowOptions{After: other.at(1)}) {
		if status, ok := err.(*sse.StatusError); !ok || status.Status != http.StatusGone || !status.Is(sse.ErrReplaced) {
			t.Errorf("got %v", err)
		}
	}
}

// Methods and headers that are none of a stream's have their answer.
func TestH196OtherRequests(t *testing.T) {
	b := open(t, nil)
	for _, c := range []struct {
		method, accept string
		status         int
	}{
		{"HEAD", "", 200},
		{"POST", "", 405},
		{"OPTIONS", "", 405},
		{"GET", "text/html", 406},
		{"HEAD", "text/event-stream;q=0, */*", 406},
		{"HEAD", "text/html, */*;q=0.1", 200},
		{"HEAD", "text/*", 200},
		{"HEAD", "TEXT/EVENT-STREAM", 200},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), c.method, "/", http.NoBody)
		if c.accept != "" {
			r.Header.Set("Accept", c.accept)
		}
		b.handler.ServeHTTP(w, r)
		if w.Code != c.status || (w.Code == 405) != (w.Header().Get("Allow") != "") || c.method == "HEAD" && c.status == 200 && w.Body.Len() > 0 {
			t.Errorf("%s, Accept %q: answered %d, want %d", c.method, c.accept, w.Code, c.status)
		}
	}
	if n := b.handler.Stats().Open; n != 0 {
		t.Errorf("%d streams are open", n)
	}
}

// A stream asks proxies not to keep it back, and is never compressed.
func TestH175Headers(t *testing.T) {
	b := open(t, nil)
	res := b.get("/", http.Header{"Accept-Encoding": {"gzip"}})
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream", "Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no", "Content-Encoding": "",
		"Spillway-From": b.at(0),
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// hiding is a middleware's ResponseWriter without an Unwrap.
type hiding struct{ w http.ResponseWriter }

func (h hiding) Header() http.Header         { return h.w.Header() }
func (h hiding) Write(p []byte) (int, error) { return h.w.Write(p) }
func (h hiding) WriteHeader(status int)      { h.w.WriteHeader(status) }

type flushing struct{ hiding }

func (f flushing) Flush() { f.w.(http.Flusher).Flush() }

type showing struct{ hiding }

func (s showing) Unwrap() http.ResponseWriter { return s.w }

// Where something hides Flush or the deadlines, or compresses, the stream is refused at its start; through a wrapper that unwraps, it goes.
func TestH172HiddenByMiddleware(t *testing.T) {
	b := open(t, nil)
	b.append("a", 1)
	for name, c := range map[string]struct {
		wrap   func(http.ResponseWriter) http.ResponseWriter
		status int
	}{
		"flush":    {func(w http.ResponseWriter) http.ResponseWriter { return hiding{w} }, 500},
		"deadline": {func(w http.ResponseWriter) http.ResponseWriter { return flushing{hiding{w}} }, 500},
		"encoding": {func(w http.ResponseWriter) http.ResponseWriter { w.Header().Set("Content-Encoding", "br"); return w }, 500},
		"nothing":  {func(w http.ResponseWriter) http.ResponseWriter { return showing{hiding{w}} }, 200},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { b.handler.ServeHTTP(c.wrap(w), r) }))
		ctx, cancel := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/?from=0", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != c.status {
			t.Errorf("%s hidden: %s, want %d", name, res.Status, c.status)
		}
		if c.status == http.StatusOK {
			firstFrames(t, res, 1)
		}
		cancel()
		_ = res.Body.Close()
		server.Close()
	}
}
