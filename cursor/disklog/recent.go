package disklog

import "github.com/spillwayhq/spillway/core"

// A recent is the ids of the last events, as many as are to be recognized.
type recent struct {
	most int
	seqs map[core.ID]uint64
	ids  []core.ID // those from head on are of the sequences from first on
	head int
	from uint64
}

func newRecent(most int, from uint64) recent {
	return recent{most: most, seqs: make(map[core.ID]uint64), from: from}
}

// push adds the id of the next event.
func (r *recent) push(id core.ID) {
	r.seqs[id] = r.from + uint64(len(r.ids)-r.head)
	r.ids = append(r.ids, id)
	if len(r.ids)-r.head > r.most {
		r.pop()
	}
}

// pop forgets the oldest.
func (r *recent) pop() {
	id := r.ids[r.head]
	if r.seqs[id] == r.from { // or a later event has it, since this one was not recognized any more
		delete(r.seqs, id)
	}
	r.from++
	if r.head++; r.head >= 1024 && r.head >= len(r.ids)/2 {
		r.ids, r.head = append([]core.ID(nil), r.ids[r.head:]...), 0
	}
}

// dropBelow forgets the events below a sequence.
func (r *recent) dropBelow(first uint64) {
	for r.from < first && r.head < len(r.ids) {
		r.pop()
	}
	if r.from < first {
		r.from = first
	}
}
