package channel_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

func ExampleSubscribe() {
	f := core.New(core.Config[string]{})
	s, err := channel.Subscribe(context.Background(), f, region.Region{}, 2)
	if err != nil {
		panic(err)
	}
	for _, v := range []string{"a", "b", "c", "d"} {
		f.Broadcast(v)
	}
	for v := range s.C() {
		fmt.Println(v)
	}
	fmt.Println("pruned:", errors.Is(s.Err(), core.ErrPruned))
	// Output:
	// a
	// b
	// pruned: true
}

// All ends with the error that says why; leaving it early cancels.
func ExampleSubscription_All() {
	f := core.New(core.Config[int]{})
	s, err := channel.Subscribe(context.Background(), f, region.Region{}, 8)
	if err != nil {
		panic(err)
	}
	for n := range 3 {
		f.Broadcast(n)
	}
	if err := f.Close(); err != nil {
		panic(err)
	}
	for n, err := range s.All() {
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println(n)
	}
	// Output:
	// 0
	// 1
	// 2
	// spillway/core: the fan-out is closed
}

// Next waits no longer than its context, whose end is not the subscription's.
func ExampleSubscription_Next() {
	f := core.New(core.Config[int]{})
	s, err := channel.Subscribe(context.Background(), f, region.Region{}, 8)
	if err != nil {
		panic(err)
	}
	impatient, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = s.Next(impatient)
	fmt.Println(err, s.Err())
	f.Broadcast(42)
	fmt.Println(s.Next(context.Background()))
	s.Cancel()
	fmt.Println(s.Next(context.Background()))
	// Output:
	// context canceled <nil>
	// 42 <nil>
	// 0 spillway/core: cancelled
}
