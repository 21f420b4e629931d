//go:build spillway_steps

package core_test

import (
	"sync/atomic"
	"testing"

	"github.com/spillwayhq/spillway/core"
)

const (
	each   = 10_000 // broadcasts a writer
	prunes = 40     // of a writer's subscriptions, half of them channels, refuse sooner or later
)

// A writer broadcasts besides the victim. Its subscriptions refuse one after the other, so that it
// goes through prune and retire list all the time, and it cancels some.
type writer struct {
	who    string
	pipes  []chan event
	doors  []*atomic.Int64 // offers that each has had
	rooms  []int64
	doomed []*core.Subscription
	closes atomic.Int64
	sum    core.Outcome
}

func newWriter(t *testing.T, f *core.Fanout[event], i int) *writer {
	w := &writer{who: string(rune('r' + i))}
	for n := range prunes / 2 {
		room := n * each / prunes * 2
		c := make(chan event, room)
		subscribe(t, f, about(w.who), &pipe{t: t, c: c})
		w.pipes = append(w.pipes, c)

		offers := new(atomic.Int64)
		w.doors, w.rooms = append(w.doors, offers), append(w.rooms, int64(room+each/prunes))
		subscribe(t, f, about(w.who), handler{
			offer: func(event) core.Verdict {
				if offers.Add(1) > int64(room+each/prunes) {
					return core.Full
				}
				return core.Accepted
			},
			close: func(error) { w.closes.Add(1) },
		})
		w.doomed = append(w.doomed, subscribe(t, f, about("nobody"), handler{close: func(error) { w.closes.Add(1) }}))
	}
	return w
}

func (w *writer) run(f *core.Fanout[event]) {
	for i := range uint64(each) {
		if i%(2*each/prunes) == 0 {
			w.doomed[i/(2*each/prunes)].Cancel()
		}
		out := f.Broadcast(event{w.who, i})
		w.sum.Matched += out.Matched
		w.sum.Accepted += out.Accepted
		w.sum.Pruned += out.Pruned
	}
}

// check looks whether everyone was given what there was room for, and closed.
func (w *writer) check(t *testing.T) {
	t.Helper()
	for n, c := range w.pipes {
		if got := len(c); got != cap(c) {
			t.Errorf("channel %d of %q holds %d events, want %d", n, w.who, got, cap(c))
		}
		next := uint64(0)
		for e := range c { // closed
			if e != (event{w.who, next}) {
				t.Fatalf("channel %d of %q: got %v, want %d", n, w.who, e, next)
			}
			next++
		}
	}
	for n, offers := range w.doors {
		if got, want := offers.Load(), min(w.rooms[n]+1, each); got != want {
			t.Errorf("sink %d of %q was offered %d events, want %d", n, w.who, got, want)
		}
	}
	if got, want := int(w.closes.Load()), len(w.doors)+len(w.doomed); got != want {
		t.Errorf("closed %d sinks of %q, want %d", got, w.who, want)
	}
	if w.sum.Matched != w.sum.Accepted+w.sum.Pruned {
		t.Errorf("Outcomes of %q do not add up: %+v", w.who, w.sum)
	}
}
