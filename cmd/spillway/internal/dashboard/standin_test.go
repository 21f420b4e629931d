package dashboard_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/dashboard"
	"github.com/spillwayhq/spillway/region"
)

const logID = "3f2a91bc"

// An event is one of the log as the server's JSON has it.
type event struct {
	Sequence int             `json:"sequence"`
	Entity   string          `json:"entity"`
	Scope    string          `json:"scope"`
	Kind     string          `json:"kind"`
	Lane     int             `json:"lane"`
	WallMS   int64           `json:"wall_ms"`
	Payload  json.RawMessage `json:"payload"`
}

func (e event) in(regions []region.Region) bool {
	return slices.ContainsFunc(regions, func(r region.Region) bool {
		return (r.Entity == "" || e.Entity == r.Entity || strings.HasPrefix(e.Entity, r.Entity+":")) && (r.Scope == "" || e.Scope == r.Scope)
	})
}

// write writes a line. encoding/json would escape what a page has to be careful with.
func (e event) write(w io.Writer) {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	_ = out.Encode(e) // to a client that has gone, or to memory
}

// A standin answers what the page asks of spillway serve, from a list of events, so that a test can stop it, restart it at its
// address and count its streams to the step.
type standin struct {
	t             *testing.T
	address       string
	token         string // "": none is asked for
	subscriptions string // what /v1/subscriptions says
	server        *http.Server

	mu      sync.Mutex
	changed chan struct{} // closed and renewed when an event or a notice comes
	events  []event
	notices []string // frames
	streams int      // EventSources that are open
	most    int      // of them at one time
	opened  int      // ever

	beforePage func() // called before a page of the log is read; nil: nothing is
}

func newStandin(t *testing.T) *standin {
	t.Helper()
	s := &standin{t: t, address: "127.0.0.1:0", changed: make(chan struct{}), subscriptions: `{"subscriptions":[],"more":false}`}
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *standin) url() string { return "http://" + s.address + "/" }

func (s *standin) start() {
	s.t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(s.t.Context(), "tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.address = l.Addr().String()
	mux := http.NewServeMux()
	mux.Handle("/", dashboard.Handler())
	mux.HandleFunc("POST /v1/session", s.session)
	mux.HandleFunc("GET /v1/activity", s.guarded(s.activity))
	mux.HandleFunc("GET /v1/log", s.guarded(s.log))
	mux.HandleFunc("GET /v1/tree", s.guarded(s.tree))
	mux.HandleFunc("GET /v1/subscriptions", s.guarded(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, s.subscriptions) }))
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func(server *http.Server) {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.t.Error(err)
		}
	}(s.server)
}

// stop cuts every connection, as kill -9 does.
func (s *standin) stop() { _ = s.server.Close() }

func (s *standin) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *standin) publish(entity, scope, payload string) {
	s.change(func() {
		s.events = append(s.events, event{len(s.events) + 1, entity, scope, "0x1:0x00a", 0, 1764061706000, json.RawMessage(payload)})
	})
}

func (s *standin) notify(name, data string) {
	s.change(func() { s.notices = append(s.notices, "event: "+name+"\ndata: "+data+"\n\n") })
}

// opens returns how many streams there were, and how many at one time.
func (s *standin) opens() (opened, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened, s.most
}

func problem(w http.ResponseWriter, status int, title string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"title":%q}`, title)
}

func (s *standin) guarded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("session"); s.token != "" && (err != nil || c.Value != "good") {
			problem(w, http.StatusUnauthorized, "a token is needed")
			return
		}
		next(w, r)
	}
}

func (s *standin) session(w http.ResponseWriter, r *http.Request) {
	if body, _ := io.ReadAll(io.LimitReader(r.Body, 100)); string(body) != s.token {
		problem(w, http.StatusForbidden, "that is not the token")
		return
	}
	http.SetCookie(w, &http.Cookie{Name: "session", Value: "good", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	w.WriteHeader(http.StatusNoContent)
}

func regions(w http.ResponseWriter, r *http.Request) (all []region.Region, ok bool) {
	for _, text := range r.URL.Query()["region"] {
		parsed, err := region.Parse(text)
		if err != nil {
			problem(w, http.StatusBadRequest, err.Error())
			return nil, false
		}
		all = append(all, parsed)
	}
	return all, true
}

// activity streams as the server's does: the header Last-Event-ID goes before from=.
func (s *standin) activity(w http.ResponseWriter, r *http.Request) {
	wanted, ok := regions(w, r)
	if !ok {
		return
	}
	s.mu.Lock()
	next, noticed := len(s.events)+1, len(s.notices)
	source := r.Header.Get("Accept") == "text/event-stream" // an EventSource; the page's fetch says nothing of the kind
	if source {
		noticed = 0 // no test has more than one page's worth
		s.opened++
		s.streams++
		s.most = max(s.most, s.streams)
	}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if source {
			s.streams--
		}
	}()
	if n, found := strings.CutPrefix(r.URL.Query().Get("from"), logID+"-"); found {
		next, _ = strconv.Atoi(n)
	}
	if n, found := strings.CutPrefix(r.Header.Get("Last-Event-ID"), logID+"-"); found {
		next, _ = strconv.Atoi(n)
		next++
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Spillway-From", fmt.Sprintf("%s-%d", logID, next))
	_, _ = io.WriteString(w, "retry: 50\n\n")
	s.stream(r.Context(), w, wanted, next, noticed)
}

func (s *standin) stream(ctx context.Context, w http.ResponseWriter, wanted []region.Region, next, noticed int) {
	stats := time.NewTicker(100 * time.Millisecond)
	defer stats.Stop()
	tick := 0
	for ctx.Err() == nil {
		s.mu.Lock()
		var frames strings.Builder
		for ; next <= len(s.events); next++ {
			if e := s.events[next-1]; e.in(wanted) {
				fmt.Fprintf(&frames, "id: %s-%d\ndata: ", logID, next)
				e.write(&frames)
				frames.WriteString("\n")
			}
		}
		for ; noticed < len(s.notices); noticed++ {
			frames.WriteString(s.notices[noticed])
		}
		changed, end := s.changed, len(s.events)+1
		s.mu.Unlock()
		at := int64(1764061706000 + 1000*tick)
		fmt.Fprintf(&frames, "event: stats\ndata: {\"at\":%d,\"live\":5,\"subscribed\":9,\"broadcasts\":%d,\"matched\":1,\"accepted\":%d,\"prunedFull\":1,\"prunedClosed\":0,"+
			"\"lost\":17,\"log\":{\"id\":\"x\",\"first\":1,\"next\":%d,\"bytes\":1},\"streams\":{\"open\":1,\"refused\":0},\"followers\":{\"catchingUp\":%d,\"live\":3,\"parked\":0,\"lag\":%d}}\n\n",
			at, 900*tick+37*(tick%5)*(tick%7), 2300*tick+91*(tick%6)*(tick%4), end, tick%3, 40*(tick%9))
		if _, err := io.WriteString(w, frames.String()); err != nil {
			return
		}
		w.(http.Flusher).Flush()
		select {
		case <-ctx.Done():
		case <-changed:
		case <-stats.C:
			tick++
		}
	}
}

// log answers pages of three, however many are asked for.
func (s *standin) log(w http.ResponseWriter, r *http.Request) {
	wanted, ok := regions(w, r)
	if !ok {
		return
	}
	from, _ := strconv.Atoi(r.URL.Query().Get("from"))
	s.mu.Lock()
	before := s.beforePage
	s.mu.Unlock()
	if before != nil {
		before()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := 0; n < 3 && from <= len(s.events); from++ {
		if e := s.events[max(from, 1)-1]; from > 0 && e.in(wanted) {
			e.write(w)
			n++
		}
	}
}

// tree answers with the entities below a prefix.
func (s *standin) tree(w http.ResponseWriter, r *http.Request) {
	type child struct {
		Name   string `json:"name"`
		Events int    `json:"events"`
		More   bool   `json:"more"`
	}
	prefix := r.URL.Query().Get("prefix")
	children := []child{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		rest := e.Entity
		if prefix != "" {
			var below bool
			if rest, below = strings.CutPrefix(rest, prefix+":"); !below {
				continue
			}
		}
		name, _, more := strings.Cut(rest, ":")
		i := slices.IndexFunc(children, func(c child) bool { return c.Name == name })
		if i < 0 {
			i = len(children)
			children = append(children, child{Name: name})
		}
		children[i].Events++
		children[i].More = children[i].More || more
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"prefix": prefix, "children": children})
}
