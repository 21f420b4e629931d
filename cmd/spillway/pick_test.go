package main

import (
	"fmt"
	"slices"
	"testing"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// history returns n events over many paths, kinds and lanes of three scopes.
func history(t *testing.T, n int) []*core.Envelope {
	t.Helper()
	events := make([]*core.Envelope, n)
	for i := range events {
		name, err := region.NewCoordinate(fmt.Sprintf("top%d:mid%d:leaf%d", i%7, i%31, i), fmt.Sprintf("repo%d", i%3))
		if err != nil {
			t.Fatal(err)
		}
		kind, err := region.NewKind(uint8(i%4+1), uint16(i%50))
		if err != nil {
			t.Fatal(err)
		}
		e := new(core.Envelope)
		e.Coordinate, e.Kind, e.Sequence = name, kind, uint64(i)
		e.Position.Lane = uint32(i % 400)
		events[i] = e
	}
	return events
}

func TestPickRegions(t *testing.T) {
	events := history(t, 5000)
	picks := pickRegions(events, 1000, 1)
	if len(picks) != 1000 {
		t.Fatalf("got %d regions, want 1000", len(picks))
	}
	seen := make(map[region.Region]bool)
	var of [shapes]int
	for _, p := range picks {
		if seen[p.region] {
			t.Errorf("%s was picked twice", p.region)
		}
		seen[p.region] = true
		of[p.shape]++
		if !slices.ContainsFunc(events, func(e *core.Envelope) bool { return p.region.Match(e.Point()) }) {
			t.Errorf("%s matches nothing", p.region)
		}
	}
	// 100 of each, or all there are: 3 scopes, 100 kinds, 4 categories, everything. The rest are exact paths.
	want := [shapes]int{exactPaths: 592, folders: 100, scopes: 3, kinds: 100, categories: 4, lanes: 100, everything: 1}
	want[kinds] = min(100, len(gather(events).of[kinds]))
	want[exactPaths] = 1000 - want[folders] - want[scopes] - want[kinds] - want[categories] - want[lanes] - want[everything]
	if of != want {
		t.Errorf("got %v of each shape, want %v", of, want)
	}
	if !slices.Equal(picks, pickRegions(events, 1000, 1)) {
		t.Error("the same seed picked others")
	}
	if slices.Equal(picks, pickRegions(events, 1000, 2)) {
		t.Error("another seed picked the same")
	}
}

// What the data is short of comes from the next shapes, to the last region there is.
func TestPickRegionsFillsUp(t *testing.T) {
	events := history(t, 30)
	all := pickRegions(events, 1_000_000, 1)
	c, sum := gather(events), 0
	for _, regions := range c.of {
		sum += len(regions)
	}
	if len(all) != sum {
		t.Errorf("got %d regions of %d", len(all), sum)
	}
	for n := range sum {
		if got := len(pickRegions(events, n, 1)); got != n {
			t.Errorf("asked for %d, got %d", n, got)
		}
	}
}

func TestSpread(t *testing.T) {
	picks := pickRegions(history(t, 5000), 1000, 1)
	stuck := spread(picks, 100)
	if len(stuck) != 100 {
		t.Fatalf("got %d, want 100", len(stuck))
	}
	var of [shapes]int
	for i := range stuck {
		of[picks[i].shape]++
	}
	for shape, n := range of[:tenths] {
		if n == 0 {
			t.Errorf("none of shape %d", shape)
		}
	}
	// Of a shape that is large about as great a part is chosen as of all.
	var all [shapes]int
	for _, p := range picks {
		all[p.shape]++
	}
	for _, shape := range []int{exactPaths, folders, kinds, lanes} {
		if got, want := of[shape], all[shape]/10; got < want*3/4 || got > want*5/4 {
			t.Errorf("shape %d: got %d, want about %d", shape, got, want)
		}
	}
	for n := range len(picks) + 1 {
		if got := len(spread(picks, n)); got != n {
			t.Errorf("asked for %d, got %d", n, got)
		}
	}
}
