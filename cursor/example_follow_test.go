package cursor_test

import (
	"context"
	"fmt"

	"github.com/spillwayhq/spillway/adapters/ring"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// A follower with room for two events is given five while it looks away. It is pruned, and misses nothing.
func ExampleFollow() {
	ctx := context.Background()
	log, err := memlog.New(memlog.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fanout := core.New(core.Config[core.Envelope]{Locate: core.Envelope.Point})
	alice, err := region.NewCoordinate("alice", "shop")
	if err != nil {
		fmt.Println(err)
		return
	}
	write := func(n int) { // as a Journal does: first the log, then the fan-out, in order
		for range n {
			made, err := log.Append(ctx, []cursor.Draft{{Coordinate: alice, Kind: 0x1001}})
			if err != nil {
				fmt.Println(err)
				return
			}
			fanout.BroadcastAll(made)
		}
	}

	write(1)
	follower := cursor.Follow(ctx, log, fanout, region.Region{Entity: "alice"}, cursor.FollowOptions{
		Feed: func(ctx context.Context, f *core.Fanout[core.Envelope], r region.Region) (cursor.Feed, error) {
			return ring.Subscribe(ctx, f, r, ring.Options{Capacity: 2})
		},
	})
	for item, err := range follower.All() {
		switch {
		case err != nil:
			fmt.Println(err)
			return
		case item.IsMark():
			fmt.Println(item.Mark)
			if item.Mark.Kind != cursor.CaughtUp {
				continue
			}
			if item.Mark.Place == 6 {
				fmt.Println("place:", follower.Place())
				return
			}
			write(5)
		default:
			fmt.Println("event", item.Sequence)
		}
	}
	// Output:
	// event 0
	// caught up at 1
	// event 1
	// event 2
	// fell behind at 3 by 3
	// event 3
	// event 4
	// event 5
	// caught up at 6
	// place: 6
}
