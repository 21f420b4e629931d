package memlog

import "github.com/spillwayhq/spillway/region"

// OpenAt is New by another wall clock, which may go back.
var OpenAt = open

// Room returns for how many events there is memory, and for how many sequences in the postings.
func (l *Log) Room() (events, sequences int) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	x := &l.index
	for _, ps := range []map[string]*posting{x.prefixes, x.scopes} {
		for _, p := range ps {
			sequences += cap(p.seqs)
		}
	}
	for _, p := range x.kinds.rows {
		sequences += cap(p.seqs)
	}
	for _, p := range x.lanes.rows {
		sequences += cap(p.seqs)
	}
	for i := range x.categories {
		sequences += cap(x.categories[i].seqs)
	}
	return len(l.tape.chunks) * chunkSize, sequences
}

// Lists returns how many kinds and lanes have a posting.
func (l *Log) Lists() (kinds, lanes int) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return len(l.index.kinds.rows), len(l.index.lanes.rows)
}

// Remembered returns how many event ids are recognized.
func (l *Log) Remembered() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return len(l.ids.rows)
}

// SetClock sets the clock of an entity that has events.
func (l *Log) SetClock(c region.Coordinate, n uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.index.entities[c].clock = n
}

// Rows returns for how many event ids and lanes there is memory.
func (l *Log) Rows() (ids, lanes int) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.ids.most, l.index.lanes.most
}
