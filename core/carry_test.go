package core

import "testing"

// A mark that is half full of figures hands them over, and they go on.
func TestFiguresGoOnWhenAMarkHandsOver(t *testing.T) {
	for _, start := range []uint64{
		1<<(acceptedAt-1) - 2<<finishedAt,                          // finished is about to be half full
		1<<63 - 14<<acceptedAt,                                     // accepted is
		1<<63 - 14<<acceptedAt + 1<<(acceptedAt-1) - 2<<finishedAt, // both are
	} {
		var g grace
		g.mark[0].word.Store(start)
		finished, accepted := figuresOf(start)
		for range 5 {
			e, _ := g.tryEnter()
			g.leave(e, 1, 7)
			finished++
			accepted += 7
			if f, a := g.figures(); f != finished || a != accepted {
				t.Fatalf("from %#x: %d finished and %d accepted, want %d and %d", start, f, a, finished, accepted)
			}
		}
		if word := g.mark[0].word.Load(); word&inside != 0 || word&halfFull != 0 {
			t.Errorf("from %#x: the word is %#x, want nobody inside and room for more", start, word)
		}
	}
}

// One broadcast that millions accept has no room in a word.
func TestFiguresOfALargeBroadcast(t *testing.T) {
	var g grace
	const many = 1 << 30
	for n := range uint64(3) {
		if f, a := g.figures(); f != n || a != n*many {
			t.Fatalf("%d finished and %d accepted, want %d and %d", f, a, n, n*many)
		}
		e, _ := g.tryEnter()
		g.leave(e, 1, many)
	}
}
