//go:build spillway_steps

package ring

import (
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"weak"

	"github.com/spillwayhq/spillway/adapters/internal/steptest"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// stopOffer stops an Offer, and expects it to be accepted when it goes on.
func stopOffer(t *testing.T, r buffer[int], n int, step string) (goOn func()) {
	t.Helper()
	var v core.Verdict
	goes := steptest.StopAt(t, step, func() { v = r.Offer(n) })
	return func() {
		t.Helper()
		if goes(); v != core.Accepted {
			t.Errorf("the Offer that was stopped: %v", v)
		}
	}
}

// What a writer has claimed and not published is not read, nor what comes after it; it counts against the limit.
func TestH89ClaimedIsNotRead(t *testing.T) {
	for name, c := range map[string]struct {
		open  func() buffer[int]
		steps []string
	}{
		"single":      {func() buffer[int] { return newSingle[int](3) }, []string{"queue:written"}},
		"shared":      {func() buffer[int] { return newShared[int](3) }, []string{"queue:claimed"}},
		"overwriting": {func() buffer[int] { return newOverwriting[int](3, 0) }, []string{"ring:numbered", "ring:claimed", "ring:written"}},
	} {
		for _, step := range c.steps {
			t.Run(name+"/"+step, func(t *testing.T) {
				r := c.open()
				offer(t, r, 0, 1)
				goOn := stopOffer(t, r, 1, step)
				wantTaken(t, r, 0, 1)
				if name == "single" {
					goOn()
					wantTaken(t, r, 1, 2)
					return
				}
				offer(t, r, 2, 4)
				wantTaken(t, r, 0, 0)
				if name == "shared" {
					if v := r.Offer(4); v != core.Full {
						t.Errorf("a fourth is %v, where three are on their way", v)
					}
				}
				goOn()
				wantTaken(t, r, 1, 4)
				if r.lostCount() != 0 {
					t.Errorf("Lost: got %d, want none", r.lostCount())
				}
			})
		}
	}
}

// A writer that stops in mid-claim holds up the reader of that ring, until the others have come round and pass it.
// Then its event is lost, and everything is accounted for when it goes on.
func TestH90StoppedWriterIsLapped(t *testing.T) {
	for _, step := range []string{"ring:numbered", "ring:claimed", "ring:written"} {
		for _, capacity := range []int{1, 2, 3, 8} {
			for _, laps := range []int{1, 2, 5} {
				r := newOverwriting[int](capacity, nearWrap(capacity))
				offer(t, r, 0, 1)
				wantTaken(t, r, 0, 1)
				goOn := stopOffer(t, r, 1, step)
				offer(t, r, 2, 1+capacity)
				wantTaken(t, r, 0, 0) // it waits at the place of number 1
				last := 1 + laps*capacity
				offer(t, r, 1+capacity, last+1)
				wantTaken(t, r, last+1-capacity, last+1)
				goOn()
				wantTaken(t, r, 0, 0)
				offer(t, r, last+1, last+2)
				wantTaken(t, r, last+1, last+2)
				if got, want := r.Lost(), uint64(last-capacity); got != want {
					t.Errorf("%s, capacity %d, %d laps: Lost %d, want %d", step, capacity, laps, got, want)
				}
				if made := r.cells.made.Load(); made > 1 {
					t.Errorf("%s, capacity %d, %d laps: %d cells were made to pass one writer", step, capacity, laps, made)
				}
			}
		}
	}
}

// Writers stopped in one place lap after lap are passed each by the next, and give their cells back.
func TestManyWritersStoppedInOnePlace(t *testing.T) {
	const stopped = 20
	r := newOverwriting[int](1, 0)
	for range 3 {
		var goOn []func()
		lost, sent := r.Lost(), 0
		for n := range stopped {
			goOn = append(goOn, stopOffer(t, r, n, []string{"ring:claimed", "ring:written"}[n%2]))
		}
		sent += stopped
		wantTaken(t, r, 0, 0)
		for i := range goOn { // the one that came last is not passed
			goOn[(i+7)%stopped]()
		}
		wantTaken(t, r, stopped-1, stopped)
		if got := r.Lost() - lost; got != uint64(sent-1) {
			t.Errorf("Lost: got %d, want all of %d but the last", got, sent)
		}
	}
	if made := r.cells.made.Load(); made != stopped-1 {
		t.Errorf("%d cells were made for %d writers passed at one time", made, stopped-1)
	}
}

// An event that is overwritten between the reader's look and its grasp is lost, and the reader goes on with what is there.
func TestOverwrittenUnderTheReader(t *testing.T) {
	for _, capacity := range []int{1, 2, 3} {
		r := newOverwriting[int](capacity, 0)
		offer(t, r, 0, capacity)
		var got []int
		goOn := steptest.StopAt(t, "ring:found", func() {
			dst := make([]int, 100)
			got = dst[:r.Take(dst)]
		})
		offer(t, r, capacity, 3*capacity)
		goOn()
		var want []int
		for n := 2 * capacity; n < 3*capacity; n++ {
			want = append(want, n)
		}
		if !slices.Equal(got, want) || r.Lost() != uint64(2*capacity) {
			t.Errorf("capacity %d: took %v, lost %d; want %v, %d", capacity, got, r.Lost(), want, 2*capacity)
		}
	}
}

// What a writer that was passed had written is not kept in the cell that it gives back.
func TestPassedPayloadIsCollected(t *testing.T) {
	r := newOverwriting[*[64]byte](1, 0)
	var w weak.Pointer[[64]byte]
	goOn := steptest.StopAt(t, "ring:written", func() {
		v := new([64]byte)
		w = weak.Make(v)
		r.Offer(v)
	})
	r.Offer(nil)
	goOn()
	runtime.GC()
	runtime.GC()
	if w.Value() != nil {
		t.Error("it is reachable still")
	}
	runtime.KeepAlive(r)
}

// The writer publishes while the reader is on its way to sleep, at each point of that way, and nothing comes after it.
func TestH85PublishedOnTheWayToSleep(t *testing.T) {
	for name, o := range map[string]struct {
		Options
		single bool
	}{
		"single":      {Options{Capacity: 2}, true},
		"shared":      {Options{Capacity: 2}, false},
		"overwriting": {Options{Capacity: 2, WhenFull: Overwrite}, false},
	} {
		for _, spurious := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", woken for nothing before"}[spurious], func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := core.New(core.Config[int]{SingleWriter: o.single})
					s, err := Subscribe(t.Context(), f, region.Region{}, o.Options)
					if err != nil {
						t.Fatal(err)
					}
					at := "park:said-parked"
					if spurious {
						at = "park:woken"
					}
					var got int
					goOn := steptest.StopAt(t, at, func() { got, err = s.Next(t.Context()) }, func() {
						if spurious {
							synctest.Wait() // it sleeps
							s.lot.Wake()
						}
					})
					f.Broadcast(7)
					goOn() // were it asleep, everybody would be: synctest says so
					if got != 7 || err != nil {
						t.Errorf("Next: got %d, %v, want 7", got, err)
					}
					s.Cancel()
					<-s.Done()
				})
			})
		}
	}
}
