package bench

import (
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// Records are what a log holds, in a slice: nothing is copied out of it, and whoever asks for a part looks at all.
type Records []core.Envelope

// All tallies every record.
func (rs Records) All() (t Tally) {
	for i := range rs {
		t.Add(&rs[i])
	}
	return t
}

// Of tallies those that are in a region.
func (rs Records) Of(r region.Region) (t Tally) {
	for i := range rs {
		if r.Match(rs[i].Point()) {
			t.Add(&rs[i])
		}
	}
	return t
}

// A Tally is what a reader finds out about the records that it reads.
type Tally struct {
	Count    int
	Sum      uint64 // of the sequences
	Last     uint64 // sequence
	Disorder int    // records whose sequence is not over the one's before
}

// Add counts a record in.
func (t *Tally) Add(e *core.Envelope) {
	if t.Count > 0 && e.Sequence <= t.Last {
		t.Disorder++
	}
	t.Count++
	t.Sum += e.Sequence
	t.Last = e.Sequence
}
