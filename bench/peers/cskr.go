package main

import (
	"github.com/cskr/pubsub/v2"
	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/core"
)

// cskr is used as its package documentation has it: Sub gives a channel for a topic, which is ranged over; Pub waits for
// whoever is full. One goroutine, with a channel to it that has no buffer, sends to all in turn.
func cskr() peer {
	const topic = "events"
	return peer{
		name: "cskr/pubsub", module: "github.com/cskr/pubsub/v2", payload: "pointer", whenFull: "the writer waits for the slowest",
		buffer: byReaders(2048, 512, 128),
		open: func(h bench.Host, crowd *bench.Crowd, readers, buffer int) func([]core.Notification) {
			ps := pubsub.New[string, *core.Notification](buffer)
			for range readers {
				in := ps.Sub(topic)
				crowd.Go(func(got func(n int, sum uint64)) error {
					for v := range in {
						got(1, v.Sequence)
					}
					return nil
				})
			}
			h.Cleanup(func() {
				ps.Shutdown()
				crowd.Wait()
			})
			return func(events []core.Notification) {
				for i := range events {
					v := events[i]
					ps.Pub(&v, topic)
				}
			}
		},
		filter: no("equal topics only (registry.send)"),
		prune:  no("Pub waits for the slowest; TryPub drops the event and tells nobody (registry.send, sendNoWait)"),
		bound:  yes("channels of one capacity"),
		prompt: yes("sends at once, no clock involved"),
	}
}
