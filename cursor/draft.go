package cursor

import (
	"bytes"
	"fmt"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A Draft is an event that is not in a Log yet. The Log adds what it alone can say: the sequence, the entity's clock
// and the hybrid logical clock.
type Draft struct {
	// EventID names the event for good: whoever appends it again gets the first answer again. Zero: the Log
	// makes one, and the event cannot be appended again.
	EventID       core.ID
	CorrelationID core.ID
	CausationID   core.ID
	Coordinate    region.Coordinate
	Kind          region.Kind
	Lane, Depth   uint32
	Time          uint64 // milliseconds since 1970, as the event's source gave it; 0: none. Never the Log's clock
	Payload       []byte // handed over: from Append on nobody writes to it, whether that succeeds or not
	Expect        Expect // the zero Expect is anything
}

// Made tells whether e may be what an earlier Append of d was answered with. Expect is not looked at: what it asked for
// was so at the time.
func (d *Draft) Made(e *core.Envelope) bool {
	return d.EventID == e.EventID && d.CorrelationID == e.CorrelationID && d.CausationID == e.CausationID &&
		d.Coordinate == e.Coordinate && d.Kind == e.Kind &&
		d.Lane == e.Position.Lane && d.Depth == e.Position.Depth &&
		d.Time == e.Time && bytes.Equal(d.Payload, e.Payload)
}

// An Expect is what a Draft's entity must be like for the Draft to be appended. The zero Expect is anything.
type Expect struct {
	set   bool
	clock uint32
}

// ExpectClock asks that the entity's clock be n, which is how many events it has in the Log: 0 for none.
func ExpectClock(n uint32) Expect { return Expect{set: true, clock: n} }

// Met tells whether an entity whose clock is n is as expected.
func (x Expect) Met(n uint32) bool { return !x.set || x.clock == n }

// Clock returns the clock that is asked for; false where any is.
func (x Expect) Clock() (n uint32, ok bool) { return x.clock, x.set }

// String returns "any", or the clock in decimal.
func (x Expect) String() string {
	if !x.set {
		return "any"
	}
	return fmt.Sprint(x.clock)
}
