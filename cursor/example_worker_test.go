package cursor_test

import (
	"context"
	"fmt"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
	"github.com/spillwayhq/spillway/cursor/memlog"
	"github.com/spillwayhq/spillway/region"
)

// A worker sends a mail for each event of a region. What it can't send it leaves aside, and says so.
func ExampleStartWorker() {
	ctx := context.Background()
	log, _ := memlog.New(memlog.Options{MaxEvents: 100_000})
	defer func() { _ = log.Close() }()
	for _, entity := range []string{"alice", "bob", "alice"} {
		c, _ := region.NewCoordinate(entity, "shop")
		_, _ = log.Append(ctx, []cursor.Draft{{EventID: cursor.NewID(), Coordinate: c}})
	}

	w, err := cursor.StartWorker(ctx, log, cursor.WorkerOptions{
		Name:        "mailer",
		Region:      region.Region{Scope: "shop"},
		Checkpoints: memlog.NewCheckpoints(), // checkpointfile.Open("checkpoints"), where it is to outlive the process
		Handle: func(_ context.Context, e core.Envelope) (cursor.Answer, error) {
			if e.Coordinate.Entity() == "bob" {
				return cursor.Continue, fmt.Errorf("bob has no mailbox")
			}
			fmt.Println("mail for", e.Coordinate, e.Position.Sequence)
			if e.Sequence == 2 {
				return cursor.Stop, nil // a real one goes on for ever
			}
			return cursor.Continue, nil
		},
		Attempts:   2,
		FirstPause: 1,
		Poison:     cursor.SkipPoison,
		Skipped:    func(p *cursor.PoisonError) { fmt.Println("skipped:", p.Err) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(w.Wait(ctx), w.Status().Place)
	// Output:
	// mail for alice@shop 1
	// skipped: bob has no mailbox
	// mail for alice@shop 2
	// <nil> 3
}
