package main

import (
	"github.com/moby/pubsub"
	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/core"
)

// moby is used as its comments say: a Publisher with a buffer, Subscribe gives a channel. A timeout of 0 is the quicker
// of its two ways (with one there is a timer for each delivery), and drops at once what doesn't fit: so no more is sent
// than fits. Publish starts a goroutine for each subscriber and waits for all, which is its cost whatever the buffer.
func moby() peer {
	return peer{
		name: "moby/pubsub", module: "github.com/moby/pubsub", payload: "pointer", whenFull: "drops what doesn't fit",
		buffer: func(readers int) int {
			if 10 <= readers && readers < 100 {
				return 512
			}
			return min(128, blockFor(readers)/4) // what it is sent in a round at most
		},
		drops: true, slow: true,
		open: func(h bench.Host, crowd *bench.Crowd, readers, buffer int) func([]core.Notification) {
			p := pubsub.NewPublisher(0, buffer)
			for range readers {
				in := p.Subscribe()
				crowd.Go(func(got func(n int, sum uint64)) error {
					for v := range in {
						got(1, v.(*core.Notification).Sequence)
					}
					return nil
				})
			}
			h.Cleanup(func() {
				p.Close()
				crowd.Wait()
			})
			return func(events []core.Notification) {
				for i := range events {
					v := events[i]
					p.Publish(&v)
				}
			}
		},
		filter: yes("SubscribeTopic: a function, called for every event and subscriber"),
		prune:  no("drops the event, at once or after the timeout, and tells nobody (Publisher.sendTopic)"),
		bound:  yes("channels of one capacity"),
		prompt: yes("sends at once, no clock involved"),
	}
}
