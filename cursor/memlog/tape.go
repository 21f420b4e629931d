package memlog

import "github.com/spillwayhq/spillway/core"

// A tape is the events that are kept, in chunks, so that what is added moves nothing and what is dropped is given back.
//
//	chunks     [ x x x 3 4 ]  [ 5 6 7 8 9 ]  [ 10 11 . . . ]
//	sequence           ^ first                        ^ next
//
// x was dropped, and is zero.
type tape struct {
	chunks      []*chunk
	first, next uint64
}

const chunkSize = 256

type chunk struct {
	events [chunkSize]core.Envelope
	owners [chunkSize]*entity // whose each event is
}

func (t *tape) count() int { return int(t.next - t.first) }

// place returns where the event of a sequence is that is kept, or, for next, where it is going to be.
func (t *tape) place(seq uint64) (c *chunk, at int) {
	base := t.first - t.first%chunkSize
	return t.chunks[(seq-base)/chunkSize], int(seq % chunkSize)
}

// event returns the event of a sequence that is kept.
func (t *tape) event(seq uint64) *core.Envelope {
	c, at := t.place(seq)
	return &c.events[at]
}

// push adds the event at next.
func (t *tape) push(e *core.Envelope, owner *entity) {
	if t.next%chunkSize == 0 {
		t.chunks = append(t.chunks, new(chunk))
	}
	c, at := t.place(t.next)
	c.events[at], c.owners[at] = *e, owner
	t.next++
}

// pop drops the first event.
func (t *tape) pop() {
	c, at := t.place(t.first)
	c.events[at], c.owners[at] = core.Envelope{}, nil
	t.first++
	if t.first%chunkSize == 0 {
		t.chunks[0] = nil
		t.chunks = t.chunks[1:]
	}
}

// copyTo fills dst with the events from a sequence on, and returns how many there were.
func (t *tape) copyTo(dst []core.Envelope, from uint64) (n int) {
	for n < len(dst) && from < t.next {
		c, at := t.place(from)
		run := min(chunkSize-at, int(min(t.next-from, chunkSize)))
		n1 := copy(dst[n:], c.events[at:at+run])
		n, from = n+n1, from+uint64(n1)
	}
	return n
}
