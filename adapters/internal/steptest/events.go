//go:build spillway_steps

package steptest

import (
	"sync"
	"testing"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// Broadcasts is how many everybody besides the victim makes.
const Broadcasts = 10_000

// An Event says whose it is, and its writer's how many-th.
type Event struct {
	Who string
	Seq uint64
}

// Point is where an Event is: a Region may ask for one writer's.
func (e Event) Point() region.Point { return region.Point{Entity: e.Who, Sequence: e.Seq} }

// Fanout returns one of Events.
func Fanout(single bool) *core.Fanout[Event] {
	return core.New(core.Config[Event]{Locate: Event.Point, SingleWriter: single})
}

// Writer returns who makes Broadcasts on f.
func Writer(f *core.Fanout[Event], who string) func() {
	return func() {
		for n := range uint64(Broadcasts) {
			f.Broadcast(Event{who, n})
		}
	}
}

// Taken is what readers got from one subscription.
type Taken struct {
	mu     sync.Mutex
	events []Event
}

// Add puts down what a reader got.
func (k *Taken) Add(events ...Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.events = append(k.events, events...)
}

// Events returns all of it. No event may be in it twice.
func (k *Taken) Events(t *testing.T) []Event {
	t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	seen := make(map[Event]bool, len(k.events))
	for _, e := range k.events {
		if seen[e] {
			t.Errorf("%v came twice", e)
		}
		seen[e] = true
	}
	return k.events
}
