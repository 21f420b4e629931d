package sse

import (
	"fmt"
	"net/http"
)

// admit lets a stream in, or says why not now.
func (h *Handler) admit(w http.ResponseWriter, r *http.Request) (*stream, *problem) {
	client := h.o.Client(r)
	s := newStream(h, w, r, client)
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.stopping:
		return nil, newProblem(http.StatusServiceUnavailable, "stopping", "The server is stopping", "come back when it has started again").again(h.o.Retry)
	case len(h.streams) >= h.o.Streams:
		return nil, newProblem(http.StatusServiceUnavailable, "streams", "Too many streams",
			fmt.Sprintf("there are %d streams, which is the most", len(h.streams))).again(h.o.Retry)
	case h.clients[client] >= h.o.StreamsPerClient:
		return nil, newProblem(http.StatusTooManyRequests, "client", "Too many streams of one client",
			fmt.Sprintf("this client has %d streams, which is the most; share one between tabs", h.clients[client])).again(h.o.Retry)
	}
	h.streams[s] = struct{}{}
	h.clients[client]++
	h.stats.Opened++
	return s, nil
}

// leave lets a stream go, however it ended.
func (h *Handler) leave(s *stream) {
	s.cancel()
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.streams, s)
	if h.clients[s.client]--; h.clients[s.client] == 0 {
		delete(h.clients, s.client)
	}
	s.count(&h.stats)
	if h.stopping && len(h.streams) == 0 {
		close(h.idle)
	}
}

// refuse answers a request that gets no stream.
func (h *Handler) refuse(w http.ResponseWriter, p *problem) {
	h.mu.Lock()
	switch p.Status {
	case http.StatusServiceUnavailable:
		h.stats.RefusedFull++
	case http.StatusTooManyRequests:
		h.stats.RefusedClient++
	default:
		h.stats.RefusedBad++
	}
	h.mu.Unlock()
	if p.Status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", "GET, HEAD")
	}
	p.write(w)
}
