package server

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync/atomic"

	prom "github.com/prometheus/client_golang/prometheus"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/problem"
)

// requests counts what is asked and how it is answered, by route and class: so many series, whatever clients send.
type requests struct {
	// panics are those of handlers, recovered.
	//   written by: a request's goroutine; by Add
	//   read by:    a scrape
	//   order:      none needed: a figure
	panics atomic.Uint64

	counts *prom.CounterVec
}

// other is the route of a request that has none.
const other = "other"

func newRequests() *requests {
	return &requests{counts: prom.NewCounterVec(prom.CounterOpts{
		Name: "spillway_http_requests_total", Help: "Requests answered, by route and class of status.",
	}, []string{"route", "class"})}
}

// A response is what was answered, and to which route. What it hides it has Unwrap for.
type response struct {
	http.ResponseWriter
	route  string
	status int
}

func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *response) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

type responseKey struct{}

// on says which route a request is on.
func (q *requests) on(r *http.Request, to route) {
	if w, ok := r.Context().Value(responseKey{}).(*response); ok {
		w.route = to.method + " " + to.path
	}
}

// watch counts requests, and recovers what panics: it is answered with 500 where nothing was yet, and else cut off.
func (q *requests) watch(logger *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(to http.ResponseWriter, r *http.Request) {
		w := &response{ResponseWriter: to, route: other}
		defer func() {
			what := recover()
			if what != nil && what != http.ErrAbortHandler { //nolint:errorlint // it is panicked with as it is
				q.panics.Add(1)
				logger.Error("a handler panicked", "route", w.route, "panic", what, "stack", string(debug.Stack()))
				if w.status == 0 {
					problem.New(http.StatusInternalServerError, "panic", "The server has a fault, which is in its log. What was not answered may be sent again.").Write(w)
					what = nil
				}
			}
			q.counts.WithLabelValues(w.route, class(w.status)).Inc()
			if what != nil {
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), responseKey{}, w)))
	})
}

func class(status int) string {
	switch {
	case status >= 500:
		return "5xx"
	case status >= 400:
		return "4xx"
	case status >= 300:
		return "3xx"
	case status >= 200:
		return "2xx"
	}
	return "none" // it was cut off
}
