package server

import (
	"net/http"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/problem"
)

type health struct {
	Status string `json:"status"`
}

// getHealth says that the process answers.
func (s *Server) getHealth(w http.ResponseWriter, _ *http.Request) { answer(w, health{"ok"}) }

// getReady says whether events are taken and given out.
func (s *Server) getReady(w http.ResponseWriter, r *http.Request) {
	if s.ingests.stops() {
		stopped().Write(w)
		return
	}
	if err := s.failed(r.Context()); err != nil {
		problem.New(http.StatusServiceUnavailable, "failed", "The log takes nothing more until the server is started again.").Write(w)
		return
	}
	answer(w, health{"ready"})
}
