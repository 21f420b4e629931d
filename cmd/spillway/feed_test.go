package main

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// fed is a feeder to readers of a fan-out of its own. The first so many readers never read.
type fed struct {
	feeder
	all []*reader
}

func newFed(t *testing.T, p pace, capacity, writers, readers, stuck int) *fed {
	t.Helper()
	f := &fed{feeder: feeder{
		fanout:   core.New(core.Config[*core.Envelope]{Locate: (*core.Envelope).Point, SingleWriter: writers == 1}),
		capacity: capacity, writers: writers, pace: p, progress: func(int) {},
	}}
	for i := range readers {
		sub, err := channel.Subscribe(t.Context(), f.fanout, region.Region{}, capacity)
		if err != nil {
			t.Fatal(err)
		}
		r := &reader{out: channelOutlet{sub}, stuck: i < stuck, wake: make(chan struct{}, 1)}
		f.all = append(f.all, r)
		if !r.stuck {
			f.readers = append(f.readers, r)
			go r.read()
		}
	}
	return f
}

// end ends the fan-out and settles every reader.
func (f *fed) end(t *testing.T) {
	t.Helper()
	if err := f.fanout.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.fanout.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	synctest.Wait() // until the readers have read on to the end
	for _, r := range f.all {
		r.settle()
	}
}

// However small the capacity and many the writers: who reads gets everything, who never reads gets what
// fits, and nobody waits for it.
func TestFeederWaitsForHealthyReaders(t *testing.T) {
	for _, writers := range []int{1, 4} {
		for _, capacity := range []int{1, 2, 3, 64} {
			t.Run(fmt.Sprintf("writers=%d,capacity=%d", writers, capacity), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					events := history(t, 2000)
					f := newFed(t, pace{asRead: true}, capacity, writers, 5, 2)
					if got := f.run(t.Context(), events); got != len(events) {
						t.Errorf("fed %d events of %d", got, len(events))
					}
					f.end(t)
					for i, r := range f.all {
						if r.stuck && (len(r.received) != 0 || len(r.held) != capacity || r.pruned == nil) {
							t.Errorf("stuck reader %d: received %d, held %d, pruned %v", i, len(r.received), len(r.held), r.pruned)
						}
						if !r.stuck && (len(r.received) != len(events) || r.pruned != nil) {
							t.Errorf("reader %d: received %d, pruned %v", i, len(r.received), r.pruned)
						}
					}
					if _, wrong := newCount(events, f.begins).all(f.all); wrong != nil {
						t.Error(wrong)
					}
				})
			})
		}
	}
}

// With a pace in events a second the first event comes at once, the next when the clock says so.
func TestFeederKeepsPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFed(t, pace{rate: 10}, 1000, 1, 1, 0)
		start := time.Now()
		f.run(t.Context(), history(t, 96))
		if took := time.Since(start).Round(100 * time.Millisecond); took != 9500*time.Millisecond {
			t.Errorf("took %v, want 9.5s", took)
		}
		f.end(t)
		if got := len(f.all[0].received); got != 96 {
			t.Errorf("received %d", got)
		}
	})
}

// An interrupted feeder has broadcast the first so many events, whatever it was waiting for.
func TestFeederInterrupted(t *testing.T) {
	for name, c := range map[string]struct {
		pace pace
		want int
	}{
		"by the clock":                     {pace{rate: 10}, 51},
		"slower than a Duration is long":   {pace{rate: 1e-12}, 1},
		"faster than there is an event to": {pace{rate: 1e300}, 200},
	} {
		synctest.Test(t, func(t *testing.T) {
			events := history(t, 200)
			f := newFed(t, c.pace, 1000, 1, 1, 0)
			ctx, cancel := context.WithTimeout(t.Context(), 5050*time.Millisecond)
			defer cancel()
			if got := f.run(ctx, events); got != c.want {
				t.Errorf("%s: fed %d, want %d", name, got, c.want)
			}
			f.end(t)
			if _, wrong := newCount(events[:c.want], nil).all(f.all); wrong != nil {
				t.Errorf("%s: %v", name, wrong)
			}
		})
	}
	// One that waits for a reader that takes nothing.
	synctest.Test(t, func(t *testing.T) {
		f := newFed(t, pace{asRead: true}, 4, 1, 1, 1)
		f.readers = f.all
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if got := f.run(ctx, history(t, 200)); got != 4 {
			t.Errorf("fed %d, want 4", got)
		}
		f.end(t)
		if want := []uint32{0, 1, 2, 3}; !slices.Equal(f.all[0].held, want) {
			t.Errorf("holds %v", f.all[0].held)
		}
	})
}

// A reader may have found its channel half empty before the last chunk came, and wake the feeder after it: the
// feeder goes on waiting, or a healthy reader has no room for the next.
func TestLateWakeUpIsNoRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFed(t, pace{}, 4, 1, 1, 1)
		r := f.all[0]
		f.run(t.Context(), history(t, 4))
		returned := make(chan struct{})
		go func() {
			defer close(returned)
			r.awaitHalf(t.Context())
		}()
		wake := func() { // as read does, when it has looked at the channel
			synctest.Wait()
			if !r.parked.CompareAndSwap(true, false) {
				t.Error("the feeder is not waiting")
			}
			r.wake <- struct{}{}
			synctest.Wait()
		}
		wake()
		select {
		case <-returned:
			t.Error("the feeder goes on while 4 events of 4 are to be read")
		default:
			<-r.out.(channelOutlet).C()
			<-r.out.(channelOutlet).C()
			wake()
			<-returned
		}
		f.end(t)
	})
}
