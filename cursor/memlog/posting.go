package memlog

import "slices"

// A posting is the sequences of the events kept that have something in common, in order. They are added at the end
// and dropped from the beginning, and what it takes is in proportion to what it holds.
type posting struct {
	seqs []uint64 // those before head were dropped
	head int
}

// leastKept is how many sequences a posting may have room for however few it holds.
const leastKept = 8

func (p *posting) count() int { return len(p.seqs) - p.head }

func (p *posting) push(seq uint64) { p.seqs = append(p.seqs, seq) }

// pop drops the first. Whatever it copies, it has dropped as many since it copied last.
func (p *posting) pop() {
	p.head++
	switch {
	case p.head == len(p.seqs) && cap(p.seqs) <= leastKept:
		p.seqs, p.head = p.seqs[:0], 0
	case p.head == len(p.seqs):
		p.seqs, p.head = nil, 0
	case p.head > leastKept && p.head >= len(p.seqs)/2:
		p.seqs, p.head = slices.Clone(p.seqs[p.head:]), 0
	}
}

// from returns those from seq on.
func (p *posting) from(seq uint64) []uint64 {
	kept := p.seqs[p.head:]
	at, _ := slices.BinarySearch(kept, seq)
	return kept[at:]
}
