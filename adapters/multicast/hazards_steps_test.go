//go:build spillway_steps

package multicast

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"
	"weak"

	"github.com/spillwayhq/spillway/adapters/internal/steptest"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// over is a context under which a read that finds nothing returns.
func over() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func broadcast(f *core.Fanout[int], from, to int) {
	for n := from; n < to; n++ {
		f.Broadcast(n)
	}
}

func readerOf[T any](t *testing.T, m *Ring[T], from Start) *Reader[T] {
	t.Helper()
	r, err := m.Reader(context.Background(), from)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wantThere looks whether what there is for a Reader are the numbers from from to to, to excluded.
func wantThere(t *testing.T, r *Reader[int], from, to int) {
	t.Helper()
	got := make([]int, to-from+5)
	n, err := r.NextBatch(over(), got)
	var want []int
	for v := from; v < to; v++ {
		want = append(want, v)
	}
	if !slices.Equal(got[:n], want) || n > 0 != (err == nil) || n == 0 && !errors.Is(err, context.Canceled) {
		t.Errorf("read %v, %v; want %v", got[:n], err, want)
	}
}

func wantLapped(t *testing.T, r *Reader[int], missed uint64) {
	t.Helper()
	v, err := r.Next(over())
	var pruned *core.PrunedError
	if !errors.As(err, &pruned) || !pruned.HasMissed || pruned.Missed != missed {
		t.Errorf("read %v, %v; want it to be lapped, and to have missed %d", v, err, missed)
	}
}

// wantOldest looks whether who comes now reads the numbers from from to to.
func wantOldest(t *testing.T, m *Ring[int], from, to int) {
	t.Helper()
	r := readerOf(t, m, FromOldest)
	wantThere(t, r, from, to)
	r.Cancel()
}

// closeAll ends the Fanout and waits for all that there is to do then.
func closeAll[T any](t *testing.T, f *core.Fanout[T]) {
	t.Helper()
	_ = f.Close()
	if err := f.Wait(context.Background()); err != nil {
		t.Error(err)
	}
}

// A writer that stops between its claim and its event holds up no writer; Readers wait at its place, and are lapped there at
// exactly capacity + 1. Where it goes on in time they get its event in its place.
func TestH90StoppedWriter(t *testing.T) {
	for _, at := range []string{"multicast:claimed", "multicast:opening", "multicast:entered", "multicast:written"} {
		for _, capacity := range []int{1, 2, 3, 8, 20} {
			for _, first := range []uint64{0, math.MaxUint64 - 4} {
				for _, inTime := range []bool{true, false} {
					t.Run(fmt.Sprintf("%s/capacity=%d/first=%d/inTime=%v", at, capacity, first, inTime), func(t *testing.T) {
						const before = 3
						f := numbers(false)
						m := openAt(t, f, capacity, first)
						r := readerOf(t, m, FromNext)
						for n := range before {
							f.Broadcast(n)
							wantThere(t, r, n, n+1)
						}
						goOn := steptest.StopAt(t, at, func() { f.Broadcast(before) })
						broadcast(f, before+1, before+capacity)
						wantThere(t, r, 0, 0)
						if inTime {
							goOn()
							wantReadAll(t, r, before, before+capacity)
						}
						f.Broadcast(before + capacity)
						if inTime {
							wantThere(t, r, before+capacity, before+capacity+1)
						} else {
							wantLapped(t, r, before)
							wantOldest(t, m, before+1, before+capacity+1)
							goOn()
						}
						wantOldest(t, m, before+1, before+capacity+1)
						closeAll(t, f)
					})
				}
			}
		}
	}
}

// A writer whose place comes after that of a higher sequence may be what a Reader that is lapped later missed first.
func TestH82MissedIsNoHigherThanAnOvertakenWriters(t *testing.T) {
	f := numbers(false)
	m := openAt(t, f, 3, 0)
	r := readerOf(t, m, FromNext)
	f.Broadcast(0)
	goOn := steptest.StopAt(t, "multicast:coming", func() { f.Broadcast(1) })
	broadcast(f, 5, 7)
	for _, want := range []int{0, 5, 6} {
		if v, err := r.Next(over()); v != want || err != nil {
			t.Errorf("read %d, %v; want %d", v, err, want)
		}
	}
	goOn()
	broadcast(f, 7, 10)
	wantLapped(t, r, 1)
	closeAll(t, f)
}

// wantReadAll is wantThere where a batch may end with its window.
func wantReadAll(t *testing.T, r *Reader[int], from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if v, err := r.Next(over()); v != n || err != nil {
			t.Errorf("read %d, %v; want %d", v, err, n)
		}
	}
	wantThere(t, r, 0, 0)
}

// What a writer publishes in a window that the ring has come round to meanwhile nobody reads, and nobody later reads it in
// the place of another event.
func TestH78WriterInDeadWindow(t *testing.T) {
	for _, at := range []string{"multicast:entered", "multicast:written", "multicast:published"} {
		for _, capacity := range []int{1, 3, 20} {
			for _, laps := range []int{1, 2, 3} {
				f := numbers(false)
				m := openAt(t, f, capacity, 0)
				round := windows << m.bits
				goOn := steptest.StopAt(t, at, func() { f.Broadcast(0) })
				was := m.windows[0].Load()
				end := laps*round + 1
				broadcast(f, 1, end)
				if m.windows[0].Load() == was {
					t.Errorf("%s, capacity %d: a window was opened anew though a writer is inside", at, capacity)
				}
				wantOldest(t, m, end-capacity, end)
				goOn()
				wantOldest(t, m, end-capacity, end)
				r := readerOf(t, m, FromNext)
				for n := end; n < end+2*round; n++ {
					f.Broadcast(n)
					wantThere(t, r, n, n+1)
				}
				closeAll(t, f)
			}
		}
	}
}

// A writer that stops before it has put a new window in a dead one's place finds another's there, or that it was lapped.
func TestStoppedWhileReplacing(t *testing.T) {
	for _, more := range []int{1, 3, 100} {
		f := numbers(false)
		m := openAt(t, f, 20, 0)
		round := windows << m.bits
		f.Broadcast(0)
		inside := m.windows[0].Load()
		inside.readers.Add(1) // as a Reader in mid-copy
		broadcast(f, 1, round)
		goOn := steptest.StopAt(t, "multicast:replacing", func() { f.Broadcast(round) })
		broadcast(f, round+1, round+1+more)
		goOn()
		end := round + 1 + more
		if more < 20 {
			wantReadAll(t, readerOf(t, m, FromOldest), end-20, end)
		} else {
			wantOldest(t, m, end-20, end)
		}
		if m.windows[0].Load() == inside {
			t.Error("the window is in its place still")
		}
		closeAll(t, f)
	}
}

// A Reader that stops anywhere in a read while the ring comes round gets what it would have got before, whole, or is
// lapped; the window it is in is replaced. The race detector has nothing to say.
func TestH78ReaderInsideWhileTheRingComesRound(t *testing.T) {
	for at, reads := range map[string]bool{
		"multicast:not-lapped": false, "multicast:counted-in": false, "multicast:inside": true, "multicast:copied": true,
	} {
		for _, single := range []bool{false, true} {
			for _, laps := range []int{1, 2, 3} {
				t.Run(fmt.Sprintf("%s/single=%v/laps=%d", at, single, laps), func(t *testing.T) {
					f := core.New(core.Config[wide]{SingleWriter: single})
					m, err := Open(context.Background(), f, region.Region{}, 20)
					if err != nil {
						t.Fatal(err)
					}
					size := 1 << m.bits
					r := readerOf(t, m, FromNext)
					for n := range 2 * size {
						f.Broadcast(newWide(1, n))
					}
					was := m.windows[0].Load()
					got := make([]wide, size+1)
					var n int
					goOn := steptest.StopAt(t, at, func() { n, err = r.NextBatch(context.Background(), got) })
					for n := 2 * size; n < (laps*windows+2)*size; n++ { // the window after it is another's then, too
						f.Broadcast(newWide(1, n))
					}
					if replaced := m.windows[0].Load() != was; replaced != (at != "multicast:not-lapped") {
						t.Errorf("the window was replaced: %v", replaced)
					}
					goOn()
					switch {
					case !reads && (n != 0 || !errors.Is(err, core.ErrPruned)):
						t.Errorf("read %v, %v; want it to be lapped", got[:n], err)
					case reads && (n != size || err != nil):
						t.Errorf("read %d, %v; want the %d of the window", n, err, size)
					}
					for i, v := range got[:n] {
						if !v.whole() || v.n != i {
							t.Errorf("place %d: read %+v", i, v)
						}
					}
					if _, err := r.Next(over()); !errors.Is(err, core.ErrPruned) {
						t.Errorf("and then: %v, want it to be lapped", err)
					}
					closeAll(t, f)
				})
			}
		}
	}
}

// A Reader that stops in mid-copy keeps its window's events, and of those that came later no more than the ring has.
func TestH95StoppedReaderKeepsItsWindowAlone(t *testing.T) {
	f := core.New(core.Config[*[64]byte]{})
	m, err := Open(context.Background(), f, region.Region{}, 20)
	if err != nil {
		t.Fatal(err)
	}
	size := 1 << m.bits
	events := make([]weak.Pointer[[64]byte], 0, 5*windows*size)
	add := func(n int) {
		for range n {
			v := new([64]byte)
			events = append(events, weak.Make(v))
			f.Broadcast(v)
		}
	}
	r := readerOf(t, m, FromNext)
	add(size)
	goOn := steptest.StopAt(t, "multicast:inside", func() { _, _ = r.NextBatch(context.Background(), make([]*[64]byte, 1)) })
	add(4 * windows * size)
	kept := func() (n int) {
		runtime.GC()
		runtime.GC()
		for _, e := range events[:len(events)-windows*size] {
			if e.Value() != nil {
				n++
			}
		}
		return n
	}
	if n := kept(); n != size {
		t.Errorf("%d events are kept besides those that the ring has, want the %d of the window", n, size)
	}
	goOn()
	r.Cancel()
	if n := kept(); n > 0 {
		t.Errorf("%d events are kept when the Reader has left the window", n)
	}
	runtime.KeepAlive(m)
	closeAll(t, f)
}
