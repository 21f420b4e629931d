package server

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spillwayhq/spillway/adapters/debug"
	"github.com/spillwayhq/spillway/cmd/spillway/internal/dashboard"
	"github.com/spillwayhq/spillway/cmd/spillway/internal/problem"
)

// A route is one method of one path.
type route struct {
	method, path string
	need         rights // to be asked; 0: none
	handle       http.HandlerFunc
	how          manner
}

// A manner is how a route answers.
type manner uint8

const (
	small manner = iota // soon, and in little room
	large               // from memory that it takes as long as the client takes to take it: so many at a time
	slow                // it sets its deadlines itself
)

func (s *Server) routes() []route {
	page := dashboard.Handler().ServeHTTP
	return []route{
		{"POST", "/v1/events", mayWrite, s.postEvents, slow},
		{"GET", "/v1/events", mayRead, s.stream, slow},
		{"GET", activityPath, mayRead, s.stream, slow},
		{"GET", "/v1/log", mayRead, s.getLog, large},
		{"GET", "/v1/subscriptions", mayRead, s.getSubscriptions, large},
		{"DELETE", "/v1/subscriptions/{id}", mayWrite, s.deleteSubscription, small},
		{"GET", "/v1/tree", mayRead, s.getTree, large},
		{"GET", "/v1/session", 0, s.getSession, small},
		{"POST", "/v1/session", 0, s.postSession, small},
		{"DELETE", "/v1/session", 0, s.deleteSession, small},
		{"GET", "/v1/openapi.json", 0, getOpenAPI, small},
		{"GET", "/healthz", 0, s.getHealth, small},
		{"GET", "/readyz", 0, s.getReady, small},
		{"GET", "/metrics", mayRead, s.getMetrics(), small},
		{"GET", "/debug/spillway", mayRead, debug.Handler(s.fanout).ServeHTTP, large},
		{"GET", "/{$}", 0, page, small},
		{"GET", "/assets/", 0, page, small},
	}
}

// handler is all that a request goes through.
func (s *Server) handler() http.Handler {
	paths := make(map[string]map[string]route)
	for _, r := range s.routes() {
		if paths[r.path] == nil {
			paths[r.path] = make(map[string]route)
		}
		paths[r.path][r.method] = r
		if r.method == http.MethodGet {
			paths[r.path][http.MethodHead] = r
		}
	}
	mux := http.NewServeMux()
	for path, methods := range paths {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			route, found := methods[r.Method]
			if !found {
				notAllowed(w, methods)
				return
			}
			s.requests.on(r, route)
			s.serve(w, r, route)
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		problem.New(http.StatusNotFound, "path", "There is nothing here. GET /v1/openapi.json says what there is.").Write(w)
	})
	return s.requests.watch(s.o.Logger, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("X-Frame-Options", "DENY")
		control := http.NewResponseController(w)
		_ = control.SetWriteDeadline(time.Now().Add(s.o.Bounds.Write)) // what is left of the request before is another's
		if r.ContentLength != 0 {                                      // also for who is refused: net/http reads some of the body before it answers
			_ = control.SetReadDeadline(time.Now().Add(s.o.Bounds.Body))
		}
		p := s.hosts.check(r)
		if p == nil {
			p = s.clients.admit(r)
		}
		if p != nil {
			refuse(w, r, p)
			return
		}
		mux.ServeHTTP(w, r)
	}))
}

func notAllowed(w http.ResponseWriter, methods map[string]route) {
	var names []string
	for name := range methods {
		names = append(names, name)
	}
	slices.Sort(names)
	w.Header().Set("Allow", strings.Join(names, ", "))
	problem.New(http.StatusMethodNotAllowed, "method", "That path takes %s.", strings.Join(names, ", ")).Write(w)
}

// serve has a request answered by its route, if it may be.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, to route) {
	r, done := s.permit(w, r, to.need)
	if r == nil {
		return
	}
	defer done()
	control := http.NewResponseController(w)
	if to.how == slow && r.Method != http.MethodPost && r.ContentLength != 0 {
		problem.New(http.StatusBadRequest, "body", "A stream takes no body. Say what you want in the query.").Write(w)
		return
	}
	switch to.how {
	case slow: // by HTTP/2 a deadline that passes ends a stream, also where nothing is being written
		_ = control.SetWriteDeadline(time.Time{})
	case large:
		end, p := s.clients.begin(r)
		if p != nil {
			p.Write(w)
			return
		}
		defer end()
	case small:
	}
	to.handle(w, r)
}
