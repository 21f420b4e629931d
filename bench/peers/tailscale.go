package main

import (
	"fmt"

	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/core"
	"tailscale.com/util/eventbus"
)

// tailscale is used as its package documentation has it: a Client for each who publishes or subscribes, readers select
// over Events and Done. Its buffers can't be chosen. Of v1.94.2 to v1.98.10 the eventbus is the same but for a line of
// the licence; this is the newest that Go 1.26.0 builds.
func tailscale() peer {
	return peer{
		name: "tailscale eventbus", module: "tailscale.com", payload: "pointer", whenFull: "queues without end",
		buffer: always(0), slow: true,
		open: func(h bench.Host, crowd *bench.Crowd, readers, _ int) func([]core.Notification) {
			bus := eventbus.New()
			for i := range readers {
				sub := eventbus.Subscribe[*core.Notification](bus.Client(fmt.Sprint("reader-", i)))
				events, done := sub.Events(), sub.Done()
				crowd.Go(func(got func(n int, sum uint64)) error {
					for {
						select {
						case v := <-events:
							got(1, v.Sequence)
						case <-done:
							return nil
						}
					}
				})
			}
			h.Cleanup(func() {
				bus.Close()
				crowd.Wait()
			})
			p := eventbus.Publish[*core.Notification](bus.Client("writer"))
			return func(events []core.Notification) {
				for i := range events {
					v := events[i]
					p.Publish(&v)
				}
			}
		},
		filter: no("Go types only (Bus.dest)"),
		prune:  no("logs that a subscriber is slow, and keeps all for it (Subscriber.dispatch)"),
		bound:  no("a subscriber's queue grows without end, though the documentation says that it is fixed (subscribeState.pump)"),
		prompt: yes("sends at once, no clock involved"),
	}
}
