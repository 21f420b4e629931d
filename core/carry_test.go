package core

import "testing"

// The upper part of a mark overflows after 2^40 broadcasts: leave carries, and the figure goes on.
func TestBroadcastsGoOnWhenAMarkOverflows(t *testing.T) {
	var g grace
	const near = 1<<(64-insideBits) - 2
	g.mark[0].word.Store(near << insideBits)
	for n := range uint64(5) {
		if got := g.finished(); got != near+n {
			t.Fatalf("after %d more: got %d finished, want %d", n, got, near+n)
		}
		g.leave(g.enter(), 1)
	}
	if inside := g.mark[0].word.Load() & inside; inside != 0 {
		t.Errorf("%d are inside", inside)
	}
}
