package region_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/spillwayhq/spillway/region"
)

// Look-ups run while one writer at a time inserts and removes, through growth, shrinking, sweeps and
// whole shapes coming and going. Who stays is found exactly once by every look-up, and who came
// before a look-up began is found by it.
func TestIndexLookUpsDuringChanges(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		for _, kind := range indexes {
			t.Run(fmt.Sprintf("procs=%d/%s", procs, kind.name), func(t *testing.T) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				stressIndex(t, kind.open(), kind.name)
			})
		}
	}
}

// stressRegion is the i-th key of a shape; all match stressPoint where i is 0.
func stressRegion(shape, i int) region.Region {
	name := "e"
	if i > 0 {
		name = fmt.Sprintf("e%d", i)
	}
	return []region.Region{
		{},
		{Entity: name},
		{Entity: name, Scope: "home"},
		{Entity: "e", Kind: region.OneKind(0x1000), Lane: region.OneLane(uint32(i))},
		{Scope: "home", Kind: region.InCategory(1)},
		{Entity: name + ":x"},
		{Kind: region.OneKind(0x1000 + region.Kind(i))},
	}[shape]
}

var stressPoint = region.Point{Entity: "e:x", Scope: "home", Kind: 0x1000}

func stressIndex(t *testing.T, x *region.Index[*tenant], name string) {
	const shapes, stays = 7, 40
	rounds, width := 3000, 60
	if raced || testing.Short() {
		rounds = 600
	}
	if name == "colliding" {
		width = 20 // every probe walks all keys of the shape
	}
	var ids, arrived atomic.Int64 // ids below stays never go; arrived are in, for good
	var mu sync.Mutex             // the owner's
	insert := func(r region.Region) *tenant {
		mu.Lock()
		defer mu.Unlock()
		m := newTenant(int(ids.Add(1)-1), r)
		x.Insert(&m.entry)
		return m
	}
	for i := range stays / 2 {
		insert(stressRegion(i%shapes, 0))
		arrived.Add(1)
	}
	var writers, readers sync.WaitGroup
	var over atomic.Bool
	for range 3 {
		readers.Go(func() {
			seen := make([]int, stays)
			for !over.Load() {
				before := int(arrived.Load())
				countStayers(x, seen)
				for id, n := range seen {
					if n > 1 || n == 0 && id < before {
						t.Errorf("number %d, who stays, is found %d times; %d had come before", id, n, before)
						over.Store(true)
					}
				}
				runtime.Gosched() // with one processor, the writers' turn
			}
		})
	}
	writers.Go(func() { // the other half of those who stay come while look-ups run
		for i := stays / 2; i < stays; i++ {
			insertStayer(x, &mu, stressRegion(i%shapes, 0), i)
			arrived.Add(1)
			runtime.Gosched()
		}
	})
	ids.Store(stays)
	for seed := range uint64(2) {
		writers.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, 7))
			var in []*tenant
			for range rounds {
				if over.Load() {
					break
				}
				for range width {
					in = append(in, insert(stressRegion(rnd.IntN(shapes), rnd.IntN(width))))
				}
				rnd.Shuffle(len(in), func(i, j int) { in[i], in[j] = in[j], in[i] })
				keep := rnd.IntN(width)
				for _, m := range in[keep:] {
					mu.Lock()
					x.Remove(&m.entry)
					mu.Unlock()
				}
				in = in[:keep]
			}
			for _, m := range in {
				mu.Lock()
				x.Remove(&m.entry)
				mu.Unlock()
			}
		})
	}
	writers.Wait()
	over.Store(true)
	readers.Wait()
	if _, err := x.Size(); err != nil {
		t.Error(err)
	}
	if got := lookUp(x, stressPoint); len(got) < stays {
		t.Errorf("in the end %v are found, want the %d who stay", got, stays)
	}
}

func insertStayer(x *region.Index[*tenant], mu *sync.Mutex, r region.Region, id int) {
	mu.Lock()
	defer mu.Unlock()
	x.Insert(&newTenant(id, r).entry)
}

// countStayers looks up stressPoint once, and counts how often each of those who stay is found.
func countStayers(x *region.Index[*tenant], seen []int) {
	clear(seen)
	add := func(members []*tenant) {
		for _, m := range members {
			if m.id < len(seen) {
				seen[m.id]++
			}
		}
	}
	add(x.Everything())
	var walk region.Matches[*tenant]
	walk.Begin(x, &stressPoint)
	for e := walk.Next(&stressPoint); e != nil; e = walk.Next(&stressPoint) {
		add(e.Members())
	}
}

// A second member joins a first, of a key or of the zero Region, while look-ups run: the first is found
// once by each of them.
func TestIndexLookUpsDuringJoins(t *testing.T) {
	rounds := 100_000
	if raced || testing.Short() {
		rounds = 20_000
	}
	type stage struct {
		x     *region.Index[*tenant]
		first *tenant
	}
	var on atomic.Pointer[stage]
	open := func(i int) *stage {
		s := &stage{region.NewIndex[*tenant](), newTenant(1, stressRegion(i%7, 0))}
		s.x.Insert(&s.first.entry)
		on.Store(s)
		return s
	}
	open(0)
	var readers sync.WaitGroup
	var over atomic.Bool
	for range 3 {
		readers.Go(func() {
			for !over.Load() {
				s := on.Load()
				ids := lookUp(s.x, stressPoint)
				if n := len(ids); n == 0 || n > 2 || ids[0] != 1 || n == 2 && ids[1] != 2 {
					t.Errorf("%v: got %v, want number 1 and perhaps number 2", s.first.asked, ids)
					over.Store(true)
				}
			}
		})
	}
	for i := 0; i < rounds && !over.Load(); i++ {
		s := open(i)
		for range i % 50 {
			_ = on.Load() // so that joins come at other moments of a look-up
		}
		s.x.Insert(&newTenant(2, s.first.asked).entry)
	}
	over.Store(true)
	readers.Wait()
}

// manyNames is how many distinct names the memory tests use.
func manyNames() int {
	switch {
	case raced:
		return 50_000 // one goroutine: there is nothing to detect
	case testing.Short():
		return 200_000
	}
	return 1_000_000
}

// A table that keys pass through, few at a time, stays as small as it would be for those few.
func TestIndexTableStaysSmall(t *testing.T) {
	for _, crowd := range []int{1, 5, 7, 50} {
		x := region.NewIndex[*tenant]()
		in := make([]*tenant, crowd)
		for i := range in {
			in[i] = newTenant(i, region.Region{Lane: region.OneLane(uint32(i))})
			x.Insert(&in[i].entry)
		}
		most := 0
		for i := range manyNames() {
			m := newTenant(i, region.Region{Lane: region.OneLane(uint32(crowd + i))})
			x.Insert(&m.entry)
			x.Remove(&in[i%crowd].entry)
			in[i%crowd] = m
			if i%997 == 0 {
				size, err := x.Size()
				if err != nil {
					t.Fatalf("crowd of %d, after %d: %v", crowd, i, err)
				}
				most = max(most, size.Places)
				if crowd < 6 && size.Dead > 0 {
					t.Fatalf("crowd of %d, after %d: %d tombstones, though a place was always empty beside them", crowd, i, size.Dead)
				}
			}
		}
		if limit := 8 * max(2, crowd); most > limit {
			t.Errorf("a crowd of %d had a table of %d places, want %d at most", crowd, most, limit)
		}
		for _, m := range in {
			x.Remove(&m.entry)
		}
		wantBare(t, x)
	}
}

// A million names of each sort come and go, and the memory they took is there again.
func TestIndexGivesMemoryBack(t *testing.T) {
	sorts := []struct {
		name string
		at   func(i int) region.Region
	}{
		{"entities", func(i int) region.Region { return region.Region{Entity: fmt.Sprintf("e%d:x%d", i%1000, i)} }},
		{"scopes", func(i int) region.Region { return region.Region{Scope: fmt.Sprintf("s%d", i)} }},
		{"kinds", func(i int) region.Region {
			return region.Region{Kind: region.OneKind(region.Kind(i)), Lane: region.OneLane(uint32(i >> 16))}
		}},
		{"one key", func(int) region.Region { return region.Region{Entity: "e"} }},
	}
	for _, sort := range sorts {
		t.Run(sort.name, func(t *testing.T) {
			x := region.NewIndex[*tenant]()
			before := heap()
			in := make([]*tenant, manyNames())
			for i := range in {
				in[i] = newTenant(i, sort.at(i))
				x.Insert(&in[i].entry)
			}
			full := heap()
			rand.New(rand.NewPCG(1, 2)).Shuffle(len(in), func(i, j int) { in[i], in[j] = in[j], in[i] })
			for _, m := range in[:len(in)-10] {
				x.Remove(&m.entry)
			}
			size, err := x.Size()
			if err != nil {
				t.Fatal(err)
			}
			if size.Families > 10 || size.Places > 8*10+8 || size.Slots > 3*10+1 {
				t.Errorf("with ten members left it holds %+v", size)
			}
			for _, m := range in[len(in)-10:] {
				x.Remove(&m.entry)
			}
			wantBare(t, x)
			in = slices.Delete(in, 0, len(in))[:0:0]
			after := heap()
			if len(in) > 0 || after > before+full/20 {
				t.Errorf("heap: %d bytes before, %d with %d members, %d after", before, full, manyNames(), after)
			}
			runtime.KeepAlive(x)
		})
	}
}

// heap returns how many bytes are in use once what is garbage has gone.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
