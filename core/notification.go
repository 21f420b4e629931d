package core

import (
	"encoding/hex"

	"github.com/spillwayhq/spillway/region"
)

// An ID names an event, or what belongs together. The zero ID is none.
type ID [16]byte

// String returns the ID as 32 hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// A Notification is the light summary of one committed event: all that a subscriber needs to decide
// whether to fetch the rest. It is 120 bytes, meant to be passed by value.
type Notification struct {
	EventID       ID
	CorrelationID ID // shared by all events of one cause
	CausationID   ID // the event that led to this one; zero: a root cause
	Coordinate    region.Coordinate
	Kind          region.Kind
	Sequence      uint64 // in the log, over all entities
	Position      region.Position
}

// Point returns where the event is, for Config.Locate: core.Notification.Point.
func (n Notification) Point() (p region.Point) {
	n.pointTo(&p)
	return p
}

// pointTo writes the Point where it is wanted.
func (n *Notification) pointTo(p *region.Point) {
	p.Entity, p.Scope = n.Coordinate.Entity(), n.Coordinate.Scope()
	p.Kind, p.Lane, p.Sequence = n.Kind, n.Position.Lane, n.Sequence
}

// An Envelope is a Notification with what was said. Everybody who is given an Envelope shares its
// Payload: it is read only.
type Envelope struct {
	Notification
	Time    uint64 // milliseconds since 1970, as the event's source gave it; 0: none
	Payload []byte
}

// Point returns where the event is, for Config.Locate: core.Envelope.Point.
func (e Envelope) Point() region.Point { return e.Notification.Point() }
