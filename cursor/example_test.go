package cursor_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// One reader follows what concerns it. It stops, and later goes on from exactly where it was.
func Example() {
	ctx := context.Background()
	log, err := memlog.New(memlog.Options{MaxEvents: 100_000})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = log.Close() }()

	said, _ := region.NewKind(0x1, 0x001)
	for _, entity := range []string{"alice", "bob", "alice:child", "alice"} {
		c, _ := region.NewCoordinate(entity, "home")
		draft := cursor.Draft{EventID: cursor.NewID(), Coordinate: c, Kind: said, Payload: []byte("hello")}
		if _, err := log.Append(ctx, []cursor.Draft{draft}); err != nil {
			fmt.Println(err)
			return
		}
	}

	alice := region.Region{Entity: "alice"}
	c, err := cursor.Open(ctx, log, alice, cursor.FromStart())
	if err != nil {
		fmt.Println(err)
		return
	}
	for e, err := range c.All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(e.Sequence, e.Coordinate, e.Position.Sequence)
		if e.Coordinate.Entity() == "alice:child" {
			break
		}
	}

	again, err := cursor.Open(ctx, log, alice, cursor.From(c.Place()))
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := again.Next(ctx)
	fmt.Println(e.Sequence, e.Coordinate, e.Position.Sequence, err)
	// Output:
	// 0 alice@home 1
	// 2 alice:child@home 1
	// 3 alice@home 2 <nil>
}

// Only one of two who saw the same state changes it.
func ExampleExpectClock() {
	ctx := context.Background()
	log, err := memlog.New(memlog.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = log.Close() }()

	seat, _ := region.NewCoordinate("seat-12", "hall")
	taken, _ := region.NewKind(0x1, 0x001)
	for range 2 {
		_, err = log.Append(ctx, []cursor.Draft{{
			EventID: cursor.NewID(), Coordinate: seat, Kind: taken, Expect: cursor.ExpectClock(0),
		}})
		if conflict, ok := errors.AsType[*cursor.ConflictError](err); ok {
			fmt.Printf("taken: %d events, not %d\n", conflict.Actual, conflict.Expected)
			continue
		}
		fmt.Println("mine", err)
	}
	// Output:
	// mine <nil>
	// taken: 1 events, not 0
}

// Whoever has its answer knows that the event is kept, and that everybody who is subscribed has been offered it.
func ExampleJournal() {
	ctx := context.Background()
	log, err := memlog.New(memlog.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = log.Close() }()
	fanout := core.New(core.Config[core.Envelope]{Name: "orders", Locate: core.Envelope.Point, SingleWriter: true})
	defer func() { _ = fanout.Close() }()
	alice, err := channel.Subscribe(ctx, fanout, region.Region{Entity: "alice"}, 16)
	if err != nil {
		fmt.Println(err)
		return
	}

	journal := cursor.NewJournal(log, fanout, cursor.JournalOptions{Name: "orders"})
	fmt.Println(journal)
	kind, _ := region.NewKind(0x1, 0x002)
	var drafts []cursor.Draft
	for _, name := range []string{"bob", "alice"} {
		c, _ := region.NewCoordinate(name, "shop")
		drafts = append(drafts, cursor.Draft{Coordinate: c, Kind: kind})
	}
	made, err := journal.Append(ctx, drafts)
	fmt.Println(len(made), err)
	e := <-alice.C()
	fmt.Println(e.Sequence, e.Coordinate.Entity())
	fmt.Println(journal.Close(ctx))
	// Output:
	// journal orders, sync: none
	// 2 <nil>
	// 1 alice
	// <nil>
}
