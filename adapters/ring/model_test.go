package ring

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/spillwayhq/spillway/core"
)

// nearWrap is a number from which a few laps lead over the place where laps wrap.
func nearWrap(capacity int) uint64 {
	laps := uint64(1) << (64 - shapeFor(capacity).cellBits - 2)
	return (laps - 2) * uint64(capacity)
}

// A ring does what a slice does: one writer, one reader, in turns.
func TestAgainstSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		capacity := rapid.IntRange(1, 9).Draw(t, "capacity")
		kind := rapid.SampledFrom([]string{"single", "shared", "overwriting", "overwriting near the wrap"}).Draw(t, "kind")
		var r buffer[int]
		overwrites := false
		switch kind {
		case "single":
			r = newSingle[int](capacity)
		case "shared":
			r = newShared[int](capacity)
		case "overwriting":
			r, overwrites = newOverwriting[int](capacity, 0), true
		default:
			r, overwrites = newOverwriting[int](capacity, nearWrap(capacity)), true
		}
		var held []int
		next, lost := 0, uint64(0)
		t.Repeat(map[string]func(*rapid.T){
			"offer": func(t *rapid.T) {
				next++
				got, want := r.Offer(next), core.Accepted
				switch {
				case len(held) < capacity:
					held = append(held, next)
				case overwrites:
					held = append(held[1:], next)
					lost++
				default:
					want = core.Full
				}
				if got != want {
					t.Fatalf("Offer with %d held: got %v, want %v", len(held), got, want)
				}
			},
			"take": func(t *rapid.T) {
				dst := make([]int, rapid.IntRange(1, 12).Draw(t, "room"))
				n := r.Take(dst)
				want := min(len(dst), len(held))
				if !slices.Equal(dst[:n], held[:want]) {
					t.Fatalf("Take: got %v, want %v", dst[:n], held[:want])
				}
				held = held[want:]
			},
			"": func(t *rapid.T) {
				if got := r.lostCount(); got != lost {
					t.Fatalf("lost: got %d, want %d", got, lost)
				}
				if g, ok := r.(interface{ Held() (int, int) }); ok {
					if h, c := g.Held(); h != len(held) || c != capacity {
						t.Fatalf("Held: got %d of %d, want %d of %d", h, c, len(held), capacity)
					}
				}
			},
		})
	})
}

// A wide payload is wider than any word: were it read while it is written, its parts would not agree.
type wide struct {
	text   string
	any    any
	list   []int
	writer int
	n      int
}

func newWide(writer, n int) wide {
	return wide{text: fmt.Sprint(writer, n), any: n, list: []int{writer, n}, writer: writer, n: n}
}

func (w wide) whole() bool {
	return w.text == fmt.Sprint(w.writer, w.n) && w.any == w.n && len(w.list) == 2 && w.list[0] == w.writer && w.list[1] == w.n
}

// Writers overwrite what nobody reads, and what somebody does: no event is torn, none comes twice, each writer's come
// in its order, and those received, held and lost are those offered.
func TestOverwriteAccounts(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		for _, capacity := range []int{1, 2, 3, 64} {
			for _, first := range []uint64{0, nearWrap(capacity)} {
				t.Run(fmt.Sprintf("procs=%d/capacity=%d/first=%d", procs, capacity, first), func(t *testing.T) {
					defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
					const writers = 4
					each := 10_000
					if testing.Short() {
						each = 2000
					}
					r := newOverwriting[wide](capacity, first)
					var wg sync.WaitGroup
					for w := range writers {
						wg.Go(func() {
							for n := range each {
								if v := r.Offer(newWide(w, n)); v != core.Accepted {
									t.Errorf("Offer: %v", v)
								}
							}
						})
					}
					written := make(chan struct{})
					go func() { wg.Wait(); close(written) }()
					last := []int{-1, -1, -1, -1}
					received := uint64(0)
					dst := make([]wide, 7)
					for over := false; !over; {
						select {
						case <-written:
							over = true
						default:
						}
						for n := r.Take(dst); n > 0; n = r.Take(dst) {
							for _, v := range dst[:n] {
								if !v.whole() {
									t.Fatalf("torn: %+v", v)
								}
								if v.n <= last[v.writer] {
									t.Fatalf("writer %d: %d after %d", v.writer, v.n, last[v.writer])
								}
								last[v.writer] = v.n
							}
							received += uint64(n)
						}
						runtime.Gosched()
					}
					if got := received + r.Lost(); got != uint64(writers*each) {
						t.Errorf("received %d, lost %d: together %d, want %d", received, r.Lost(), got, writers*each)
					}
				})
			}
		}
	}
}

// A writer that stops after it claimed a slot is passed, time and again, and the cells that takes are bounded.
func TestCellsComeBack(t *testing.T) {
	var c cells[int]
	c.init(3)
	var out []uint64
	for range 100 {
		n, ok := c.get()
		if !ok || n < 3 {
			t.Fatalf("get: %d, %v", n, ok)
		}
		c.at(n).v = int(n)
		out = append(out, n)
	}
	for _, n := range out {
		if c.at(n).v != int(n) {
			t.Fatalf("cell %d is not its own", n)
		}
		c.put(n)
	}
	for range 100 {
		if n, ok := c.get(); !ok || n >= 103 {
			t.Fatalf("get after put: %d, %v", n, ok)
		}
	}
	for n := 100; n < mostMore; n++ {
		if _, ok := c.get(); !ok {
			t.Fatalf("none left after %d", n)
		}
	}
	if _, ok := c.get(); ok {
		t.Error("one more than there are")
	}
}

func TestOfferAllocatesNothing(t *testing.T) {
	for name, r := range map[string]buffer[int]{
		"single":      newSingle[int](4),
		"shared":      newShared[int](4),
		"overwriting": newOverwriting[int](4, 0),
	} {
		dst := make([]int, 3)
		if n := testing.AllocsPerRun(1000, func() {
			r.Offer(1)
			r.Offer(2)
			r.Take(dst)
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
