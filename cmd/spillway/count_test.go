package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// The count finds what core never does: whatever is wrong with a receipt is named.
func TestCountFindsWhatIsWrong(t *testing.T) {
	events := history(t, 12) // of repo0: 0, 3, 6, 9
	pruned := func(missed uint64) *core.PrunedError { return &core.PrunedError{Missed: missed, HasMissed: true} }
	for name, c := range map[string]struct {
		reader *reader
		want   string // "" is conserved
	}{
		"all":                        {&reader{received: []uint32{0, 3, 6, 9}}, ""},
		"some held":                  {&reader{received: []uint32{0, 3}, held: []uint32{6, 9}}, ""},
		"pruned":                     {&reader{received: []uint32{0, 3}, pruned: pruned(6)}, ""},
		"pruned at once":             {&reader{pruned: pruned(0)}, ""},
		"a gap":                      {&reader{received: []uint32{0, 6, 9}}, "event 3: it matches, and was neither given out"},
		"the end is missing":         {&reader{received: []uint32{0, 3, 6}}, "event 9: it matches, and was neither"},
		"nothing":                    {&reader{}, "event 0: it matches, and was neither"},
		"twice":                      {&reader{received: []uint32{0, 3, 3, 6, 9}}, "event 3: it was given out twice"},
		"held too":                   {&reader{received: []uint32{0, 3, 6}, held: []uint32{6, 9}}, "event 6: it was given out twice"},
		"not its own":                {&reader{received: []uint32{0, 3, 4, 6, 9}}, "event 4: it was given out, and the region does not match"},
		"of another input":           {&reader{received: []uint32{0, 3, 6, 9, 99}}, "event 99: it was given out, and never broadcast"},
		"disorder":                   {&reader{received: []uint32{0, 6, 3, 9}}, "event 3: it was given out after event 6"},
		"missed before the first":    {&reader{received: []uint32{0}, pruned: pruned(6)}, "event 3: it matches, and was neither"},
		"after the first missed":     {&reader{received: []uint32{0, 3, 9}, pruned: pruned(6)}, "event 9: it was given out after event 6 was missed"},
		"the first missed is here":   {&reader{received: []uint32{0, 3, 6}, pruned: pruned(6)}, "event 6: it is said to be missed first, and was given out"},
		"the first missed is no one": {&reader{received: []uint32{0, 3}, pruned: pruned(5)}, "event 5: it is said to be missed first, and the region does not match"},
		"the first missed is beyond": {&reader{received: []uint32{0, 3}, pruned: pruned(50)}, "event 50: it is said to be missed first, and the region"},
		"the first missed is unsaid": {&reader{received: []uint32{0, 3}, pruned: &core.PrunedError{}}, "does not say what it missed first"},
	} {
		r := c.reader
		r.region = region.Region{Scope: "repo0"}
		tallies, wrong := newCount(events, nil).all([]*reader{r})
		if got := tallies[0]; got.matched != 4 || got.missed() != 4-len(r.received)-len(r.held) {
			t.Errorf("%s: got %+v", name, got)
		}
		switch {
		case c.want == "" && wrong != nil:
			t.Errorf("%s: got %v", name, wrong)
		case c.want != "" && (wrong == nil || !strings.Contains(wrong.Error(), c.want)):
			t.Errorf("%s: got %v, want %s", name, wrong, c.want)
		}
	}
}

// With several writers an order is nobody's, and an earlier event may come after the end.
func TestCountOfSeveralWriters(t *testing.T) {
	events := history(t, 12)
	each := slices.Repeat([]bool{true}, len(events)) // each event by another goroutine
	r := &reader{region: region.Region{Scope: "repo0"}, received: []uint32{9, 0}, pruned: &core.PrunedError{Missed: 6, HasMissed: true}}
	if _, wrong := newCount(events, each).all([]*reader{r}); wrong != nil {
		t.Error(wrong)
	}
	r.pruned = nil
	if _, wrong := newCount(events, each).all([]*reader{r}); wrong == nil || wrong.event != 3 {
		t.Errorf("got %v, want event 3", wrong)
	}
	late := &reader{
		region: r.region, adapter: "multicast", received: []uint32{3, 0},
		pruned: &core.PrunedError{Missed: 7, HasMissed: true}, // 6 was broadcast after 7 had lapped it
	}
	if tallies, wrong := newCount(events, each).all([]*reader{late}); wrong != nil || tallies[0].missed() != 2 {
		t.Errorf("an event that came after the lap: got %+v, %v", tallies[0], wrong)
	}
	// Of what one goroutine broadcast, a later event says that an earlier was offered.
	runs := make([]bool, len(events))
	runs[0], runs[4] = true, true // 0 and 3, 6 and 9
	for name, c := range map[string]struct {
		received []uint32
		want     string
	}{
		"the firsts of each":    {[]uint32{6, 0}, ""},
		"one run, not the next": {[]uint32{6, 9}, ""},
		"a gap":                 {[]uint32{9, 0}, "event 9: it was given out after event 6 was missed"},
	} {
		for _, adapter := range []string{"channel", "callback", "ring", "multicast"} {
			r := &reader{region: r.region, adapter: adapter, received: c.received, pruned: &core.PrunedError{Missed: 3, HasMissed: true}}
			_, wrong := newCount(events, runs).all([]*reader{r})
			if wrong == nil != (c.want == "") || wrong != nil && !strings.Contains(wrong.Error(), c.want) {
				t.Errorf("%s by %s: got %v, want %q", name, adapter, wrong, c.want)
			}
		}
	}
}

// What other adapters lose is found too.
func TestCountOfOtherAdapters(t *testing.T) {
	events := history(t, 12) // of repo0: 0, 3, 6, 9, each at a coordinate of its own
	lapped := func(missed uint64) *core.PrunedError { return &core.PrunedError{Missed: missed, HasMissed: true} }
	for name, c := range map[string]struct {
		reader *reader
		first  int // that was missed; -1: none
		want   string
	}{
		"overwritten":                     {&reader{adapter: "overwrite", received: []uint32{6, 9}, lost: 2}, -1, ""},
		"held and overwritten":            {&reader{adapter: "overwrite", received: []uint32{0}, held: []uint32{9}, lost: 2}, -1, ""},
		"overwritten and not counted":     {&reader{adapter: "overwrite", received: []uint32{6, 9}, lost: 1}, -1, "4 events match, and 3 were"},
		"the newest overwritten":          {&reader{adapter: "overwrite", received: []uint32{0, 3, 6}, lost: 1}, -1, "event 9: it is the newest, and was lost"},
		"overwriting in disorder":         {&reader{adapter: "overwrite", received: []uint32{9, 6}, lost: 2}, -1, "event 6: it was given out after"},
		"latest in the order of its keys": {&reader{adapter: "latest", received: []uint32{9, 3, 0, 6}}, -1, ""},
		"a latest one replaced":           {&reader{adapter: "latest", received: []uint32{9, 3, 0}, lost: 1}, -1, "event 6: it is the latest of its coordinate"},
		"a latest one twice":              {&reader{adapter: "latest", received: []uint32{9, 3, 9, 0}}, -1, "event 9: it was given out twice"},
		"lapped":                          {&reader{adapter: "multicast", received: []uint32{0, 3}, pruned: lapped(5)}, 6, ""},
		"lapped at once":                  {&reader{adapter: "multicast", pruned: lapped(0)}, 0, ""},
		"lapped later than it says":       {&reader{adapter: "multicast", received: []uint32{0, 3}, pruned: lapped(7)}, 6, "event 6: it was missed, and event 7 is said"},
		"lapped and read on":              {&reader{adapter: "multicast", received: []uint32{0, 6}, pruned: lapped(1)}, 3, "event 6: it was given out after event 3"},
		"lapped and missed nothing":       {&reader{adapter: "multicast", received: []uint32{0, 3, 6, 9}, pruned: lapped(5)}, -1, "lapped, and missed nothing"},
		"multicast with a gap":            {&reader{adapter: "multicast", received: []uint32{0, 6, 9}}, -1, "event 3: it matches, and was neither"},
	} {
		r := c.reader
		r.region = region.Region{Scope: "repo0"}
		tallies, wrong := newCount(events, nil).all([]*reader{r})
		first := -1
		if p := tallies[0].first; p != nil {
			first = int(*p)
		}
		if first != c.first {
			t.Errorf("%s: first missed %d, want %d", name, first, c.first)
		}
		switch {
		case c.want == "" && wrong != nil:
			t.Errorf("%s: got %v", name, wrong)
		case c.want != "" && (wrong == nil || !strings.Contains(wrong.Error(), c.want)):
			t.Errorf("%s: got %v, want %s", name, wrong, c.want)
		}
	}
}
