package region

import "testing"

// What tells keys apart in a table is of bits of their own: none counts twice, and those of the tag and beside it are all looked at.
func TestHashBitsCountOnce(t *testing.T) {
	p := &places[int]{groups: make([]group, 1<<20)}
	for bit := range 35 {
		a, b := uint64(0), uint64(1)<<bit
		changed := 0
		for _, c := range []bool{tag(a) != tag(b), more(a) != more(b), p.first(a) != p.first(b)} {
			if c {
				changed++
			}
		}
		if changed != 1 {
			t.Errorf("bit %d of a hash is in %d of tag, more and the first group; want one", bit, changed)
		}
	}
}

func TestGroupMatchesBothBytes(t *testing.T) {
	const hash = 0x35<<7 | 0x2a
	var g group
	g.tags.Store(uint64(tag(hash)) << 16)
	g.more.Store(uint64(more(hash)) << 16)
	if m := g.match(g.tags.Load(), hash); m != 0x80<<16 {
		t.Errorf("its own hash: got %#x, want the third place", m)
	}
	for _, other := range []uint64{hash ^ 1<<3, hash ^ 1<<7, hash ^ 1<<14} {
		if m := g.match(g.tags.Load(), other); m != 0 {
			t.Errorf("hash %#x: got %#x, want no place", other, m)
		}
	}
}
