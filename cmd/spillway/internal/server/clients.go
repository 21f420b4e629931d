package server

import (
	"container/list"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/spillwayhq/spillway/cmd/spillway/internal/problem"
)

// clients is what is known of those who make requests: so much, and no more. Who has not come for longest is forgotten, unless it
// has something under way.
type clients struct {
	b Bounds

	mu        sync.Mutex // held for a few steps
	byAddress map[string]*list.Element
	order     list.List // of *client, who came last first
	answers   int       // of all
}

// A client is an address, of IPv6 the network.
type client struct {
	address string
	rate    *rate.Limiter
	ingests int           // under way
	answers int           // that are made in memory, and not sent yet
	shapes  map[shape]int // by how many of its streams each is asked for
}

func newClients(b Bounds) *clients {
	return &clients{b: b, byAddress: make(map[string]*list.Element)}
}

// address tells clients apart by where they come from. Whoever has an IPv6 address has 2^64 of them.
func address(r *http.Request) string {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	a := from.Addr().Unmap().WithZone("")
	if a.Is6() {
		if net, err := a.Prefix(64); err == nil {
			return net.String()
		}
	}
	return a.String()
}

// of returns the client at an address. mu is held.
func (c *clients) of(address string) *client {
	if e := c.byAddress[address]; e != nil {
		c.order.MoveToFront(e)
		return e.Value.(*client)
	}
	for e := c.order.Back(); e != nil && c.order.Len() >= c.b.Clients; {
		old, before := e.Value.(*client), e.Prev()
		if old.ingests == 0 && old.answers == 0 && len(old.shapes) == 0 {
			c.order.Remove(e)
			delete(c.byAddress, old.address)
		}
		e = before
	}
	n := &client{address: address, rate: rate.NewLimiter(rate.Limit(c.b.Rate), int(max(1, c.b.Rate))), shapes: make(map[shape]int)}
	c.byAddress[address] = c.order.PushFront(n)
	return n
}

// admit counts a request, and refuses it where there were too many.
func (c *clients) admit(r *http.Request) *problem.Problem {
	c.mu.Lock()
	limiter := c.of(address(r)).rate
	c.mu.Unlock()
	now := time.Now()
	asked := limiter.ReserveN(now, 1)
	wait := asked.DelayFrom(now)
	if wait <= 0 {
		return nil
	}
	asked.CancelAt(now)
	return problem.New(http.StatusTooManyRequests, "rate",
		"That is more than %g requests a second. Send more events in one request.", c.b.Rate).After(wait)
}

// begin lets somebody have an answer that is made in memory before it is sent, as a page of the log is, or says why not now: who is slow to
// take one holds it up to the end of Bounds.Write.
func (c *clients) begin(r *http.Request) (end func(), p *problem.Problem) {
	c.mu.Lock()
	defer c.mu.Unlock()
	of := c.of(address(r))
	switch {
	case of.answers >= c.b.AnswersPerClient:
		return nil, problem.New(http.StatusTooManyRequests, "answers", "This client has %d answers on the way, which is the most. Take those first.", of.answers).After(retry)
	case c.answers >= c.b.Answers:
		return nil, problem.New(http.StatusServiceUnavailable, "busy", "There are %d answers on the way, which is the most. Try again.", c.answers).After(retry)
	}
	of.answers++
	c.answers++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		of.answers--
		c.answers--
	}, nil
}

func (c *clients) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.order.Len()
}
