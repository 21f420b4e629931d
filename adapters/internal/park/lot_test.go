package park_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/adapters/internal/park"
)

var (
	errMine = errors.New("mine")
	errOver = errors.New("over")
)

// A box is a buffer that counts its events and the looks into it.
type box struct {
	park.Lot
	mu          sync.Mutex
	held, looks int
	looked      func(look int) // after a look that found nothing, before take says so
}

func newBox() *box {
	b := &box{}
	b.Init()
	return b
}

// put makes n events visible, and then wakes once for each, as a writer does.
func (b *box) put(n int) {
	for range n {
		b.mu.Lock()
		b.held++
		b.mu.Unlock()
		b.Wake()
	}
}

func (b *box) take() bool {
	b.mu.Lock()
	b.looks++
	look, found := b.looks, b.held > 0
	if found {
		b.held--
	}
	b.mu.Unlock()
	if !found && b.looked != nil {
		b.looked(look)
	}
	return found
}

// counts returns how many events and looks there are.
func (b *box) counts() (held, looks int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held, b.looks
}

func TestTakesBeforeItLooksAtAnythingElse(t *testing.T) {
	over, cancel := context.WithCancelCause(t.Context())
	cancel(errMine)
	b := newBox()
	b.put(3)
	if err := b.Await(over, b.take); err != nil {
		t.Errorf("with an event, its context over: %v", err)
	}
	if b.Ended() {
		t.Error("Ended before End")
	}
	b.End(errOver)
	if !b.Ended() {
		t.Error("not Ended after End")
	}
	for range 2 {
		if err := b.Await(over, b.take); err != nil {
			t.Errorf("with an event, after the end: %v", err)
		}
	}
	for range 2 {
		if err := b.Await(over, b.take); err != errOver {
			t.Errorf("after the end, the context over too: got %v, want the cause of the end", err)
		}
	}
	if b := newBox(); b.Await(over, b.take) != errMine {
		t.Error("with nothing: want the cause of the context")
	}
}

// An event that becomes visible just after a look of a reader on its way to sleep is found all the same, though
// no other comes after it. Were it not, everybody would sleep, and synctest would say so.
func TestH85VisibleBetweenTheLooks(t *testing.T) {
	for look := 1; look <= 3; look++ {
		synctest.Test(t, func(t *testing.T) {
			b := newBox()
			b.looked = func(n int) {
				if n == look {
					b.put(1)
				}
			}
			if look == 3 { // the one after it was woken for nothing
				go func() { synctest.Wait(); b.Wake() }()
			}
			if err := b.Await(t.Context(), b.take); err != nil {
				t.Errorf("after look %d: %v", look, err)
			}
			if _, looks := b.counts(); looks != look+1 {
				t.Errorf("after look %d: %d looks, want one more", look, looks)
			}
		})
	}
}

// One that comes to the end between its looks is told, and takes what came before the end.
func TestEndBetweenTheLooks(t *testing.T) {
	for look := 1; look <= 2; look++ {
		for _, events := range []int{0, 1} {
			synctest.Test(t, func(t *testing.T) {
				b := newBox()
				b.looked = func(n int) {
					if n == look {
						b.put(events)
						b.End(errOver)
					}
				}
				want := []error{errOver, nil}[events]
				if err := b.Await(t.Context(), b.take); err != want {
					t.Errorf("ended after look %d with %d events: got %v, want %v", look, events, err, want)
				}
			})
		}
	}
}

// One token may stand for many events: whoever gets one sees to the next reader.
func TestEachOfManyReadersIsWoken(t *testing.T) {
	for _, readers := range []int{1, 2, 3, 50} {
		synctest.Test(t, func(t *testing.T) {
			b := newBox()
			var wg sync.WaitGroup
			for range readers {
				wg.Go(func() {
					if err := b.Await(t.Context(), b.take); err != nil {
						t.Errorf("Await: %v", err)
					}
				})
			}
			synctest.Wait() // all sleep
			b.put(readers)
			synctest.Wait()
			if held, _ := b.counts(); held != 0 {
				t.Fatalf("%d of %d readers sleep beside an event", held, readers)
			}
			wg.Wait()
		})
	}
}

// The end wakes all, however many: first those for whom there is something, then the others, with the cause.
func TestEndWakesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const readers, events = 50, 20
		b := newBox()
		errs := make(chan error, readers)
		for range readers {
			go func() { errs <- b.Await(t.Context(), b.take) }()
		}
		synctest.Wait()
		b.mu.Lock()
		b.held = events // visible, and nobody is told
		b.mu.Unlock()
		b.End(errOver)
		took := 0
		for range readers {
			switch err := <-errs; err {
			case nil:
				took++
			case errOver:
			default:
				t.Errorf("Await: got %v, want the cause of the end", err)
			}
		}
		if took != events {
			t.Errorf("%d took one, want %d", took, events)
		}
	})
}

// Nobody is woken, and nothing kept, by a Wake that finds nobody; a reader that finds nothing looks twice and sleeps.
func TestSleepsAfterTwoLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox()
		for range 1000 {
			b.Wake()
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Hour, errMine)
		defer cancel()
		start := time.Now()
		if err := b.Await(ctx, b.take); err != errMine || time.Since(start) != time.Hour {
			t.Errorf("Await: got %v after %v, want the cause after an hour", err, time.Since(start))
		}
		if _, looks := b.counts(); looks != 2 {
			t.Errorf("looked %d times, want twice", looks)
		}
	})
}

// A reader that is woken and gives up at the same moment leaves the event to one that stays.
func TestGivesUpAsTheEventComes(t *testing.T) {
	for range 300 {
		synctest.Test(t, func(t *testing.T) {
			b := newBox()
			ctx, cancel := context.WithCancelCause(t.Context())
			var gaveUp, stays error
			var wg, last sync.WaitGroup
			wg.Go(func() { gaveUp = b.Await(ctx, b.take) })
			synctest.Wait()
			last.Go(func() { stays = b.Await(t.Context(), b.take) })
			synctest.Wait()
			go cancel(errMine)
			b.put(1)
			wg.Wait()
			synctest.Wait()
			if held, _ := b.counts(); held != 0 {
				t.Fatalf("the event is still there: one gave up with %v, and the other sleeps", gaveUp)
			}
			if gaveUp == nil {
				b.put(1)
			}
			last.Wait()
			if gaveUp != nil && gaveUp != errMine || stays != nil {
				t.Errorf("got %v and %v", gaveUp, stays)
			}
		})
	}
}

// Many readers and writers at random: whenever all have come to rest, no event is left beside a sleeper.
func TestNobodySleepsBesideAnEvent(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		t.Run(fmt.Sprintf("procs=%d", procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			synctest.Test(t, crowd)
		})
	}
}

func crowd(t *testing.T) {
	b := newBox()
	rounds := 1000
	if testing.Short() {
		rounds = 100
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { // gives up again and again
			for err := error(nil); err != errOver; {
				ctx, cancel := context.WithTimeoutCause(t.Context(), time.Duration(rand.IntN(3)+1)*time.Millisecond, errMine)
				err = b.Await(ctx, b.take)
				cancel()
			}
		})
	}
	for range 2 {
		wg.Go(func() { // always reads
			for err := error(nil); err == nil; {
				err = b.Await(t.Context(), b.take)
			}
		})
	}
	for range rounds {
		time.Sleep(time.Millisecond)
		for range rand.IntN(4) + 1 {
			n := rand.IntN(5) + 1
			wg.Go(func() { b.put(n) })
		}
		synctest.Wait()
		if held, _ := b.counts(); held != 0 {
			t.Fatalf("%d events are left, and everybody sleeps", held)
		}
	}
	b.End(errOver)
	wg.Wait()
}

func TestAllocatesNothing(t *testing.T) {
	b := newBox()
	ctx, take := t.Context(), b.take
	if n := testing.AllocsPerRun(100, func() {
		b.put(1)
		if b.Await(ctx, take) != nil {
			t.Error("Await failed")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
