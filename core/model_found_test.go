package core_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A subscription is pruned by a broadcast that began after another one, which has not come to it yet. The
// earlier one's event is missed too, and is the least: whoever reads on from Missed must find it.
func TestG4MissedKnowsBroadcastsThatBeganBeforeThePrune(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := core.New(located())
		refuses := subscribe(t, f, about("b"), handler{offer: func(event) core.Verdict { return core.Full }})
		subscribe(t, f, region.Region{}, handler{offer: func(e event) core.Verdict {
			if e.seq == 5 {
				f.Broadcast(event{who: "b", seq: 6})
				synctest.Wait() // the reaper has gone as far as it can while this broadcast is inside
			}
			return core.Accepted
		}})
		f.Broadcast(event{who: "b", seq: 5})
		wait(t, f)
		var pruned *core.PrunedError
		if !errors.As(refuses.Err(), &pruned) || !pruned.HasMissed || pruned.Missed != 5 {
			t.Errorf("events 5 and 6 were both missed: got %v, want Missed = 5", refuses.Err())
		}
	})
}

// A modelPipe is a sink that is a channel of pointers and nothing else.
type modelPipe chan *[64]byte

func (p modelPipe) Chan() chan<- *[64]byte       { return p }
func (p modelPipe) Offer(*[64]byte) core.Verdict { return core.Closed }
func (p modelPipe) Close(error)                  { close(p) }

// What the buffer of one who has left holds is collectable, although others of its key stay and its
// tombstone is not swept: among three, one.
func TestG9BufferBehindATombstoneIsCollected(t *testing.T) {
	f := core.New(core.Config[*[64]byte]{})
	var collected atomic.Bool
	func() {
		held := new([64]byte)
		runtime.AddCleanup(held, func(struct{}) { collected.Store(true) }, struct{}{})
		leaves := make(modelPipe, 1)
		s := subscribe(t, f, region.Region{}, leaves)
		leaves <- held
		for range 3 {
			subscribe(t, f, region.Region{}, make(modelPipe, 1))
		}
		s.Cancel()
	}()
	if err := f.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if runtime.GC(); collected.Load() {
			break
		}
		runtime.Gosched()
	}
	if !collected.Load() {
		t.Error("what a cancelled channel held is still reachable from the Fanout")
	}
	runtime.KeepAlive(f)
}
