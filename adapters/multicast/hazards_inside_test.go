package multicast

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"unsafe"

	"github.com/spillwayhq/spillway/core"
)

// numbersFrom returns those from from to to, to excluded.
func numbersFrom(from, to int) (ns []int) {
	for n := from; n < to; n++ {
		ns = append(ns, n)
	}
	return ns
}

// begin returns a new Reader, or fails.
func begin(t testing.TB, m *Ring[int], from Start) *Reader[int] {
	t.Helper()
	r, err := m.Reader(context.Background(), from)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wantRead takes more than there can be, and compares it with the numbers from from to to.
func wantRead(t testing.TB, r *Reader[int], from, to int) {
	t.Helper()
	over, cancel := context.WithCancel(context.Background())
	cancel()
	var got []int
	for dst := make([]int, 3); ; {
		n, err := r.NextBatch(over, dst)
		if got = append(got, dst[:n]...); err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("read %v, then %v", got, err)
			}
			break
		}
	}
	if !slices.Equal(got, numbersFrom(from, to)) {
		t.Fatalf("read %v, want %d to %d", got, from, to-1)
	}
}

// wantMissed expects r to find that it was lapped at the event missed.
func wantMissed(t testing.TB, r *Reader[int], missed int) {
	t.Helper()
	v, err := r.Next(context.Background())
	var pruned *core.PrunedError
	if v != 0 || !errors.As(err, &pruned) || pruned.Missed != uint64(missed) || !pruned.HasMissed {
		t.Fatalf("got %d, %v; want a prune that missed %d", v, err, missed)
	}
}

// Across the place where numbers wrap the ring does what it does elsewhere: for a Reader that keeps up, for one that
// is always as far behind as may be, for those that begin there, and for one that is lapped there.
func TestH77NumbersWrap(t *testing.T) {
	for _, single := range []bool{true, false} {
		for _, capacity := range []int{1, 2, 3, 5, 7, 8, 20} {
			size := uint64(1) << bitsFor(capacity)
			for back := uint64(0); back <= 2*size+2; back++ {
				t.Run(fmt.Sprintf("single=%v/capacity=%d/back=%d", single, capacity, back), func(t *testing.T) {
					f := numbers(single)
					m := openAt(t, f, capacity, -back)
					wrap(t, f, m, capacity, int(2*size*windows))
					m.Cancel()
					if err := f.Wait(context.Background()); err != nil {
						t.Fatal(err)
					}
				})
			}
		}
	}
}

func wrap(t *testing.T, f *core.Fanout[int], m *Ring[int], capacity, events int) {
	keepsUp, behind := begin(t, m, FromNext), begin(t, m, FromNext)
	for n := range events {
		next, oldest, lapped := begin(t, m, FromNext), begin(t, m, FromOldest), begin(t, m, FromOldest)
		wantRead(t, oldest, max(0, n-capacity), n)
		f.Broadcast(n)
		wantRead(t, keepsUp, n, n+1)
		wantRead(t, next, n, n+1)
		wantRead(t, oldest, n, n+1)
		if lag := behind.Lag(); lag > capacity {
			t.Fatalf("Lag %d of %d", lag, capacity)
		} else if lag == capacity {
			if v, err := behind.Next(context.Background()); v != n+1-capacity || err != nil {
				t.Fatalf("the one that lags: got %d, %v, want %d", v, err, n+1-capacity)
			}
		}
		if n >= capacity {
			wantMissed(t, lapped, n-capacity)
		}
		for _, r := range []*Reader[int]{next, oldest, lapped} {
			r.Cancel()
		}
	}
	if tail := m.tail.Load(); tail >= 1<<63 {
		t.Errorf("the numbers went to %x, and did not wrap", tail)
	}
}

// A Reader that was away however long, also for as long as what is kept of a window's number takes to come round, is
// lapped, and reads nothing in its place.
func TestH80AwayUntilNumbersComeRound(t *testing.T) {
	for _, capacity := range []int{1, 3, 7, 8, 100} {
		bits := bitsFor(capacity)
		round := uint64(1) << (64 - numberAt + bits) // of the numbers in the windows' words
		for _, away := range []uint64{uint64(capacity) + 1, 1 << 32, round / 2, round - 1, round, round + 1, 3 * round, 1 << 63, -uint64(capacity) - 1} {
			f := numbers(false)
			m := openAt(t, f, capacity, away) // as it would be, had the Reader begun at 0
			for n := range capacity {
				f.Broadcast(n)
			}
			r := begin(t, m, FromOldest)
			r.place -= away
			if n, err := r.NextBatch(t.Context(), make([]int, 2*capacity)); n != 0 || !errors.Is(err, core.ErrPruned) {
				t.Errorf("capacity %d, away for %x: got %d, %v", capacity, away, n, err)
			}
			if lag := r.Lag(); lag <= capacity {
				t.Errorf("capacity %d, away for %x: Lag %d", capacity, away, lag)
			}
			_ = f.Close()
		}
	}
}

// What waking costs the writer does not depend on how many wait: it starts one goroutine, when somebody has lain down
// since the last, and touches nobody itself. Where there is but one Reader it hands that a token, and starts none; see
// TestH87SoleReaderGetsOneToken.
func TestH87OneHandOffHoweverMany(t *testing.T) {
	for _, single := range []bool{true, false} {
		for _, readers := range []int{0, 1, 2, 10, 1000} {
			handOffs := 1
			if readers < 2 {
				handOffs = 0
			}
			synctest.Test(t, func(t *testing.T) {
				f := numbers(single)
				m := openAt(t, f, 100, 0)
				handed := make(chan struct{}, 100)
				m.sleep.start = func() { handed <- struct{}{} }
				got := make(chan int, 100*readers)
				for range readers {
					r := begin(t, m, FromNext)
					go func() {
						for v, err := range r.All() {
							if err == nil {
								got <- v
							}
						}
					}()
				}
				synctest.Wait() // all have lain down
				events := 0
				for range 3 {
					for range 20 {
						f.Broadcast(events)
						events++
					}
					synctest.Wait()
					if readers > 1 && len(got) != 0 {
						t.Fatalf("%d readers: the writer has woken %d itself", readers, len(got))
					}
					if len(handed) != handOffs {
						t.Fatalf("%d readers: %d hand-offs for 20 events, want %d", readers, len(handed), handOffs)
					}
					if handOffs > 0 {
						<-handed
						go m.sleep.wakeAll()
					}
					for n := range 20 * readers {
						if v := <-got; v < events-20 {
							t.Fatalf("%d readers, delivery %d: event %d, which was read before", readers, n, v)
						}
					}
					synctest.Wait() // and have lain down again
					if waker := m.sleep.waker.Load(); waker != nothing {
						t.Errorf("%d readers: the waker does %d still", readers, waker)
					}
				}
				m.sleep.start = m.sleep.wakeAll
				_ = f.Close()
				synctest.Wait()
			})
		}
	}
}

// A writer hands nothing off while nobody waits, though somebody did before.
func TestH87NobodyWaits(t *testing.T) {
	for _, single := range []bool{true, false} {
		for readers := 1; readers <= 2; readers++ {
			f := numbers(single)
			m := openAt(t, f, 4, 0)
			handed := 0
			m.sleep.start = func() { t.Error("a goroutine was started") }
			r := begin(t, m, FromNext)
			for range readers - 1 {
				begin(t, m, FromNext)
			}
			if n, err := r.look(make([]int, 1)); n != 0 || err != nil { // it finds nothing, and lists itself
				t.Fatalf("got %d, %v", n, err)
			}
			m.sleep.waker.Store(goesRound) // one that runs already
			for n := range 20 {
				if f.Broadcast(n); m.sleep.waker.Load() == goesAgain {
					handed++
					m.sleep.wakeAll()
					m.sleep.waker.Store(goesRound)
				}
			}
			if handed != readers-1 {
				t.Errorf("%d readers: 20 events were handed off %d times for one that lay down once", readers, handed)
			}
			if m.sleep.asleep.Load() {
				t.Errorf("%d readers: one that lay down once is asleep after 20 events", readers)
			}
			m.sleep.waker.Store(nothing)
			m.sleep.start = m.sleep.wakeAll
			_ = f.Close()
		}
	}
}

// claim is a writer that stops when it has claimed its place; what it returns is how it goes on.
func claim(m *Ring[int], v int) (goOn func()) {
	m.order.coming(uint64(v))
	place := m.tail.Add(1) - 1
	return func() {
		if w := m.enter(place >> m.bits); w != nil {
			w.publish(place, &v)
			m.leave(w)
		}
		m.sleep.wake()
	}
}

// What is claimed and not written is not read, nor what comes after it, at the start of a window, in it and at its
// end, by Readers that come up to it and by those that begin there.
func TestH89UnwrittenIsNotRead(t *testing.T) {
	for _, capacity := range []int{3, 14, 20} {
		for _, first := range []uint64{0, math.MaxUint64 - 20} {
			for before := range 2 << bitsFor(capacity) {
				f := numbers(false)
				m := openAt(t, f, capacity, first)
				r := begin(t, m, FromNext)
				for n := range before {
					f.Broadcast(n)
					wantRead(t, r, n, n+1)
				}
				at := begin(t, m, FromNext)
				goOn := claim(m, before)
				after := begin(t, m, FromNext)
				for n := 1; n < capacity; n++ {
					f.Broadcast(before + n)
				}
				wantRead(t, r, 0, 0)
				wantRead(t, at, 0, 0)
				wantRead(t, after, before+1, before+capacity)
				goOn()
				wantRead(t, r, before, before+capacity)
				wantRead(t, at, before, before+capacity)
				wantRead(t, after, 0, 0)
				_ = f.Close()
			}
		}
	}
}

// A writer that stops in mid-claim is waited for by Readers and by no writer, until the ring gets its capacity ahead;
// then they are lapped there, and its event is nobody's when it goes on, however late.
func TestH90StoppedWriterIsLapped(t *testing.T) {
	for _, capacity := range []int{1, 2, 3, 8, 20} {
		for _, first := range []uint64{0, math.MaxUint64 - 5} {
			for _, more := range []int{1, capacity, 20 * capacity} {
				f := numbers(false)
				m := openAt(t, f, capacity, first)
				r := begin(t, m, FromNext)
				goOn := claim(m, 0)
				for n := 1; n < capacity; n++ {
					f.Broadcast(n)
				}
				wantRead(t, r, 0, 0)
				for n := range more {
					if o := f.Broadcast(capacity + n); o.Accepted != 1 {
						t.Fatalf("beside a writer that is stopped: %+v", o)
					}
				}
				wantMissed(t, r, 0)
				last := capacity + more
				oldest := begin(t, m, FromOldest)
				goOn()
				wantRead(t, oldest, last-capacity, last)
				f.Broadcast(last)
				wantRead(t, oldest, last, last+1)
				wantRead(t, begin(t, m, FromOldest), last+1-capacity, last+1)
				_ = f.Close()
			}
		}
	}
}

// What writers write, what Readers write and what nobody does are on cache lines of their own.
func TestH96CacheLines(t *testing.T) {
	const line = 64
	var m Ring[int]
	var w window[int]
	var s sleep[int]
	for name, apart := range map[string]uintptr{
		"what the ring is, and tail":         unsafe.Offsetof(m.tail) - unsafe.Offsetof(m.inside),
		"tail and what comes after it":       unsafe.Offsetof(m.order) - unsafe.Offsetof(m.tail),
		"a window's word and its readers":    unsafe.Offsetof(w.readers) - unsafe.Offsetof(w.word),
		"its readers and where its ring is":  unsafe.Offsetof(w.ready) - unsafe.Offsetof(w.readers),
		"one shard of the sleeping and next": unsafe.Sizeof(s.shards[0]),
	} {
		if apart+8 <= line { // on 32-bit machines the pads are up to a word short of a line
			t.Errorf("%s are %d bytes apart, want %d", name, apart, line)
		}
	}
}
