package main

import (
	"github.com/dustin/go-broadcast"
	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/core"
)

// dustin is used as in its example: a Broadcaster with an input buffer of 100, and each reader ranges over a channel that it
// registered. It brings the channel itself, so its capacity is chosen here; the example's has none.
func dustin() peer {
	return peer{
		name: "dustin/go-broadcast", module: "github.com/dustin/go-broadcast", payload: "pointer", whenFull: "the writer waits for the slowest",
		buffer: byReaders(2048, 512, 128),
		open: func(h bench.Host, crowd *bench.Crowd, readers, buffer int) func([]core.Notification) {
			b := broadcast.NewBroadcaster(100)
			ins := make([]chan any, readers)
			for i := range ins {
				in := make(chan any, buffer)
				ins[i] = in
				b.Register(in)
				crowd.Go(func(got func(n int, sum uint64)) error {
					for v := range in {
						got(1, v.(*core.Notification).Sequence)
					}
					return nil
				})
			}
			h.Cleanup(func() {
				for _, in := range ins {
					b.Unregister(in)
					close(in)
				}
				_ = b.Close()
				crowd.Wait()
			})
			return func(events []core.Notification) {
				for i := range events {
					v := events[i]
					b.Submit(&v)
				}
			}
		},
		filter: no("all get all (broadcaster.broadcast)"),
		prune:  no("waits for the slowest (broadcaster.broadcast)"),
		bound:  yes("the readers' own channels"),
		prompt: yes("sends at once, no clock involved"),
	}
}
