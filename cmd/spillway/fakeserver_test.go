package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// A fakeServer is the least that publish, watch and top can talk to, and awkward: it loses every third answer to a POST after the events
// are in, and cuts each stream after two events. What is sent again under the same id is had once.
type fakeServer struct {
	mu     sync.Mutex
	posts  int
	ids    map[string]int
	events []map[string]any
	first  int // dropped before it
}

// fake starts one for a script, and has the script's commands go there.
func fake(ts *testscript.TestScript, _ bool, args []string) {
	f := &fakeServer{ids: make(map[string]int)}
	if len(args) == 1 {
		var err error
		f.first, err = strconv.Atoi(args[0])
		ts.Check(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/events", f.post)
	mux.HandleFunc("GET /v1/events", f.stream)
	mux.HandleFunc("GET /v1/activity", f.activity)
	s := httptest.NewServer(mux)
	ts.Defer(s.Close)
	ts.Setenv("SPILLWAY_SERVER", s.URL)
}

func (f *fakeServer) post(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.posts++
	first, last, n := -1, -1, 0
	for lines := bufio.NewScanner(r.Body); lines.Scan(); n++ {
		var e map[string]any
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			panic(err)
		}
		if e["entity"] == "bad" {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = fmt.Fprintf(w, `{"detail":"No such thing.","accepted":%d,"event":%d}`, n, n+1)
			return
		}
		id := e["id"].(string)
		at, known := f.ids[id]
		if !known {
			at = len(f.events)
			f.ids[id] = at
			e["sequence"] = at
			f.events = append(f.events, e)
		}
		if first < 0 {
			first = at
		}
		last = at
	}
	if f.posts%3 == 1 {
		panic(http.ErrAbortHandler)
	}
	_, _ = fmt.Fprintf(w, `{"accepted":%d,"first":%d,"last":%d}`, n, first, last)
}

func (f *fakeServer) stream(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	next := len(f.events)
	from := r.URL.Query().Get("from")
	if from == "start" {
		next = f.first
	} else if n, err := strconv.Atoi(from); err == nil {
		next = n
	}
	if _, after, ok := strings.Cut(r.Header.Get("Last-Event-ID"), "-"); ok {
		n, err := strconv.Atoi(after)
		if err != nil {
			panic(err)
		}
		next = n + 1
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Spillway-From", strconv.Itoa(next))
	_, _ = fmt.Fprint(w, "retry: 10\n\n")
	if next < f.first {
		_, _ = fmt.Fprintf(w, "event: spillway.gap\ndata: {\"asked\":%d,\"left\":%d}\n\n", next, f.first)
		next = f.first
	}
	for _, e := range f.events[next:min(next+2, len(f.events))] {
		data, err := json.Marshal(e)
		if err != nil {
			panic(err)
		}
		_, _ = fmt.Fprintf(w, "id: 0000abcd-%d\ndata: %s\n\n", e["sequence"], data)
	}
}

func (f *fakeServer) activity(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for i := range 3 {
		_, _ = fmt.Fprintf(w, "event: stats\ndata: {\"at\":%d,\"live\":1,\"broadcasts\":%d,\"journal\":{\"appended\":7}}\n\n", 1000*(i+1), 50*i)
		_, _ = fmt.Fprintf(w, "event: ended\ndata: {\"at\":1000,\"region\":\"lane=1\",\"cause\":\"Full\",\"missed\":9,\"site\":\"x.go:1\"}\n\n")
	}
}
