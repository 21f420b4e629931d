package fuzz_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/region"
)

// A guest is a member of the fuzzed Index. gone hides it from the moment of its removal, when a
// tombstone may still show it.
type guest struct {
	id    int
	asked region.Region
	entry region.Entry[*guest]
	gone  bool
}

// An indexTape reads operations from bytes. Past its end everything is zero.
type indexTape struct{ rest []byte }

func (t *indexTape) byte() byte {
	if len(t.rest) == 0 {
		return 0
	}
	b := t.rest[0]
	t.rest = t.rest[1:]
	return b
}

// name reads a string of up to 31 bytes; most are short ones of a small alphabet, so that keys meet.
func (t *indexTape) name() string {
	b := t.byte()
	if b < 128 {
		return []string{"", "a", "a:b", "a:b:c", "a:bb", "b", "ab", strings.Repeat("d:", 63) + "d"}[b%8]
	}
	n := min(int(b%32), len(t.rest))
	s := string(t.rest[:n])
	t.rest = t.rest[n:]
	return s
}

func (t *indexTape) kind() region.Kind { return region.Kind(t.byte())<<8 | region.Kind(t.byte()) }

func (t *indexTape) region() region.Region {
	fields := t.byte()
	r := region.Region{Entity: t.name()}
	if fields&1 != 0 {
		r.Scope = t.name()
	}
	if fields&2 != 0 {
		r.Lane = region.OneLane(uint32(t.byte()))
	}
	switch fields >> 2 & 3 {
	case 1:
		r.Kind = region.OneKind(t.kind())
	case 2:
		r.Kind = region.InCategory(t.byte())
	}
	return r
}

// point reads where an event is; nothing checks its names.
func (t *indexTape) point() region.Point {
	return region.Point{
		Entity: t.name() + []string{"", ":", ":a", "\xff", "::"}[t.byte()%5],
		Scope:  t.name(), Kind: t.kind(), Lane: uint32(t.byte()),
	}
}

// FuzzIndex reads bytes as insertions, removals and look-ups. An Index finds what asking every member
// with Region.Match finds, and each once.
func FuzzIndex(f *testing.F) {
	const (
		look      = "\x03\x03\x00\x01\x10\x01\x07" // at a:b:c, scope a, kind 0x1001, lane 7
		lookTail  = "\x03\x02\x02\x01\x10\x01\x02" // a:b:a, lane 2
		all       = "\x00\x00\x00"                 // the zero Region
		prefix    = "\x00\x00\x01"                 // entity a
		full      = "\x00\x07\x02\x01\x07\x10\x01" // a:b, scope a, lane 7, one kind
		category  = "\x00\x08\x00\x01"             // all of category 1
		crowd     = "\x02\x00\x01\x3f"             // 63 of entity a, half of them on lanes of their own
		spelled   = "\x00\x00\x85alice"
		lookChild = "\x03\x8balice:child\x00\x00\x00\x00\x00"
		out       = "\x01\x00"
	)
	f.Add([]byte{})
	f.Add([]byte(all + prefix + full + category + look + lookTail + out + look + out + look + out + look))
	f.Add([]byte("\x00\x00\x03" + prefix + "\x00\x00\x02" + "\x03\x01\x00\x00\x00\x00\x00")) // a:b:c, a, a:b; an event at a
	f.Add([]byte(prefix + prefix + prefix + look + out + look + out + look + prefix + look))
	f.Add([]byte(crowd + look + lookTail + strings.Repeat("\x01\x11"+lookTail, 60) + crowd + look))
	f.Add([]byte(spelled + lookChild + "\x00\x00\x86alice2" + lookChild + "\x00\x00\x07" + "\x03\x07\x02\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, ops []byte) {
		if len(ops) > 1024 {
			t.Skip("long tapes find nothing that short ones don't, and take their time")
		}
		x := region.NewIndex[*guest]()
		var guests []*guest
		ids := 0
		tape := &indexTape{ops}
		for len(tape.rest) > 0 {
			switch tape.byte() % 4 {
			case 0:
				guests = admit(x, guests, tape.region(), &ids)
			case 1:
				guests = dismiss(x, guests, int(tape.byte()))
			case 2: // a crowd: lists and tables grow, and shrink when it is shown out
				r := tape.region()
				for i := range tape.byte() % 64 {
					if i%2 == 0 {
						r.Lane = region.OneLane(uint32(i))
					}
					guests = admit(x, guests, r, &ids)
				}
			case 3:
				compareAt(t, x, guests, tape.point())
			}
		}
		for len(guests) > 0 {
			g := guests[len(guests)-1]
			compareAt(t, x, guests, region.Point{Entity: g.asked.Entity + ":x", Scope: g.asked.Scope})
			guests = dismiss(x, guests, len(guests)-1)
		}
		compareAt(t, x, nil, region.Point{Entity: "a", Scope: "a"})
		if x.Selective() || x.Everything() != nil {
			t.Errorf("all are gone: Selective() = %v, Everything() = %v", x.Selective(), x.Everything())
		}
	})
}

// admit inserts a guest who asks for r, if r is a Region that may be asked for.
func admit(x *region.Index[*guest], guests []*guest, r region.Region, ids *int) []*guest {
	if r.Validate() != nil {
		return guests
	}
	g := &guest{id: *ids, asked: r}
	*ids++
	g.entry = region.NewEntry(r, g)
	x.Insert(&g.entry)
	return append(guests, g)
}

// dismiss removes the i-th guest, counted round.
func dismiss(x *region.Index[*guest], guests []*guest, i int) []*guest {
	if len(guests) == 0 {
		return guests
	}
	i %= len(guests)
	guests[i].gone = true
	x.Remove(&guests[i].entry)
	return slices.Delete(guests, i, i+1)
}

func compareAt(t *testing.T, x *region.Index[*guest], guests []*guest, p region.Point) {
	t.Helper()
	var got, want []int
	add := func(members []*guest) {
		for _, g := range members {
			if !g.gone {
				got = append(got, g.id)
			}
		}
	}
	add(x.Everything())
	var walk region.Matches[*guest]
	walk.Begin(x, &p)
	for e := walk.Next(&p); e != nil; e = walk.Next(&p) {
		add(e.Members())
	}
	for _, g := range guests {
		if g.asked.Match(p) {
			want = append(want, g.id)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("at %+v got %v, want %v", p, got, want)
	}
}
