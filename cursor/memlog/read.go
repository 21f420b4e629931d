package memlog

import (
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/region"
)

// read copies events of r, from a sequence on, that is kept, into dst, and returns how many, and where to go on. A reader's lock
// is held.
func (l *Log) read(r region.Region, from uint64, dst []core.Envelope) (n int, next uint64) {
	c := l.index.choose(r, from)
	if !c.found {
		return l.scan(r, from, dst)
	}
	seqs := c.seqs[:min(len(c.seqs), maxTested)]
	anything := c.rest == (region.Region{})
	for _, seq := range seqs {
		e := l.tape.event(seq)
		if !anything && !cursor.Selects(&c.rest, &e.Notification) {
			continue
		}
		dst[n] = *e
		if n++; n == len(dst) {
			return n, seq + 1
		}
	}
	if len(seqs) < len(c.seqs) {
		return n, c.seqs[len(seqs)]
	}
	return n, l.tape.next
}

// scan is read without a list.
func (l *Log) scan(r region.Region, from uint64, dst []core.Envelope) (n int, next uint64) {
	end := min(l.tape.next, from+maxTested)
	for next = from; next < end && n < len(dst); next++ {
		if e := l.tape.event(next); cursor.Selects(&r, &e.Notification) {
			dst[n] = *e
			n++
		}
	}
	return n, next
}
