package server

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/problem"
)

// ingests are the requests under way that bring events.
type ingests struct {
	b       Bounds
	clients *clients

	mu       sync.Mutex // before clients.mu
	all      map[*http.ResponseController]struct{}
	stopping bool
	idle     chan struct{} // closed when none is left after stop
	refused  uint64
}

func newIngests(b Bounds, c *clients) *ingests {
	return &ingests{b: b, clients: c, all: make(map[*http.ResponseController]struct{}), idle: make(chan struct{})}
}

// retry is when to come again.
const retry = time.Second

// stopped is what a request is told when the server is stopping.
func stopped() *problem.Problem {
	return problem.New(http.StatusServiceUnavailable, "stopping",
		"The server is stopping. Send the rest when it has started again; what has an id may be sent twice.").After(retry)
}

// enter lets a request in, or says why not now.
func (i *ingests) enter(r *http.Request, control *http.ResponseController) (leave func(), p *problem.Problem) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if p := i.refusal(r); p != nil {
		i.refused++
		return nil, p
	}
	i.clients.mu.Lock()
	of := i.clients.of(address(r))
	of.ingests++
	i.clients.mu.Unlock()
	i.all[control] = struct{}{}
	return func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		delete(i.all, control)
		i.clients.mu.Lock()
		of.ingests--
		i.clients.mu.Unlock()
		if i.stopping && len(i.all) == 0 {
			close(i.idle)
		}
	}, nil
}

// refusal says why a request is not let in; nil where it is. mu is held.
func (i *ingests) refusal(r *http.Request) *problem.Problem {
	i.clients.mu.Lock()
	own := i.clients.of(address(r)).ingests
	i.clients.mu.Unlock()
	switch {
	case i.stopping:
		return stopped()
	case own >= i.b.IngestsPerClient:
		return problem.New(http.StatusTooManyRequests, "ingests",
			"This client has %d requests with events under way, which is the most. Send more events in one.", own).After(retry)
	case len(i.all) >= i.b.Ingests:
		return problem.New(http.StatusServiceUnavailable, "busy",
			"There are %d requests with events under way, which is the most. Try again.", len(i.all)).After(retry)
	}
	return nil
}

// deadline sets until when a request's body may take, unless the server is stopping: then it has to end.
func (i *ingests) deadline(control *http.ResponseController, d time.Duration) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.stopping {
		d = 0
	}
	return control.SetReadDeadline(time.Now().Add(d))
}

func (i *ingests) stops() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.stopping
}

// stop lets nobody in, has those end who wait for more of a body, and waits until all have, or ctx is over.
func (i *ingests) stop(ctx context.Context) error {
	i.mu.Lock()
	if !i.stopping {
		i.stopping = true
		if len(i.all) == 0 {
			close(i.idle)
		}
		for control := range i.all {
			_ = control.SetReadDeadline(time.Now()) // what can't be told ends with its connection
		}
	}
	i.mu.Unlock()
	select {
	case <-i.idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// figures returns how many are under way, and how many were refused.
func (i *ingests) figures() (open int, refused uint64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.all), i.refused
}
