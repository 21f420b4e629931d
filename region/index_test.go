package region_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/region"
)

// A tenant is a member of the tests' Indexes. over is its mark: it was removed, whether or not a
// tombstone still shows it.
type tenant struct {
	id    int
	asked region.Region
	entry region.Entry[*tenant]
	over  bool
}

func newTenant(id int, r region.Region) *tenant {
	t := &tenant{id: id, asked: r}
	t.entry = region.NewEntry(r, t)
	return t
}

// lookUp returns the ids of those that x finds at p, the zero Region's with them, in order.
func lookUp(x *region.Index[*tenant], p region.Point) []int {
	return lookUpAgain(new(region.Matches[*tenant]), x, p)
}

// lookUpAgain is lookUp with a walk that other look-ups may have used.
func lookUpAgain(walk *region.Matches[*tenant], x *region.Index[*tenant], p region.Point) (ids []int) {
	add := func(members []*tenant) {
		for _, m := range members {
			if !m.over {
				ids = append(ids, m.id)
			}
		}
	}
	add(x.Everything())
	walk.Begin(x, &p)
	for e := walk.Next(&p); e != nil; e = walk.Next(&p) {
		add(e.Members())
	}
	slices.Sort(ids)
	return ids
}

// scan is what lookUp is to find, by asking everyone.
func scan(tenants []*tenant, p region.Point) (ids []int) {
	for _, m := range tenants {
		if !m.over && m.asked.Match(p) {
			ids = append(ids, m.id)
		}
	}
	slices.Sort(ids)
	return ids
}

// indexes are the kinds of Index that every test of what is found runs on.
var indexes = []struct {
	name string
	open func() *region.Index[*tenant]
}{
	{"hashed", region.NewIndex[*tenant]},
	{"narrow", region.NewNarrowIndex[*tenant]},
	{"colliding", region.NewCollidingIndex[*tenant]},
}

// deep returns an entity of n segments.
func deep(n int) string { return strings.TrimSuffix(strings.Repeat("s:", n), ":") }

// everyShape returns a Region for each kind filter × depth × scope × lane, two values of each.
func everyShape() (rs []region.Region) {
	kinds := []region.KindFilter{{}, region.OneKind(0x1001), region.OneKind(0x1041), region.OneKind(0), region.OneKind(0xffff), region.InCategory(1), region.InCategory(0), region.InCategory(15)}
	entities := []string{"", "alice", "bob", "s", deep(2), "s:t", deep(3), "s:s:t", deep(4), deep(64)}
	for _, k := range kinds {
		for _, entity := range entities {
			for _, scope := range []string{"", "home", "work"} {
				for _, lane := range []region.LaneFilter{{}, region.OneLane(0), region.OneLane(7)} {
					rs = append(rs, region.Region{Entity: entity, Scope: scope, Kind: k, Lane: lane})
				}
			}
		}
	}
	return rs
}

// everyPoint returns Points in, beside and at the edges of everyShape's Regions.
func everyPoint() (ps []region.Point) {
	entities := []string{
		"", "alice", "alice:", "alice:child", "alice:child:", "alice2", "alic", "ALICE", "bob", ":", "::", ":alice", "alice::child",
		"s", deep(2), deep(3), "s:s:t:u", deep(4), deep(5), deep(63), deep(64), deep(64) + ":", deep(65), deep(300), strings.Repeat("long", 5000),
		"\xff", "alice\xff", "alice:\xff\xfe", "\x00", "s\x00:s",
	}
	for _, entity := range entities {
		for _, scope := range []string{"", "home", "work", "wor", "\xff"} {
			for _, kind := range []region.Kind{0, 0x1001, 0x1041, 0x1fff, 0xf000, 0xffff, 0x2001} {
				for _, lane := range []uint32{0, 7, 8, ^uint32(0)} {
					ps = append(ps, region.Point{Entity: entity, Scope: scope, Kind: kind, Lane: lane})
				}
			}
		}
	}
	return ps
}

// Every shape under every kind filter, then half of them gone, then all.
func TestIndexFindsWhatAScanFinds(t *testing.T) {
	points := everyPoint()
	var walk region.Matches[*tenant]
	for _, kind := range indexes {
		t.Run(kind.name, func(t *testing.T) {
			x := kind.open()
			var tenants []*tenant
			for i, r := range everyShape() {
				if err := r.Validate(); err != nil {
					t.Fatalf("%v: %v", r, err)
				}
				m := newTenant(i, r)
				if got := m.entry.Region(); got != r {
					t.Fatalf("Entry.Region() = %v, want %v", got, r)
				}
				tenants = append(tenants, m)
				x.Insert(&m.entry)
			}
			check := func(when string) {
				t.Helper()
				if _, err := x.Size(); err != nil {
					t.Fatalf("%s: %v", when, err)
				}
				for _, p := range points {
					if got, want := lookUpAgain(&walk, x, p), scan(tenants, p); !slices.Equal(got, want) {
						t.Fatalf("%s: at %+v got %v, want %v", when, p, got, want)
					}
				}
			}
			check("all in")
			for _, m := range tenants {
				if m.id%2 == 0 {
					m.over = true
					x.Remove(&m.entry)
				}
			}
			check("half out")
			for _, m := range tenants {
				if !m.over {
					m.over = true
					x.Remove(&m.entry)
				}
			}
			wantBare(t, x)
		})
	}
}

// wantBare fails unless everything an Index ever held has been given back.
func wantBare(t testing.TB, x *region.Index[*tenant]) {
	t.Helper()
	size, err := x.Size()
	if err != nil {
		t.Fatal(err)
	}
	if size != (region.IndexSize{}) || x.Selective() || x.Everything() != nil {
		t.Errorf("an Index without members holds %+v, Selective() = %v, Everything() = %v", size, x.Selective(), x.Everything())
	}
}

func TestIndexEntityIsAPrefixAtColons(t *testing.T) {
	tests := []struct {
		asked, entity string
		found         bool
	}{
		{"alice", "alice", true},
		{"alice", "alice:", true},
		{"alice", "alice:child", true},
		{"alice", "alice::child", true},
		{"alice", "alice2", false},
		{"alice", "alic", false},
		{"alice", ":alice", false},
		{"alice", "", false},
		{"alice", "alice\xff", false},
		{"alice", "alice:\xff", true},
		{"alice:child", "alice", false},
		{"alice:child", "alice:", false},
		{"alice:child", "alice:child", true},
		{"alice:child", "alice:child:", true},
		{"alice:child", "alice:child:toy", true},
		{"alice:child", "alice::child", false},
		{"alice:child", "alice:children", false},
		{deep(64), deep(63), false},
		{deep(64), deep(64), true},
		{deep(64), deep(500), true},
		{deep(64), deep(64) + "s", false},
	}
	for _, kind := range indexes {
		for _, test := range tests {
			x := kind.open()
			m := newTenant(1, region.Region{Entity: test.asked})
			x.Insert(&m.entry)
			if got := len(lookUp(x, region.Point{Entity: test.entity})) == 1; got != test.found {
				t.Errorf("%s: %q asked for, event at %q: got %v, want %v", kind.name, test.asked, test.entity, got, test.found)
			}
		}
	}
}

// The zero Region is Everything's alone: a walk that returned it too would offer each event twice.
func TestIndexEverything(t *testing.T) {
	x := region.NewIndex[*tenant]()
	if x.Everything() != nil || x.Selective() {
		t.Errorf("new: Everything() = %v, Selective() = %v", x.Everything(), x.Selective())
	}
	all, one := newTenant(1, region.Region{}), newTenant(2, region.Region{Kind: region.InCategory(0)})
	x.Insert(&all.entry)
	if got := x.Everything(); len(got) != 1 || got[0] != all || x.Selective() {
		t.Errorf("with the zero Region: Everything() = %v, Selective() = %v", got, x.Selective())
	}
	x.Insert(&one.entry)
	if got := x.Everything(); len(got) != 1 || !x.Selective() {
		t.Errorf("with another: Everything() = %v, Selective() = %v", got, x.Selective())
	}
	var walk region.Matches[*tenant]
	walk.Begin(x, &region.Point{})
	if e := walk.Next(&region.Point{}); e == nil || e.Members()[0] != one {
		t.Errorf("the walk finds %v first, want category 0's", e)
	}
	if e := walk.Next(&region.Point{}); e != nil {
		t.Errorf("the walk returns %v too", e.Region())
	}
	if e := walk.Next(&region.Point{}); e != nil {
		t.Errorf("past its end the walk returns %v", e.Region())
	}
}

// Remove says where look-ups that have begun still find the member, so that its owner can wipe it.
func TestIndexRemoveReturnsTheSlotStillSeen(t *testing.T) {
	for n := 1; n <= 9; n++ {
		x := region.NewIndex[*tenant]()
		var tenants []*tenant
		for i := range n {
			m := newTenant(i, region.Region{Scope: "home"})
			tenants = append(tenants, m)
			x.Insert(&m.entry)
		}
		for _, m := range tenants {
			var walk region.Matches[*tenant]
			walk.Begin(x, &region.Point{Scope: "home"})
			seen := walk.Next(&region.Point{Scope: "home"}).Members()
			at := slices.Index(seen, m)
			if slot := x.Remove(&m.entry); at < 0 || slot != &seen[at] {
				t.Errorf("%d members: Remove of number %d returns %p, a look-up before it saw %v", n, m.id, slot, seen)
			}
			m.over = true
			if got, want := lookUp(x, region.Point{Scope: "home"}), scan(tenants, region.Point{Scope: "home"}); !slices.Equal(got, want) {
				t.Errorf("%d members, after number %d: got %v, want %v", n, m.id, got, want)
			}
		}
		wantBare(t, x)
	}
}

func TestIndexLookUpAllocatesNothing(t *testing.T) {
	x := region.NewIndex[*tenant]()
	for i, r := range everyShape() {
		x.Insert(&newTenant(i, r).entry)
		x.Insert(&newTenant(i, r).entry)
	}
	p := region.Point{Entity: deep(70), Scope: "home", Kind: 0x1001, Lane: 7}
	found := 0
	allocs := testing.AllocsPerRun(100, func() {
		found = len(x.Everything())
		var walk region.Matches[*tenant]
		walk.Begin(x, &p)
		for e := walk.Next(&p); e != nil; e = walk.Next(&p) {
			found += len(e.Members())
		}
	})
	if allocs != 0 || found != 2*3*2*2*6 {
		t.Errorf("a look-up allocates %v times and finds %d members; want 0 and %d", allocs, found, 2*3*2*2*6)
	}
}

// A look-up costs a probe for each shape in use at most, so tables must be as many as shapes however
// many members there are.
func TestIndexTablesAreShapesInUse(t *testing.T) {
	x := region.NewIndex[*tenant]()
	for i := range 1000 {
		name := fmt.Sprintf("e%d", i)
		for j, r := range []region.Region{
			{Entity: name},
			{Entity: name + ":x:y"},
			{Scope: name},
			{Entity: name, Lane: region.OneLane(uint32(i))},
			{Entity: name, Kind: region.OneKind(1)},
			{Scope: name, Kind: region.InCategory(1)},
			{Kind: region.OneKind(1)},
		} {
			x.Insert(&newTenant(10*i+j, r).entry)
		}
	}
	size, err := x.Size()
	if err != nil {
		t.Fatal(err)
	}
	if size.Tables != 6 || size.Families != 2 || size.Keys != 6001 {
		t.Errorf("seven shapes of a thousand names each: got %+v, want 6 tables, 2 families, 6001 keys", size)
	}
}
