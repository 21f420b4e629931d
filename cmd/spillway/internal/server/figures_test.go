package server_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/server"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// TestH198PanicIsCounted: a handler that panics is answered, counted and logged, and the server goes on.
func TestH198PanicIsCounted(t *testing.T) {
	b := open(t, func(o *server.Options) { o.Log = panicking{o.Log} })
	for range 2 {
		if r := b.get("/v1/log?limit=7"); !r.is(t, http.StatusInternalServerError, "panic") {
			t.Errorf("got %d %s", r.status, r.body)
		}
	}
	if n := b.metric("spillway_http_panics_total"); n != 2 {
		t.Errorf("%v panics, want 2", n)
	}
	if n := b.metric(`spillway_http_requests_total{class="5xx",route="GET /v1/log"}`); n != 2 {
		t.Errorf("%v answers, want 2", n)
	}
	if log := b.logged.String(); !strings.Contains(log, "a handler panicked") || !strings.Contains(log, "log.go") {
		t.Errorf("logged: %s", log)
	}
}

// panicking is a log that can't be read in pages of seven.
type panicking struct{ cursor.Log }

func (l panicking) Read(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (int, uint64, error) {
	if len(dst) == 7 {
		panic("seven")
	}
	return l.Log.Read(ctx, r, from, dst)
}

// TestH189NoProfiles: Go's profiles are not among what the server answers.
func TestH189NoProfiles(t *testing.T) {
	b := open(t, nil)
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/vars", "/debug/pprof"} {
		if r := b.get(path); !r.is(t, http.StatusNotFound, "path") {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
}

// series returns the names and labels that a scrape has.
func (b *bed) series() map[string]bool {
	b.t.Helper()
	all := make(map[string]bool)
	for line := range strings.Lines(string(b.get("/metrics").body)) {
		if end := strings.LastIndexByte(line, ' '); end > 0 && line[0] != '#' { // a label may have spaces
			all[line[:end]] = true
		}
	}
	return all
}

// TestH188LabelsAreFixed: whatever clients call things, there are no more series than before.
func TestH188LabelsAreFixed(t *testing.T) {
	const names = 100_000
	b := open(t, nil)
	var body strings.Builder
	post := func(from, to int) {
		body.Reset()
		for i := from; i < to; i++ {
			fmt.Fprintf(&body, `{"entity":"e%d:x","scope":"s%d","kind":"0x1:0x%03x"}`+"\n", i, i, i&0xFFF)
		}
		if r := b.post(asLines, body.String()); r.status != http.StatusOK {
			t.Fatalf("%d %s", r.status, r.body)
		}
	}
	strange := func(i int) {
		b.get(fmt.Sprintf("/v1/nothing/%d", i))
		b.get(fmt.Sprintf("/assets/%d", i))
		b.do("DELETE", fmt.Sprintf("/v1/subscriptions/%d", 1000+i), http.NoBody)
		b.do(fmt.Sprintf("METHOD%d", i), "/v1/events", http.NoBody)
		b.get(fmt.Sprintf("/v1/log?region=%d", i))
		b.get("/v1/log", "Host", fmt.Sprintf("host%d", i))
		b.stream(fmt.Sprintf("/v1/events?scope=s%d", i)).close()
	}
	post(0, 1)
	strange(0)
	b.get("/metrics")
	for !b.series()[`spillway_http_requests_total{class="2xx",route="GET /v1/events"}`] { // the server has still to see that the stream is left
		runtime.Gosched()
	}
	before := b.series()
	for i := 1; i < names; i += 10_000 {
		post(i, i+10_000)
	}
	for i := range 50 {
		strange(i + 1)
	}
	after := b.series()
	for name := range after {
		if !before[name] {
			t.Errorf("there is now %s", name)
		}
	}
	if len(before) < 100 {
		t.Errorf("there are %d series: what are they called?", len(before))
	}
	if b.next() < names {
		t.Errorf("the log's next is %d", b.next())
	}
}

// TestH199ScrapeHoldsUpNobody: while one scrapes without a pause, events come through, and each scrape is whole.
func TestH199ScrapeHoldsUpNobody(t *testing.T) {
	b := open(t, func(o *server.Options) { o.Bounds.StreamsPerClient = 600 })
	for i := range 500 {
		b.stream(fmt.Sprintf("/v1/events?lane=%d", i+1))
	}
	s := b.stream("/v1/events?lane=0")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if r := b.get("/metrics"); r.status == 200 && !strings.Contains(string(r.body), "spillway_sse_streams 501\n") {
						t.Errorf("a scrape: %s", r.body)
						return
					}
					runtime.Gosched()
				}
			}
		})
	}
	for i := range 200 {
		b.fill("a", 1)
		if f, ok := s.next(); !ok || f.sequence(t) != uint64(i) {
			t.Fatalf("got %+v, %v", f, ok)
		}
	}
	close(stop)
	wg.Wait()
}
