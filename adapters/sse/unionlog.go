package sse

import (
	"context"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// A unionLog is a Log of which one stream reads the events of several Regions at once, whatever Region it asks for. Read is one goroutine's.
type unionLog struct {
	cursor.Log
	regions []region.Region
	parts   []part
}

// A part is what was read of one Region.
type part struct {
	room, held []core.Envelope
	next       uint64
}

const (
	leastPart = 16
	mostParts = 1024 // events, of all Regions together
)

// Read merges what the Log has of each Region, as far as all of them were read.
func (l *unionLog) Read(ctx context.Context, _ region.Region, from uint64, dst []core.Envelope) (n int, next uint64, err error) {
	if len(dst) == 0 {
		return 0, from, nil
	}
	if l.parts == nil {
		l.parts = make([]part, len(l.regions))
	}
	for i := range l.parts {
		p := &l.parts[i]
		room := p.sized(min(len(dst), max(leastPart, mostParts/len(l.regions))))
		k, to, err := l.Log.Read(ctx, l.regions[i], from, room)
		if err != nil {
			return 0, from, err
		}
		p.held, p.next = room[:k], to
		if i == 0 || to < next {
			next = to
		}
	}
	for n < len(dst) {
		first := l.earliest()
		if first == nil || first.held[0].Sequence >= next {
			if n == 0 {
				l.parts = nil // it is quiet
			}
			return n, next, nil
		}
		e := first.held[0]
		dst[n] = e
		n++
		for i := range l.parts {
			if p := &l.parts[i]; len(p.held) > 0 && p.held[0].Sequence == e.Sequence {
				p.held = p.held[1:]
			}
		}
	}
	return n, dst[n-1].Sequence + 1, nil
}

// sized returns room for n events, which keeps alive nothing of what was read before.
func (p *part) sized(n int) []core.Envelope {
	if len(p.room) != n {
		p.room = make([]core.Envelope, n)
	}
	clear(p.room)
	return p.room
}

// earliest returns the part that holds the first event; nil where none holds one.
func (l *unionLog) earliest() (first *part) {
	for i := range l.parts {
		if p := &l.parts[i]; len(p.held) > 0 && (first == nil || p.held[0].Sequence < first.held[0].Sequence) {
			first = p
		}
	}
	return first
}
