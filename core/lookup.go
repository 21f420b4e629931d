package core

import (
	"reflect"

	"github.com/spillwayhq/spillway/region"
)

// A lookup is how an event finds the subscriptions that ask for less than everything. It lives on the writer's stack.
type lookup[T any] struct {
	point region.Point
	keys  region.Matches[member[T]]
}

// lookUp finds out where v is, and takes it past those who ask for events from there.
//
// The look-up begins before the grace is entered, so that its memory comes meanwhile. That is no
// broadcast's look at a member yet: the tables that it has come to hold everyone who was there when it
// began, and who is in them is read by Next, inside.
func (w *walk[T]) lookUp(v *T) {
	var l lookup[T]
	f := w.fanout
	if f.locate != nil {
		if n := ownEvent(v); n != nil && f.direct {
			n.pointTo(&l.point)
		} else {
			l.point = f.locate(*v)
		}
		w.sequence, w.located = l.point.Sequence, true
	}
	l.keys.Begin(f.index, &l.point)
	step("broadcast:looking")
	w.passAll(v, &l)
}

// isOwnPoint tells whether locate is the method Point of this package's own events. They are then read where they are: a
// call by value copies an event twice, which is a sixth of a broadcast to one subscription of a thousand. A method
// expression has one code and no context, so that equal code is the same function.
func isOwnPoint[T any](locate func(T) region.Point) bool {
	same := func(own any) bool { return reflect.ValueOf(locate).Pointer() == reflect.ValueOf(own).Pointer() }
	switch any(locate).(type) {
	case func(Notification) region.Point:
		return same(Notification.Point)
	case func(Envelope) region.Point:
		return same(Envelope.Point)
	}
	return false
}

// ownEvent returns the Notification that v is or has; nil: none.
func ownEvent[T any](v *T) *Notification {
	switch e := any(v).(type) {
	case *Notification:
		return e
	case *Envelope:
		return &e.Notification
	}
	return nil
}
