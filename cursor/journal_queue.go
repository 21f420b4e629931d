package cursor

import (
	"context"
	"time"

	"github.com/spillwayhq/spillway/core"
)

// A pending is a batch that somebody appends. It goes one way, under Journal.mu:
//
//	new --enqueue--> queued --take--> underWay --settle--> settled
//	new, queued --leave, Close, a failure--> settled
//
// While it is new or queued it is its appender's and the line's; once it is settled nobody writes to it but the one who settled
// it, which is before done is told.
type pending struct {
	prev, next *pending // in the line

	ds    []Draft // until it is under way
	n     int     // how many
	bytes int     // of their Payloads
	since time.Time
	state state

	made []core.Envelope
	err  error

	done  chan struct{} // told when made and err are there: a token, or closed where async
	async bool
	stop  func() bool // ends the watch of the context, where async; nil: none
}

type state uint8

const (
	fresh state = iota
	queued
	underWay
	settled
)

// tell tells appenders that they have their answers. Whoever is told may use its pending again at once.
func tell(ps []*pending) {
	for _, p := range ps {
		if !p.async {
			p.done <- struct{}{}
			continue
		}
		if p.stop != nil {
			p.stop()
		}
		close(p.done)
	}
}

// A line is a queue that can be left from the middle.
type line struct {
	first, last *pending
	batches     int
	events      int
	bytes       int
}

func (l *line) push(p *pending) {
	p.state = queued
	if p.prev = l.last; p.prev == nil {
		l.first = p
	} else {
		p.prev.next = p
	}
	l.last = p
	l.batches++
	l.events += p.n
	l.bytes += p.bytes
}

func (l *line) remove(p *pending) {
	if p.prev == nil {
		l.first = p.next
	} else {
		p.prev.next = p.next
	}
	if p.next == nil {
		l.last = p.prev
	} else {
		p.next.prev = p.prev
	}
	p.prev, p.next = nil, nil
	l.batches--
	l.events -= p.n
	l.bytes -= p.bytes
}

// takeAll empties the line, everybody in it being refused, to be told.
func (l *line) takeAll(err error) (ps []*pending) {
	for l.first != nil {
		p := l.first
		l.remove(p)
		p.state, p.err, p.ds = settled, err, nil
		ps = append(ps, p)
	}
	return ps
}

// enqueue lets a batch in, or says why not.
func (j *Journal) enqueue(p *pending) error {
	j.mu.Lock()
	first := j.line.first == nil
	var err error
	switch {
	case j.failed != nil:
		err = j.failed
	case j.closing:
		err = ErrJournalClosed
	case p.state == settled: // its context was quicker, and it is counted
		j.mu.Unlock()
		return p.err
	case p.async && !first && (max(j.line.events+p.n, j.line.batches+1) > j.o.MaxQueued || j.line.bytes+p.bytes > j.o.MaxQueuedBytes):
		err = ErrJournalFull
	default:
		j.line.push(p)
	}
	if err != nil {
		j.stats.Refused++
	}
	j.mu.Unlock()
	if err == nil && first { // else somebody has, and the writer hasn't slept since
		j.rouse()
	}
	return err
}

// leave takes a batch out, where that is still possible, and returns queued; otherwise the state it is in.
func (j *Journal) leave(p *pending, why error) state {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch p.state {
	case fresh:
	case queued:
		j.line.remove(p)
	default:
		return p.state
	}
	p.state, p.err, p.ds = settled, why, nil
	j.stats.Refused++
	return queued
}

// A Future is an Append under way. Its methods may be called by any number of goroutines at once.
type Future struct{ p *pending }

// Done is closed when the outcome is there.
func (f *Future) Done() <-chan struct{} { return f.p.done }

// Wait returns what Append would have. Where ctx ends first it returns ctx's cause; that takes nothing back.
func (f *Future) Wait(ctx context.Context) ([]core.Envelope, error) {
	select {
	case <-f.p.done:
		return f.p.made, f.p.err
	default:
	}
	select {
	case <-f.p.done:
		return f.p.made, f.p.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
