package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/bench/load/fan"
)

// TestClientsFindWhatIsWrong has a server that is none of ours send events as they should be, and not.
func TestClientsFindWhatIsWrong(t *testing.T) {
	event := func(sequence, n int) string {
		return fmt.Sprintf("id: 01234567-%d\ndata: {\"payload\":{\"n\":%d,\"due\":0,\"fill\":\"%s\"}}\n\n", sequence, n, strings.Repeat("x", 2*line))
	}
	for _, test := range []struct{ name, sends, want string }{
		{"all of them", "retry: 10\n\n" + event(5, 0) + ":\n\nevent: spillway.progress\ndata: {}\n\n" + event(9, 1), ""},
		{"one twice", event(5, 0) + event(5, 0), "comes after sequence 5"},
		{"one under two ids", event(5, 0) + event(6, 0), "got event 0 where 1"},
		{"the first missing", event(6, 1), "got event 1 where 0"},
		{"a gap that is told", event(5, 0) + "event: spillway.gap\ndata: {\"asked\":6}\n\n" + event(9, 1), `spillway.gap: {"asked":6}`},
		{"an end", event(5, 0), "lost its stream: EOF"},
		{"no id", strings.Replace(event(5, 0), "id: ", "no: ", 1), `the id ""`},
	} {
		t.Run(test.name, func(t *testing.T) {
			gone := make(chan struct{})
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				_ = http.NewResponseController(w).Flush()
				<-gone // until the client is a member
				fmt.Fprint(w, test.sends)
				_ = http.NewResponseController(w).Flush()
				if test.name != "an end" {
					<-r.Context().Done()
				}
			}))
			defer server.Close()
			c := fan.NewCrowd(1)
			cs, err := come(t.Context(), c, strings.TrimPrefix(server.URL, "http://"), 1, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer cs.close()
			c.Make(0, 0, 0)
			c.Make(0, 0, 0)
			close(gone)
			err = c.Await(t.Context(), time.Minute)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%v; want %q", err, test.want)
			}
		})
	}
}

// A client that is refused is an error that says why.
func TestRefusedClient(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "there are too many", http.StatusServiceUnavailable)
	}))
	defer server.Close()
	_, err := come(context.Background(), fan.NewCrowd(1), strings.TrimPrefix(server.URL, "http://"), 3, 1)
	if err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("%v; want why", err)
	}
}

// A request for more descriptors than a process can have is scaled down, and said.
func TestTooManyClients(t *testing.T) {
	if raiseDescriptors(1<<30) == 1<<30 {
		t.Skip("there is no limit here")
	}
	var said strings.Builder
	l := &load{say: &said}
	if n := l.connections(1 << 30); n >= 1<<30 || n < 1 || !strings.Contains(said.String(), "in place of") {
		t.Errorf("%d clients of 2^30, and it says %q", n, said.String())
	}
}
