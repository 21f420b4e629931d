package disklog

import (
	"hash/maphash"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
)

// A recent is the ids of the last events, as many as are to be recognized. They lie in a ring by sequence. Those of one hash are a
// chain, the newest first, so that nothing has to be taken out of it: who follows it stops at the first that is too old.
type recent struct {
	most       int
	from, next uint64 // the sequences that it has
	seed       maphash.Seed
	ids        []core.ID // a power of two of them, and so of the others
	heads      []uint64  // by hash: the newest event, its sequence plus one; 0: there is none
	before     []uint64  // by sequence: the next older one of its chain, in the same way
}

func newRecent(most int, from uint64) recent {
	r := recent{most: most, from: from, next: from, seed: maphash.MakeSeed()}
	r.size(64)
	return r
}

func (r *recent) size(n int) {
	r.ids, r.heads, r.before = make([]core.ID, n), make([]uint64, n), make([]uint64, n)
}

// head returns where the chain of an id begins.
func (r *recent) head(id *core.ID) *uint64 {
	return &r.heads[maphash.Bytes(r.seed, id[:])&uint64(len(r.heads)-1)]
}

func (r *recent) place(seq uint64) uint64 { return seq & uint64(len(r.ids)-1) }

// find returns the newest event that has an id.
func (r *recent) find(id core.ID) (seq uint64, ok bool) {
	for at := *r.head(&id); at > r.from; at = r.before[r.place(at-1)] {
		if r.ids[r.place(at-1)] == id {
			return at - 1, true
		}
	}
	return 0, false
}

// warm has what is asked of a batch be in the caches when it is asked for: it lies all over, and is read at once here, not each
// after the work for the one before.
func (r *recent) warm(ds []cursor.Draft) (read uint64) {
	for i := range ds {
		if at := *r.head(&ds[i].EventID); at > r.from {
			read += r.before[r.place(at-1)] + uint64(r.ids[r.place(at-1)][0])
		}
	}
	return read
}

// push adds the id of the next event. Nothing is forgotten for it.
func (r *recent) push(id core.ID) {
	if r.next-r.from == uint64(len(r.ids)) {
		r.grow()
	}
	r.enter(id)
}

func (r *recent) enter(id core.ID) {
	at, head := r.place(r.next), r.head(&id)
	r.next++
	r.ids[at], r.before[at], *head = id, *head, r.next
}

// undo takes back the last push.
func (r *recent) undo() {
	r.next--
	at := r.place(r.next)
	*r.head(&r.ids[at]) = r.before[at]
}

func (r *recent) grow() {
	old := *r
	r.size(2 * len(old.ids))
	for r.next = r.from; r.next < old.next; {
		r.enter(old.ids[old.place(r.next)])
	}
}

// trim forgets all but the last events.
func (r *recent) trim() {
	if n := uint64(r.most); r.next-r.from > n {
		r.from = r.next - n
	}
}

// dropBelow forgets the events below a sequence.
func (r *recent) dropBelow(first uint64) {
	r.from = max(r.from, first)
	r.next = max(r.next, r.from)
}
