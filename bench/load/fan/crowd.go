package fan

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	longest = int64(time.Minute) // a latency is at most this
	digits  = 2                  // that count in a recorded latency, as in bench.Latency
)

// A Crowd is the clients of a server, and what they still have to get. Its methods may be called from any goroutine; each holds mu for
// a few steps.
type Crowd struct {
	start time.Time

	mu        sync.Mutex
	groups    []group
	owed      int // deliveries that are still to come
	delivered uint64
	latencies *hdrhistogram.Histogram
	idle      chan struct{} // closed when nothing is owed; nil while nobody waits
	failed    chan struct{} // closed when err is set
	err       error
}

type group struct {
	next    uint64 // the number of its next event
	members int
}

// NewCrowd returns a Crowd of so many groups, without members yet.
func NewCrowd(groups int) *Crowd {
	return &Crowd{
		start: time.Now(), groups: make([]group, groups),
		latencies: hdrhistogram.New(1, longest, digits), failed: make(chan struct{}),
	}
}

// A Member is one client. It is its goroutine's.
type Member struct {
	crowd *Crowd
	group int
	next  uint64 // the number that it has to get next
}

// Join returns a Member of a group that gets what is made from now on. The server has to know of it already.
func (c *Crowd) Join(group int) *Member {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.groups[group].members++
	return &Member{crowd: c, group: group, next: c.groups[group].next}
}

// Leave lets a Member go that is owed nothing.
func (m *Member) Leave() {
	m.crowd.mu.Lock()
	defer m.crowd.mu.Unlock()
	m.crowd.groups[m.group].members--
}

// Got takes an event of the Member's group out of what has come. What isn't the one that it has to get is an error, which is the
// Crowd's from then on.
func (m *Member) Got(text []byte) error {
	now := time.Since(m.crowd.start)
	e, err := Read(text)
	if err == nil && e.N != m.next {
		err = fmt.Errorf("a client of group %d got event %d where %d was to come", m.group, e.N, m.next)
	}
	if err != nil {
		m.crowd.Fail(err)
		return err
	}
	m.next++
	c := m.crowd
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.latencies.RecordValue(max(1, min(int64(now-e.Due), longest))) // its only error is a value beyond
	c.delivered++
	if c.owed--; c.owed == 0 && c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
	return nil
}

// Make makes the next event of a group, which all its members are owed from then on. Events of one group are sent in this order.
func (c *Crowd) Make(group int, due time.Duration, size int) []byte {
	c.mu.Lock()
	g := &c.groups[group]
	n := g.next
	g.next++
	c.owed += g.members
	c.mu.Unlock()
	return appendEvent(nil, Event{N: n, Due: due}, size)
}

// Now is the Crowd's clock.
func (c *Crowd) Now() time.Duration { return time.Since(c.start) }

// Fail ends every Await with what went wrong. The first counts.
func (c *Crowd) Fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
		close(c.failed)
	}
}

// Failed is closed when something went wrong.
func (c *Crowd) Failed() <-chan struct{} { return c.failed }

// Err is what went wrong; nil while nothing did.
func (c *Crowd) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Await returns when every member has everything, or with what went wrong.
func (c *Crowd) Await(ctx context.Context, patience time.Duration) error {
	c.mu.Lock()
	if c.owed == 0 {
		defer c.mu.Unlock()
		return c.err
	}
	if c.idle == nil {
		c.idle = make(chan struct{})
	}
	idle := c.idle
	c.mu.Unlock()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-idle:
		return c.Err()
	case <-c.failed:
		return c.Err()
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-late.C:
		c.mu.Lock()
		defer c.mu.Unlock()
		return fmt.Errorf("%d deliveries have not come within %v", c.owed, patience)
	}
}

// Take returns the latencies and the number of deliveries since the last Take.
func (c *Crowd) Take() (*hdrhistogram.Histogram, uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken, n := c.latencies, c.delivered
	c.latencies, c.delivered = hdrhistogram.New(1, longest, digits), 0
	return taken, n
}

// Members is how many there are.
func (c *Crowd) Members() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, g := range c.groups {
		n += g.members
	}
	return n
}
