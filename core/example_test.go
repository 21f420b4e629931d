package core_test

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// Plain publish and subscribe: no regions, nothing to configure.
func Example() {
	f := core.New(core.Config[string]{})
	s, err := channel.Subscribe(context.Background(), f, region.Region{}, 16)
	if err != nil {
		panic(err)
	}
	f.Broadcast("hello")
	f.Broadcast("world")
	s.Cancel()
	for v := range s.C() {
		fmt.Println(v)
	}
	fmt.Println(s.Err())
	// Output:
	// hello
	// world
	// spillway/core: cancelled
}

// Config.Locate says where an event is; a Region says which of them a subscription is about.
func Example_regions() {
	type order struct{ account, text string }
	f := core.New(core.Config[order]{
		Locate: func(o order) region.Point { return region.Point{Entity: o.account} },
	})
	ctx, cancel := context.WithCancel(context.Background())
	all, err := channel.Subscribe(ctx, f, region.Region{}, 16)
	if err != nil {
		panic(err)
	}
	alice, err := channel.Subscribe(ctx, f, region.Region{Entity: "alice"}, 16)
	if err != nil {
		panic(err)
	}
	for _, o := range []order{{"alice", "tea"}, {"bob", "ink"}, {"alice:savings", "gold"}, {"alice2", "rope"}} {
		out := f.Broadcast(o)
		fmt.Printf("%s: %d of %d\n", o.account, out.Accepted, out.Live)
	}
	cancel() // ends both
	for o := range alice.C() {
		fmt.Println("alice gets", o.text)
	}
	events := 0
	for range all.C() {
		events++
	}
	fmt.Println("all get", events)
	// Output:
	// alice: 2 of 2
	// bob: 1 of 2
	// alice:savings: 2 of 2
	// alice2: 1 of 2
	// alice gets tea
	// alice gets gold
	// all get 4
}

// A shutdown: the writers stop first, so that nothing is broadcast to nobody; then Close ends every
// subscription, and Wait returns when the sinks are closed.
func ExampleFanout_Close() {
	f := core.New(core.Config[int]{})
	s, err := channel.Subscribe(context.Background(), f, region.Region{}, 16)
	if err != nil {
		panic(err)
	}
	work := make(chan int)
	var writers sync.WaitGroup
	for range 2 {
		writers.Go(func() {
			for i := range work {
				f.Broadcast(i)
			}
		})
	}
	sum := 0
	for i := range 4 {
		work <- i
		sum += <-s.C()
	}
	fmt.Println(sum)

	close(work)
	writers.Wait()
	if err := f.Close(); err != nil {
		panic(err)
	}
	if err := f.Wait(context.Background()); err != nil {
		panic(err)
	}
	fmt.Println(s.Err())
	_, err = channel.Subscribe(context.Background(), f, region.Region{}, 16)
	fmt.Println(errors.Is(err, core.ErrClosed), f.Broadcast(3))
	// Output:
	// 6
	// spillway/core: the fan-out is closed
	// true {0 0 0 0}
}

// A reader that is too slow is not waited for: it is pruned, and told from where to read again. Here
// the events' source is a slice that can be asked; package cursor does this over a log.
func ExamplePrunedError() {
	type entry struct {
		sequence uint64
		text     string
	}
	log := []entry{{0, "a"}, {1, "b"}, {2, "c"}, {3, "d"}, {4, "e"}}
	f := core.New(core.Config[entry]{
		Name:   "entries",
		Locate: func(e entry) region.Point { return region.Point{Sequence: e.sequence} },
	})
	s, err := channel.Subscribe(context.Background(), f, region.Region{}, 2)
	if err != nil {
		panic(err)
	}
	for _, e := range log {
		f.Broadcast(e) // the third finds the channel full
	}
	for e := range s.C() { // everything accepted is there
		fmt.Println("pushed", e.text)
	}
	var pruned *core.PrunedError
	if errors.As(s.Err(), &pruned) && pruned.HasMissed {
		fmt.Println(pruned)
		for _, e := range log[pruned.Missed:] {
			fmt.Println("read", e.text)
		}
	}
	// Output:
	// pushed a
	// pushed b
	// spillway/core: fan-out "entries" pruned subscription 1 (*): its sink was full with 2 events held; first missed: sequence 2
	// read c
	// read d
	// read e
}

// One reader, two Regions that overlap. Each Region has a subscription and a channel of its own: one
// sink must not serve two subscriptions. An event in both comes twice, and its sequence tells.
func Example_overlappingRegions() {
	type change struct {
		who      string
		kind     region.Kind
		sequence uint64
	}
	f := core.New(core.Config[change]{
		Locate: func(c change) region.Point {
			return region.Point{Entity: c.who, Kind: c.kind, Sequence: c.sequence}
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	alice, err := channel.Subscribe(ctx, f, region.Region{Entity: "alice"}, 8)
	if err != nil {
		panic(err)
	}
	denials, err := channel.Subscribe(ctx, f, region.Region{Kind: region.OneKind(region.KindDenial)}, 8)
	if err != nil {
		panic(err)
	}
	for sequence, c := range []change{
		{who: "alice", kind: region.KindData},
		{who: "bob", kind: region.KindDenial},
		{who: "alice", kind: region.KindDenial}, // in both
		{who: "bob", kind: region.KindData},     // in neither
		{who: "alice", kind: region.KindData},
	} {
		c.sequence = uint64(sequence)
		f.Broadcast(c)
	}
	cancel()

	// Both channels are in the order of the sequence, as one writer's events are: the reader takes the
	// lower head, and drops the other head where it is the same event.
	a, aOK := <-alice.C()
	d, dOK := <-denials.C()
	for aOK || dOK {
		next := a
		if !aOK || dOK && d.sequence < a.sequence {
			next = d
		}
		fmt.Println(next.sequence, next.who, next.kind)
		if aOK && a.sequence == next.sequence {
			a, aOK = <-alice.C()
		}
		if dOK && d.sequence == next.sequence {
			d, dOK = <-denials.C()
		}
	}
	// Output:
	// 0 alice 0x1:0x000
	// 1 bob 0x0:0x00f
	// 2 alice 0x0:0x00f
	// 4 alice 0x1:0x000
}
