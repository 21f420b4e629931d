package cursor

import (
	"fmt"

	"github.com/cespare/xxhash/v2"

	"github.com/spillwayhq/spillway/region"
)

// A Part is one of several that share a Region, number Index of Of, from 0. Each entity is in one of them, whatever
// process asks, for good. The zero Part is the whole Region.
type Part struct{ Index, Of uint32 }

// Partition returns part i of n. It panics unless i is in [0, n) and n fits 32 bits.
func Partition(i, n int) Part {
	p := Part{Index: uint32(i), Of: uint32(n)}
	if i < 0 || int64(p.Index) != int64(i) || int64(p.Of) != int64(n) || p.Index >= p.Of {
		panic(fmt.Sprintf("spillway/cursor: there is no part %d of %d", i, n))
	}
	return p
}

// valid tells whether there is such a part.
func (p Part) valid() bool { return p == Part{} || p.Index < p.Of }

// Has tells whether events about c are in p. It goes by the jump hash (Lamping and Veach, 2014) of the xxhash64 of c's
// text, so that of n+1 parts each takes its share from all of n, and no entity changes between those.
func (p Part) Has(c region.Coordinate) bool {
	if p.Of <= 1 {
		return true
	}
	var d xxhash.Digest // that of c.String(), without making it
	d.Reset()
	_, _ = d.WriteString(c.Entity())
	_, _ = d.WriteString("@")
	_, _ = d.WriteString(c.Scope())
	return jump(d.Sum64(), int64(p.Of)) == int64(p.Index)
}

// jump ends since j grows by each round.
func jump(key uint64, n int64) int64 {
	var b, j int64 = -1, 0
	for j < n {
		b = j
		key = key*2862933555777941757 + 1
		j = int64(float64(b+1) * (float64(int64(1)<<31) / float64(key>>33+1)))
	}
	return b
}

// String returns "1 of 4", or "the whole".
func (p Part) String() string {
	if p == (Part{}) {
		return "the whole"
	}
	return fmt.Sprintf("%d of %d", p.Index, p.Of)
}
