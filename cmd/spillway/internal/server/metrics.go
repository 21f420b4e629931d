package server

import (
	"net/http"

	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/spillwayhq/spillway/adapters/prometheus"
	"github.com/spillwayhq/spillway/cmd/spillway/internal/problem"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
)

// registry has all that is shown at /metrics. Its labels have values that are known before: no client can add any.
func (s *Server) registry() *prom.Registry {
	sources := prometheus.Sources{
		Fanouts:   []core.Source{s.fanout},
		Journals:  []cursor.JournalSource{s.journal},
		Followers: []*prometheus.Followers{s.followers},
	}
	if l, ok := s.o.Log.(cursor.LogSource); ok {
		sources.Logs = map[string]cursor.LogSource{Name: l}
	}
	r := prom.NewRegistry()
	r.MustRegister(sources.Collector(), s.requests.counts, edge{s},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// mostScrapes is how many there are at a time: each looks at every follower.
const mostScrapes = 4

// getMetrics answers a scrape.
func (s *Server) getMetrics() http.HandlerFunc {
	scrape := promhttp.HandlerFor(s.registry(), promhttp.HandlerOpts{})
	under := make(chan struct{}, mostScrapes)
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case under <- struct{}{}:
			defer func() { <-under }()
			scrape.ServeHTTP(w, r)
		default:
			problem.New(http.StatusServiceUnavailable, "busy", "There are %d scrapes under way, which is the most. Try again.", mostScrapes).After(retry).Write(w)
		}
	}
}

// edge collects what the Server itself counts.
type edge struct{ s *Server }

type figure struct {
	desc *prom.Desc
	kind prom.ValueType
	of   func(*Server) float64
}

func counterOf(name, help string, of func(*Server) float64) figure {
	return figure{prom.NewDesc(name, help, nil, nil), prom.CounterValue, of}
}

func gaugeOf(name, help string, of func(*Server) float64) figure {
	return figure{prom.NewDesc(name, help, nil, nil), prom.GaugeValue, of}
}

var edges = []figure{
	counterOf("spillway_http_panics_total", "Panics of handlers, recovered.", func(s *Server) float64 { return float64(s.requests.panics.Load()) }),
	gaugeOf("spillway_http_ingests", "Requests with events under way.", func(s *Server) float64 {
		open, _ := s.ingests.figures()
		return float64(open)
	}),
	counterOf("spillway_http_ingests_refused_total", "Requests with events that were refused: too many, or stopping.", func(s *Server) float64 {
		_, refused := s.ingests.figures()
		return float64(refused)
	}),
	gaugeOf("spillway_http_sessions", "Sessions of browsers.", func(s *Server) float64 { return float64(s.sessions.count()) }),
	gaugeOf("spillway_http_clients", "Addresses of which something is known.", func(s *Server) float64 { return float64(s.clients.count()) }),
	gaugeOf("spillway_tree_names", "Names that the tree of entities holds.", func(s *Server) float64 { return float64(s.tree.size(s.o.Bounds.Names)) }),
	gaugeOf("spillway_sse_streams", "Streams that are open.", func(s *Server) float64 { return float64(s.streams.Stats().Open) }),
	counterOf("spillway_sse_opened_total", "Streams begun.", func(s *Server) float64 { return float64(s.streams.Stats().Opened) }),
	counterOf("spillway_sse_refused_total", "Requests for a stream that were refused.", func(s *Server) float64 {
		stats := s.streams.Stats()
		return float64(stats.RefusedFull + stats.RefusedClient + stats.RefusedBad)
	}),
	counterOf("spillway_sse_events_total", "Events sent by streams that have ended.", func(s *Server) float64 { return float64(s.streams.Stats().Events) }),
	counterOf("spillway_sse_bytes_total", "Bytes sent by streams that have ended.", func(s *Server) float64 { return float64(s.streams.Stats().Bytes) }),
	counterOf("spillway_sse_stuck_total", "Streams ended since their client took nothing.", func(s *Server) float64 { return float64(s.streams.Stats().Stuck) }),
	counterOf("spillway_sse_gaps_total", "How often a client was told that events were dropped.", func(s *Server) float64 { return float64(s.streams.Stats().Gaps) }),
}

// Describe sends what metrics there are.
func (e edge) Describe(to chan<- *prom.Desc) {
	for _, f := range edges {
		to <- f.desc
	}
}

// Collect sends the figures.
func (e edge) Collect(to chan<- prom.Metric) {
	for _, f := range edges {
		to <- prom.MustNewConstMetric(f.desc, f.kind, f.of(e.s))
	}
}
