package sse

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"

	"github.com/spillwayhq/spillway/region"
)

// A Handler streams events to any number of clients. It comes from NewHandler. Each stream runs on its request's goroutine; one
// with notices has another, which ends with it.
type Handler struct {
	o   Options
	log string // the log's identity as it stands in ids; "" without a log

	mu       sync.Mutex // held for a few steps; nobody waits while holding it
	streams  map[*stream]struct{}
	clients  map[string]int // how many streams each has
	stopping bool
	idle     chan struct{} // closed when no stream is left after Shutdown; nil before
	stats    Stats
}

// NewHandler returns a Handler, or an error that says which option is at fault.
func NewHandler(o Options) (*Handler, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	h := &Handler{o: o, streams: make(map[*stream]struct{}), clients: make(map[string]int)}
	if o.Log != nil {
		h.log = shortID(o.Log.ID())
	}
	return h, nil
}

// ServeHTTP answers GET with a stream, and HEAD with the headers of one. It returns when the stream has ended.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	regions, at, p := h.read(r)
	if p != nil {
		h.refuse(w, p)
		return
	}
	if r.Method == http.MethodHead {
		setHeaders(w.Header())
		return
	}
	if p := h.carries(w, r); p != nil {
		h.refuse(w, p)
		return
	}
	s, p := h.admit(w, r)
	if p != nil {
		h.refuse(w, p)
		return
	}
	defer h.leave(s)
	if p := s.begin(regions, at); p != nil {
		h.refuse(w, p)
		return
	}
	s.run()
}

// read returns what a request asks for, or why it can't be had by anybody.
func (h *Handler) read(r *http.Request) ([]region.Region, place, *problem) {
	if p := wellFormed(r); p != nil {
		return nil, place{}, p
	}
	regions, err := h.o.Select(r)
	if errors.Is(err, errParameter) {
		return nil, place{}, newProblem(http.StatusBadRequest, "query", "The query can't be read", err.Error())
	}
	if err != nil {
		return nil, place{}, newProblem(http.StatusBadRequest, "region", "The region can't be read", err.Error())
	}
	regions, p := h.bounded(regions)
	if p != nil {
		return nil, place{}, p
	}
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil { // who selects may not have looked
		return nil, place{}, newProblem(http.StatusBadRequest, "query", "The query can't be read", err.Error())
	}
	at, err := readPlace(r, q)
	if err != nil {
		return nil, place{}, newProblem(http.StatusBadRequest, "place", "The place to begin at can't be read", err.Error())
	}
	return regions, at, nil
}

// Shutdown ends every stream, with an event that says where to resume, and waits until all have gone, or ctx is over: then it
// returns its cause. Who comes from now on is answered 503. A stream whose client reads nothing goes within WriteTimeout, or when its
// connection is closed: call Shutdown before that of the http.Server, which waits for streams, and Close afterwards.
func (h *Handler) Shutdown(ctx context.Context) error {
	h.mu.Lock()
	if !h.stopping {
		h.stopping, h.idle = true, make(chan struct{})
		if len(h.streams) == 0 {
			close(h.idle)
		}
		for s := range h.streams {
			s.pause.ring()
		}
	}
	idle := h.idle
	h.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// stopped tells whether Shutdown was called.
func (h *Handler) stopped() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.stopping
}
