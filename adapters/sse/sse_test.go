package sse_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/spillwayhq/spillway/adapters/sse"
)

// Several Regions are one stream: each event once, in order, read from the log and pushed.
func TestRegionsAreOneStream(t *testing.T) {
	b := open(t, nil)
	for range 50 {
		b.append("a", 1)
		b.append("b", 1)
		b.append("c", 1)
	}
	query := "/?from=0&region=entity%3Da&region=entity%3Dc&region=entity%3Da%7Cscope%3Dshop"
	var want []uint64
	for n := range uint64(200) {
		if n%3 != 1 {
			want = append(want, n)
		}
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		for range 50 {
			b.append("a", 1)
			b.append("b", 1)
			b.append("c", 1)
		}
	})
	if got := b.follow(query, sse.FollowOptions{}, len(want)); !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}
