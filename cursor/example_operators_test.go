package cursor_test

import (
	"context"
	"fmt"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// fill returns a log of a few events, each about an entity.
func fill(entities ...string) (*memlog.Log, error) {
	log, err := memlog.New(memlog.Options{})
	if err != nil {
		return nil, err
	}
	said, _ := region.NewKind(0x1, 0x001)
	for _, entity := range entities {
		c, _ := region.NewCoordinate(entity, "home")
		if _, err := log.Append(context.Background(), []cursor.Draft{{Coordinate: c, Kind: said}}); err != nil {
			return nil, err
		}
	}
	return log, nil
}

// Alice and everything in the kitchen, in one stream: what is both comes once, and a quiet one holds nobody up.
func ExampleMergeCursors() {
	ctx := context.Background()
	log, err := fill("alice", "bob", "kitchen:lamp", "alice:phone", "carol", "kitchen:door", "alice")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = log.Close() }()
	var cursors []*cursor.Cursor
	for _, r := range []region.Region{{Entity: "alice"}, {Entity: "kitchen"}, {Entity: "alice:phone"}, {Entity: "nobody"}} {
		c, err := cursor.Open(ctx, log, r, cursor.FromStart())
		if err != nil {
			fmt.Println(err)
			return
		}
		cursors = append(cursors, c)
	}
	for e, err := range cursor.Take(cursor.MergeCursors(ctx, cursors...), 5) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(e.Sequence, e.Coordinate)
	}
	// Output:
	// 0 alice@home
	// 2 kitchen:lamp@home
	// 3 alice:phone@home
	// 5 kitchen:door@home
	// 6 alice@home
}

// Operators stand on each other: names, three at a time. The context's end comes after what there was.
func ExampleBatch() {
	log, err := fill("a", "b", "c", "d", "e")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = log.Close() }()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c, err := cursor.Open(ctx, log, region.Region{}, cursor.FromStart())
	if err != nil {
		fmt.Println(err)
		return
	}
	names := cursor.Map(c.All(ctx), func(e core.Envelope) string {
		if e.Sequence == 4 {
			cancel()
		}
		return e.Coordinate.Entity()
	})
	for batch, err := range cursor.Batch(names, 3) {
		fmt.Println(batch, err)
	}
	// Output:
	// [a b c] <nil>
	// [d e] <nil>
	// [] context canceled
}

// A fold, with what it has come to at each event.
func ExampleScan() {
	log, err := fill("alice", "bob", "alice", "alice")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = log.Close() }()
	ctx := context.Background()
	c, err := cursor.Open(ctx, log, region.Region{}, cursor.FromStart())
	if err != nil {
		fmt.Println(err)
		return
	}
	alices := cursor.Filter(c.All(ctx), func(e core.Envelope) bool { return e.Coordinate.Entity() == "alice" })
	count := cursor.Scan(alices, 0, func(n int, _ core.Envelope) int { return n + 1 })
	for n, err := range cursor.Take(count, 3) {
		fmt.Println(n, err)
	}
	// Output:
	// 1 <nil>
	// 2 <nil>
	// 3 <nil>
}
