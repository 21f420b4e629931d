// Package memlog is a Log in memory, for tests and for services whose readers come back within the life of the
// process.
//
//	log, err := memlog.New(memlog.Options{MaxEvents: 100_000, MaxAge: time.Hour})
//
// It never holds more than its Options say: whatever does not fit takes the place of the oldest, before it is added. A
// reader that those have overtaken is told by [cursor.ErrCompacted], with the first event that is left.
//
// Reading a Region costs about what that Region holds: of its entity, scope, kind and lane the one that fewest events
// have leads, and only those are looked at. A Region of nothing but a clock range is found by looking at all events.
// That takes 8 bytes an event for each segment of its entity and four more.
//
// How many entities a Log ever knows is bounded, too, and there the new ones are refused, not the oldest forgotten: see
// [Options].
//
// Nothing is durable. What Append has returned is gone when the process is, or the Log is closed.
package memlog
