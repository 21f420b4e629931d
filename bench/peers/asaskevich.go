package main

import (
	"github.com/asaskevich/EventBus"
	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/core"
)

// asaskevich is used as its README begins: Subscribe a function to a topic, Publish calls it, by reflection, on the writer's
// own goroutine. So no reader runs beside the writer here, and no event changes hands between goroutines: less than
// what all others do. SubscribeAsync starts a goroutine for each delivery, and keeps no order unless it is transactional.
func asaskevich() peer {
	const topic = "events"
	return peer{
		name: "asaskevich/EventBus", module: "github.com/asaskevich/EventBus", payload: "pointer", whenFull: "the writer runs all readers itself",
		buffer: always(0),
		open: func(h bench.Host, crowd *bench.Crowd, readers, _ int) func([]core.Notification) {
			bus := EventBus.New()
			done := make(chan struct{})
			gots := make(chan func(n int, sum uint64), readers)
			for range readers {
				crowd.Go(func(got func(n int, sum uint64)) error {
					gots <- got
					<-done
					return nil
				})
				got := <-gots
				if err := bus.Subscribe(topic, func(v *core.Notification) { got(1, v.Sequence) }); err != nil {
					h.Fatalf("%v", err)
				}
			}
			h.Cleanup(func() {
				close(done)
				crowd.Wait()
			})
			return func(events []core.Notification) {
				for i := range events {
					v := events[i]
					bus.Publish(topic, &v)
				}
			}
		},
		filter: no("equal topics only (EventBus.Publish)"),
		prune:  no("the writer runs the slowest, under the bus's lock (EventBus.Publish)"),
		bound:  yes("no buffer; but SubscribeAsync starts as many goroutines as there are deliveries"),
		prompt: yes("sends at once, no clock involved"),
	}
}
