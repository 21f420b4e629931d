package sse_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/spillwayhq/spillway/adapters/sse"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
)

// A client reads two events, goes, and comes back for the rest.
func Example() {
	ctx := context.Background()
	log, err := memlog.New(memlog.Options{})
	if err != nil {
		panic(err)
	}
	fanout := core.New(core.Config[core.Envelope]{Locate: core.Envelope.Point})
	journal := cursor.NewJournal(log, fanout, cursor.JournalOptions{})
	defer func() { _ = journal.Close(ctx) }()

	handler, err := sse.NewHandler(sse.Options{Fanout: fanout, Log: log})
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	if _, err := journal.Append(ctx, []cursor.Draft{draft("alice:cart", 1), draft("bob", 2), draft("alice:cart", 3), draft("alice", 4)}); err != nil {
		panic(err)
	}

	last := ""
	read := func(n int) {
		for e, err := range sse.Follow(ctx, server.URL+"?entity=alice&from=start", sse.FollowOptions{After: last}) {
			if err != nil {
				panic(err)
			}
			event, err := e.Envelope()
			if err != nil {
				panic(err)
			}
			fmt.Printf("%d %s %s\n", event.Sequence, event.Coordinate, event.Payload)
			if last = e.ID; n == 1 {
				return
			}
			n--
		}
	}
	read(2)
	fmt.Println("later:")
	read(1)
	// Output:
	// 0 alice:cart@shop {"n":1}
	// 2 alice:cart@shop {"n":3}
	// later:
	// 3 alice@shop {"n":4}
}
