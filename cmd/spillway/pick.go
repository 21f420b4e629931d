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

func (c *candidates) add(shape int, r region.Region) {
	if !c.seen[r] {
		c.seen[r] = true
		c.of[shape] = append(c.of[shape], r)
	}
}

// gather returns what the events suggest.
func gather(events []*core.Envelope) *candidates {
	c := &candidates{seen: make(map[region.Region]bool)}
	c.add(everything, region.Region{})
	done := make(map[region.Point]bool) // an event like one before suggests nothing new
	for _, e := range events {
		p := e.Point()
		p.Sequence = 0
		if done[p] {
			continue
		}
		done[p] = true
		only := region.OneKind(p.Kind)
		c.add(exactPaths, region.Region{Entity: p.Entity, Scope: p.Scope})
		c.add(scopes, region.Region{Scope: p.Scope})
		c.add(kinds, region.Region{Kind: only})
		c.add(categories, region.Region{Kind: region.InCategory(p.Kind.Category())})
		c.add(lanes, region.Region{Lane: region.OneLane(p.Lane)})
		c.add(scopePairs, region.Region{Scope: p.Scope, Kind: only})
		for folder := parent(p.Entity); folder != ""; folder = parent(folder) {
			c.add(folders, region.Region{Entity: folder, Scope: p.Scope})
			c.add(folderPairs, region.Region{Entity: folder, Scope: p.Scope, Kind: only})
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
