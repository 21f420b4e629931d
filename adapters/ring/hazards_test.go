package ring_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/core"
)

// Lapped once more before it could read on, a reader goes on at the oldest, and the sums stay exact.
func TestH83LappedAgain(t *testing.T) {
	for _, capacity := range []int{1, 2, 3, 8} {
		f, s := overwriting.open(t, capacity)
		sent, read, dst := 0, 0, make([]int, capacity)
		for _, laps := range []int{1, 3, 1, 0, 2} {
			for range 2 { // the second time it has just been told
				broadcast(f, sent, sent+laps*capacity+1)
				sent += laps*capacity + 1
				oldest := max(read, sent-capacity)
				if n, err := s.Next(t.Context()); n != oldest || err != nil {
					t.Fatalf("capacity %d: got %d, %v, want %d: the oldest", capacity, n, err, oldest)
				}
				if lost := sent - capacity; lost > 0 && s.Lost() > uint64(lost) {
					t.Fatalf("capacity %d: Lost %d of %d, want %d at most", capacity, s.Lost(), sent, lost)
				}
				read = oldest + 1
			}
		}
		_ = f.Close()
		<-s.Done()
		for {
			n, err := s.NextBatch(t.Context(), dst)
			if err != nil {
				break
			}
			if !slices.Equal(dst[:n], numbers(read, read+n)) {
				t.Errorf("capacity %d: got %v, want what comes from %d on", capacity, dst[:n], read)
			}
			read += n
		}
		if read != sent {
			t.Errorf("capacity %d: read up to %d, want %d", capacity, read, sent)
		}
	}
}

// A reader that was lapped and finds the end is given what is left, then the end; what it lost is in Lost alone.
func TestH84RestThenEnd(t *testing.T) {
	for _, e := range ends[:3] {
		f, s := overwriting.open(t, 3)
		broadcast(f, 0, 2)
		if n, err := s.Next(t.Context()); n != 0 || err != nil {
			t.Fatalf("%s: got %d, %v", e.name, n, err)
		}
		broadcast(f, 2, 10)
		e.by(f, s, func(error) { s.Cancel() })
		<-s.Done()
		if got := drain(t, s); !slices.Equal(got, numbers(7, 10)) {
			t.Errorf("%s: got %v, want 7 to 9", e.name, got)
		}
		if errors.Is(s.Err(), core.ErrPruned) || s.Lost() != 6 {
			t.Errorf("%s: Err %v, Lost %d; want no prune, and 6 lost", e.name, s.Err(), s.Lost())
		}
	}
}

// A reader on its way to sleep is woken by that one event after which no other comes.
func TestH85OneEventAlone(t *testing.T) {
	each(t, func(t *testing.T, v variety) {
		synctest.Test(t, func(t *testing.T) {
			f, s := v.open(t, 2)
			for n := range rounds(3000) {
				got := make(chan int)
				go func() { n, _ := s.Next(t.Context()); got <- n }()
				for range n % 20 {
					runtime.Gosched()
				}
				f.Broadcast(n)
				if m := <-got; m != n { // were it asleep, everybody would be: synctest says so
					t.Fatalf("got %d, want %d", m, n)
				}
			}
			s.Cancel()
			<-s.Done()
		})
	})
}

// Readers that wait leave the processors to the writers, however few there are.
func TestH88MoreReadersThanProcessors(t *testing.T) {
	each(t, func(t *testing.T, v variety) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		events := rounds(2000)
		f, s := v.open(t, events)
		var got tally
		var readers sync.WaitGroup
		for range 100 {
			readers.Go(func() {
				for n, err := range s.All() {
					if err == nil {
						got.add(n)
					}
				}
			})
		}
		for n := range events {
			f.Broadcast(n)
			for got.len() <= n {
				runtime.Gosched()
			}
		}
		_ = f.Close()
		readers.Wait()
		if !slices.Equal(got.taken, numbers(0, events)) {
			t.Errorf("got %d events, want %d in order", len(got.taken), events)
		}
	})
}

// Two Broadcasts at once on a Fanout with one writer are found out before the second reaches the ring.
func TestH91SecondWriterIsFoundOut(t *testing.T) {
	f, s := single.open(t, 8)
	var misuse *core.MisuseError
	inside := func(n int) {
		defer func() { misuse, _ = recover().(*core.MisuseError) }()
		f.Broadcast(n)
	}
	if _, err := f.Subscribe(t.Context(), s.Region(), nested{func(n int) { inside(n + 100) }}); err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		misuse = nil
		f.Broadcast(n)
		if misuse == nil {
			t.Fatalf("broadcast %d: a second one went through meanwhile", n)
		}
	}
	_ = f.Close()
	if got := drain(t, s); !slices.Equal(got, numbers(0, 3)) {
		t.Errorf("got %v, want 0 to 2", got)
	}
	_ = f.Wait(t.Context())
}

// A nested sink is a function that is called with each event.
type nested struct{ offer func(int) }

func (s nested) Offer(n int) core.Verdict { s.offer(n); return core.Accepted }
func (nested) Close(error)                {}

// A reader that never comes gates nobody: with Prune it goes at the first event too many, with Overwrite it loses.
func TestH92NobodyGates(t *testing.T) {
	each(t, func(t *testing.T, v variety) {
		f, stuck := v.open(t, 4)
		reads := subscribe(t, f, v.of(100))
		for n := range 1000 {
			f.Broadcast(n)
			if got, err := reads.Next(t.Context()); got != n || err != nil {
				t.Fatalf("the other reader: got %d, %v, want %d", got, err, n)
			}
		}
		if v == overwriting {
			if stuck.Lost() != 996 || stuck.Err() != nil {
				t.Errorf("Lost %d, Err %v; want 996, nil", stuck.Lost(), stuck.Err())
			}
		} else if <-stuck.Done(); !errors.Is(stuck.Err(), core.ErrPruned) {
			t.Errorf("Err: got %v, want a prune", stuck.Err())
		}
		_ = f.Close()
		<-reads.Done()
		<-stuck.Done()
	})
}

// A batch is the caller's own: later events leave it as it is, and what the caller writes there is in no ring.
func TestH94BatchIsACopy(t *testing.T) {
	each(t, func(t *testing.T, v variety) {
		f, s := v.open(t, 4)
		broadcast(f, 0, 4)
		first, second := make([]int, 4), make([]int, 4)
		if n, err := s.NextBatch(t.Context(), first); n != 4 || err != nil {
			t.Fatalf("got %d, %v", n, err)
		}
		broadcast(f, 4, 8)
		if !slices.Equal(first, numbers(0, 4)) {
			t.Errorf("four events later the batch says %v", first)
		}
		for i := range first {
			first[i] = -1
		}
		if n, err := s.NextBatch(t.Context(), second); n != 4 || err != nil || !slices.Equal(second, numbers(4, 8)) {
			t.Errorf("got %v, %v, want 4 to 7", second, err)
		}
		s.Cancel()
		<-s.Done()
	})
}

// At any instant what is held is between nothing and the capacity, and at the end what was read, held and lost is
// what was offered, less the one that was refused.
func TestH97AccountsAddUp(t *testing.T) {
	for _, capacity := range []int{1, 2, 3, 64} {
		each(t, func(t *testing.T, v variety) {
			t.Run(fmt.Sprintf("capacity=%d", capacity), func(t *testing.T) { addUp(t, v, capacity) })
		})
	}
}

func addUp(t *testing.T, v variety, capacity int) {
	events, writers := rounds(20_000), 4
	if v.single {
		writers = 1
	}
	f, s := v.open(t, capacity)
	var over atomic.Bool
	var all, writing sync.WaitGroup
	all.Go(func() {
		for !over.Load() {
			for i := range f.Subscriptions() {
				if i.Held < 0 || i.Held > capacity || i.Lost > uint64(writers*events) {
					t.Errorf("%d of %d are held, %d lost", i.Held, capacity, i.Lost)
				}
			}
			runtime.Gosched()
		}
	})
	read := 0
	all.Go(func() {
		dst := make([]int, 3)
		last := slices.Repeat([]int{-1}, writers)
		for {
			n, err := s.NextBatch(t.Context(), dst)
			for _, n := range dst[:n] {
				if w := n / events; n <= last[w] {
					t.Errorf("%d came after %d", n, last[w])
				}
				last[n/events] = n
			}
			if read += n; err != nil {
				return
			}
		}
	})
	var offered, refused atomic.Int64
	for w := range writers {
		writing.Go(func() {
			for n := range events {
				out := f.Broadcast(w*events + n)
				offered.Add(int64(out.Matched))
				refused.Add(int64(out.Pruned))
			}
		})
	}
	writing.Wait()
	_ = f.Close()
	<-s.Done()
	over.Store(true)
	all.Wait()
	if got := int64(read) + int64(s.Lost()) + refused.Load(); got != offered.Load() {
		t.Errorf("read %d, lost %d, refused %d: together %d, want %d", read, s.Lost(), refused.Load(), got, offered.Load())
	}
	if v == overwriting && offered.Load() != int64(writers*events) {
		t.Errorf("offered %d, want %d", offered.Load(), writers*events)
	}
}
