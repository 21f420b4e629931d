package region_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/spillwayhq/spillway/region"
)

// The pools are small, so that keys are shared, prefixes of one another, and come back after they went.
var (
	poolEntities = []string{"", "a", "a:b", "a:b:c", "a:bb", "b", "ab", deep(64), "ä:ö"}
	poolScopes   = []string{"", "home", "work", "a"}
	poolKinds    = []region.KindFilter{
		{},
		region.OneKind(0), region.OneKind(0x1000), region.OneKind(0x1001), region.OneKind(0x1040), region.OneKind(0x2000),
		region.InCategory(0), region.InCategory(1), region.InCategory(2),
	}
	poolLanes = []region.LaneFilter{{}, region.OneLane(0), region.OneLane(1), region.OneLane(^uint32(0))}
)

// poolPoints are where the model is asked after every step.
func poolPoints() (ps []region.Point) {
	for _, entity := range []string{"", "a", "a:b", "a:b:c:d", "a:bb", "a:", ":a", "ab", deep(64), deep(65), "ä:ö:ü", "\xc3", "none"} {
		for _, scope := range []string{"", "home", "a", "\xff"} {
			for _, kind := range []region.Kind{0, 0x1000, 0x1040, 0x2fff, 0xf000} {
				for _, lane := range []uint32{0, 1, ^uint32(0)} {
					ps = append(ps, region.Point{Entity: entity, Scope: scope, Kind: kind, Lane: lane})
				}
			}
		}
	}
	return ps
}

func drawRegion(t *rapid.T) region.Region {
	return region.Region{
		Entity: rapid.SampledFrom(poolEntities).Draw(t, "entity"),
		Scope:  rapid.SampledFrom(poolScopes).Draw(t, "scope"),
		Kind:   rapid.SampledFrom(poolKinds).Draw(t, "kind"),
		Lane:   rapid.SampledFrom(poolLanes).Draw(t, "lane"),
	}
}

// An indexModel drives an Index beside a list of who is in it. Ids rise, so that within a key the
// order of the ids is the order of insertion.
type indexModel struct {
	x       *region.Index[*tenant]
	tenants []*tenant // those that are in
	nextID  int
	points  []region.Point
	round   int // of checks
}

func (m *indexModel) insert(r region.Region) {
	tn := newTenant(m.nextID, r)
	m.nextID++
	m.tenants = append(m.tenants, tn)
	m.x.Insert(&tn.entry)
}

// remove takes out the i-th. Where the member was found, it stays found until swept: its mark hides it.
func (m *indexModel) remove(t *rapid.T, i int) {
	tn := m.tenants[i]
	m.tenants = slices.Delete(m.tenants, i, i+1)
	if slot := m.x.Remove(&tn.entry); slot == nil || *slot != tn {
		t.Fatalf("Remove(%v) returned a slot that holds %v, want number %d", tn.asked, slot, tn.id)
	}
	tn.over = true
}

func (m *indexModel) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"insert": func(t *rapid.T) { m.insert(drawRegion(t)) },
		"insert many of one key": func(t *rapid.T) {
			r := drawRegion(t)
			for range rapid.IntRange(1, 40).Draw(t, "n") {
				m.insert(r)
			}
		},
		"insert many of one shape": func(t *rapid.T) {
			r := drawRegion(t)
			for i := range rapid.IntRange(1, 40).Draw(t, "n") {
				r.Lane = region.OneLane(uint32(i))
				m.insert(r)
			}
		},
		"remove": func(t *rapid.T) {
			if len(m.tenants) == 0 {
				t.Skip("nobody is in")
			}
			m.remove(t, rapid.IntRange(0, len(m.tenants)-1).Draw(t, "which"))
		},
		"remove a run": func(t *rapid.T) {
			from := rapid.IntRange(0, len(m.tenants)).Draw(t, "from")
			for range rapid.IntRange(0, min(60, len(m.tenants)-from)).Draw(t, "n") {
				m.remove(t, from)
			}
		},
		"remove a key": func(t *rapid.T) {
			if len(m.tenants) == 0 {
				t.Skip("nobody is in")
			}
			r := rapid.SampledFrom(m.tenants).Draw(t, "of").asked
			for i, one := range slices.Backward(m.tenants) {
				if one.asked == r {
					m.remove(t, i)
				}
			}
		},
		"": m.check,
	}
}

// every is how many checks it takes until each point of the pool has been asked at.
const every = 13

// check asks at some points of the pool, others each time.
func (m *indexModel) check(t *rapid.T) {
	size, err := m.x.Size()
	if err != nil {
		t.Fatal(err)
	}
	if len(m.tenants) == 0 && (size != region.IndexSize{}) {
		t.Fatalf("an Index without members holds %+v", size)
	}
	keys := map[region.Region]bool{}
	selective := false
	for _, tn := range m.tenants {
		keys[tn.asked] = true
		selective = selective || tn.asked != region.Region{}
	}
	if size.Keys != len(keys) {
		t.Fatalf("the Index holds %d keys, the model %d", size.Keys, len(keys))
	}
	if got := m.x.Selective(); got != selective {
		t.Fatalf("Selective() = %v, want %v", got, selective)
	}
	m.round++
	for i := m.round % every; i < len(m.points); i += every {
		p := m.points[i]
		if got, want := lookUp(m.x, p), scan(m.tenants, p); !slices.Equal(got, want) {
			t.Fatalf("at %+v got %v, want %v", p, got, want)
		}
	}
	m.checkGroups(t)
}

// checkGroups looks at each Entry that a walk returns: those who share it ask for the same, and come
// in the order of their insertion, tombstones too.
func (m *indexModel) checkGroups(t *rapid.T) {
	for _, p := range m.points[:60] {
		var walk region.Matches[*tenant]
		walk.Begin(m.x, &p)
		for e := walk.Next(&p); e != nil; e = walk.Next(&p) {
			last := -1
			for _, tn := range e.Members() {
				if tn.asked != e.Region() {
					t.Fatalf("at %+v number %d, who asks for %v, is among those of %v", p, tn.id, tn.asked, e.Region())
				}
				if tn.id <= last {
					t.Fatalf("at %+v, in %v: number %d comes after %d", p, e.Region(), tn.id, last)
				}
				last = tn.id
			}
		}
	}
}

func TestIndexModel(t *testing.T) {
	for _, kind := range indexes {
		t.Run(kind.name, rapid.MakeCheck(func(t *rapid.T) {
			m := &indexModel{x: kind.open(), points: poolPoints()}
			t.Repeat(m.actions())
			for len(m.tenants) > 0 {
				m.remove(t, len(m.tenants)-1)
			}
			for range every {
				m.check(t)
			}
		}))
	}
}

// One key's list through growth and shrinking, in every order that a small group can leave in.
func TestIndexGroupGrowsAndIsSwept(t *testing.T) {
	const n = 6
	var order [n]int
	var permute func(k int, rest []int)
	permute = func(k int, rest []int) {
		if len(rest) == 0 {
			leaveInOrder(t, order[:])
			return
		}
		for i, who := range rest {
			order[k] = who
			permute(k+1, append(slices.Clone(rest[:i]), rest[i+1:]...))
		}
	}
	permute(0, []int{0, 1, 2, 3, 4, 5})
}

func leaveInOrder(t *testing.T, order []int) {
	t.Helper()
	x := region.NewIndex[*tenant]()
	var tenants []*tenant
	for i := range order {
		tenants = append(tenants, newTenant(i, region.Region{}))
		x.Insert(&tenants[i].entry)
	}
	for k, who := range order {
		tenants[who].over = true
		x.Remove(&tenants[who].entry)
		if got, want := lookUp(x, region.Point{}), scan(tenants, region.Point{}); !slices.Equal(got, want) {
			t.Fatalf("leaving in the order %v, after %d: got %v, want %v", order, k+1, got, want)
		}
		if living, seen := len(order)-k-1, len(x.Everything()); seen > 2*living+1 {
			t.Fatalf("leaving in the order %v: %d live, a look-up walks %d", order, living, seen)
		}
	}
	wantBare(t, x)
}
