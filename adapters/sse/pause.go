package sse

import (
	"context"
	"sync"
	"time"
)

// A pause is how a stream's writer waits: until a deadline, until somebody rings, or until the stream is over. Contexts for it
// are made as seldom as that comes, and not for each event.
type pause struct {
	own context.Context

	mu     sync.Mutex
	rang   bool // and the writer has not answered
	wait   context.Context
	cancel context.CancelFunc
}

// ring has the writer stop waiting, now or the next time. It may be called from any goroutine.
func (p *pause) ring() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rang = true
	if p.cancel != nil {
		p.cancel()
	}
}

// answer tells whether somebody has rung, once. Whoever rings afterwards ends the next wait.
func (p *pause) answer() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	rang := p.rang
	p.rang = false
	return rang
}

// until returns the context to wait under: one that ends at t, or before.
func (p *pause) until(t time.Time) context.Context {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wait != nil && (p.wait.Err() == nil || p.rang) {
		return p.wait
	}
	if p.cancel != nil {
		p.cancel()
	}
	p.wait, p.cancel = context.WithDeadline(p.own, t)
	if p.rang {
		p.cancel()
	}
	return p.wait
}

// over tells whether the wait is.
func (p *pause) over() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.wait != nil && p.wait.Err() != nil
}

// stop gives back what a wait takes.
func (p *pause) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cancel != nil {
		p.cancel()
	}
}
