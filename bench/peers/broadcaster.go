package main

import (
	"github.com/spillwayhq/spillway/bench"
	"github.com/spillwayhq/spillway/core"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// broadcaster is apimachinery's watch.Broadcaster, as its comments say: Watch, and range over ResultChan. It waits for
// whoever is full, its other way drops. The long-queue variant takes events in by a buffer as large as those that they
// leave by: never slower.
func broadcaster() peer {
	return peer{
		name: "watch.Broadcaster", module: "k8s.io/apimachinery", payload: "pointer", whenFull: "the writer waits for the slowest",
		buffer: byReaders(2048, 512, 128),
		open: func(h bench.Host, crowd *bench.Crowd, readers, buffer int) func([]core.Notification) {
			b := watch.NewLongQueueBroadcaster(buffer, watch.WaitIfChannelFull)
			for range readers {
				w, err := b.Watch()
				if err != nil {
					h.Fatalf("%v", err)
				}
				in := w.ResultChan()
				crowd.Go(func(got func(n int, sum uint64)) error {
					for e := range in {
						got(1, e.Object.(*object).Sequence)
					}
					return nil
				})
			}
			h.Cleanup(func() {
				b.Shutdown()
				crowd.Wait()
			})
			return func(events []core.Notification) {
				for i := range events {
					if err := b.Action(watch.Added, &object{events[i]}); err != nil {
						h.Fatalf("%v", err)
					}
				}
			}
		},
		filter: no("all get all; watch.Filter is a goroutine and a channel more for each reader"),
		prune:  no("waits for the slowest, or drops the event and tells nobody (Broadcaster.distribute)"),
		bound:  yes("channels of one capacity"),
		prompt: yes("sends at once, no clock involved"),
	}
}

// An object is a Notification as apimachinery wants it.
type object struct{ core.Notification }

// GetObjectKind returns none.
func (o *object) GetObjectKind() schema.ObjectKind { return schema.EmptyObjectKind }

// DeepCopyObject returns a copy.
func (o *object) DeepCopyObject() runtime.Object {
	c := *o
	return &c
}
