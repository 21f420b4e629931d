package main

import (
	"math/rand/v2"
	"strings"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// The shapes of regions that pick picks, in their order. The regions of one who names them are of none.
const (
	exactPaths = iota
	folders
	scopes
	kinds
	categories
	lanes
	everything
	scopePairs
	folderPairs

	shapes
	tenths = scopePairs // of those before, a tenth each
)

// A pick is a region to subscribe to.
type pick struct {
	region region.Region
	shape  int
}

// candidates are the distinct regions that events suggest, by shape, in the order in which the events do.
type candidates struct {
	of   [shapes][]region.Region
	seen map[region.Region]bool
}

// add adds a region, and tells whether it is new.
func (c *candidates) add(shape int, r region.Region) bool {
	if c.seen[r] {
		return false
	}
	c.seen[r] = true
	c.of[shape] = append(c.of[shape], r)
	return true
}

// gather returns what the events suggest. Most of them suggest nothing that one before hasn't, which is seen by parts of them: to look up
// a whole region costs more than all else that replay does with an event.
func gather(events []*core.Envelope) *candidates {
	type named struct {
		name region.Coordinate
		kind region.Kind
	}
	c := &candidates{seen: make(map[region.Region]bool)}
	c.add(everything, region.Region{})
	had := make(map[named]bool)
	hadLane := make(map[uint32]bool)
	for _, e := range events {
		if lane := e.Position.Lane; !hadLane[lane] {
			hadLane[lane] = true
			c.add(lanes, region.Region{Lane: region.OneLane(lane)})
		}
		n := named{e.Coordinate, e.Kind}
		if had[n] {
			continue
		}
		had[n] = true
		entity, scope, only := e.Coordinate.Entity(), e.Coordinate.Scope(), region.OneKind(e.Kind)
		c.add(exactPaths, region.Region{Entity: entity, Scope: scope})
		c.add(kinds, region.Region{Kind: only})
		c.add(categories, region.Region{Kind: region.InCategory(e.Kind.Category())})
		c.add(scopes, region.Region{Scope: scope})
		c.add(scopePairs, region.Region{Scope: scope, Kind: only})
		for folder := parent(entity); folder != ""; folder = parent(folder) {
			c.add(folders, region.Region{Entity: folder, Scope: scope})
			if !c.add(folderPairs, region.Region{Entity: folder, Scope: scope, Kind: only}) {
				break // those above it came with it
			}
		}
	}
	return c
}

// parent returns an entity less its last segment.
func parent(entity string) string {
	return entity[:max(0, strings.LastIndexByte(entity, ':'))]
}

// pickRegions picks n distinct regions, or all that the events suggest where those are fewer: of each shape
// in a tenth of n; the rest exact paths, then lanes, then pairs. Equal seeds pick the same of equal events.
func pickRegions(events []*core.Envelope, n int, seed uint64) []pick {
	c := gather(events)
	random := rand.New(rand.NewPCG(seed, 0))
	for _, regions := range c.of {
		random.Shuffle(len(regions), func(i, j int) { regions[i], regions[j] = regions[j], regions[i] })
	}
	var taken [shapes]int
	left := n
	take := func(shape, k int) {
		k = min(k, left, len(c.of[shape])-taken[shape])
		taken[shape] += k
		left -= k
	}
	for shape := range tenths {
		take(shape, max(1, n/10))
	}
	for _, shape := range []int{exactPaths, lanes, scopePairs, folderPairs, folders, scopes, kinds, categories} {
		take(shape, left)
	}
	picks := make([]pick, 0, n-left)
	for shape, k := range taken {
		for _, r := range c.of[shape][:k] {
			picks = append(picks, pick{r, shape})
		}
	}
	return picks
}

// spread chooses n of the picks: the first of each shape, as far as n goes, then evenly over the others. The
// picks of a shape stand together, so that of each about as great a part is chosen.
func spread(picks []pick, n int) map[int]bool {
	chosen := make(map[int]bool, n)
	var had [shapes]bool
	var others []int
	for i, p := range picks {
		if !had[p.shape] && len(chosen) < n {
			had[p.shape] = true
			chosen[i] = true
		} else {
			others = append(others, i)
		}
	}
	more := n - len(chosen)
	for i := range more {
		chosen[others[i*len(others)/more]] = true
	}
	return chosen
}
