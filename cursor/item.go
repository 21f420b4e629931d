package cursor

import (
	"fmt"

	"github.com/spillwayhq/spillway/core"
)

// An Item is what a Follower hands out: an event, or a Mark that stands between two of them.
type Item struct {
	core.Envelope      // zero where the Item is a Mark
	Mark          Mark // zero where it is an event
}

// IsMark tells whether the Item is a Mark.
func (i *Item) IsMark() bool { return i.Mark.Kind != NoMark }

// A Mark says how a Follower stands, in its exact place: it has handed out all events of its Region below Place, and
// none from there on.
type Mark struct {
	Kind   MarkKind
	Place  uint64
	Behind uint64 // of FellBehind: how many events of whatever Region the Log has from Place on
}

// A MarkKind is what a Mark says.
type MarkKind uint8

const (
	// NoMark is that of an Item that is an event.
	NoMark MarkKind = iota
	// CaughtUp says that all events were handed out that the Log held when the Follower looked, just before. The first Mark of
	// a Follower, but for Progress, is one; after that CaughtUp and FellBehind take turns.
	CaughtUp
	// FellBehind says that the Follower was pruned: what it was given before has been handed out, and what comes next is
	// read from the Log.
	FellBehind
	// Progress says that the Log has gone on without an event of the Region: Place is where to go on after a restart.
	Progress
)

func (k MarkKind) String() string {
	switch k {
	case CaughtUp:
		return "caught up"
	case FellBehind:
		return "fell behind"
	case Progress:
		return "progress"
	}
	return "none"
}

// String returns "caught up at 7", "fell behind at 7 by 12" or "progress at 7".
func (m Mark) String() string {
	if m.Kind == FellBehind {
		return fmt.Sprintf("%s at %d by %d", m.Kind, m.Place, m.Behind)
	}
	return fmt.Sprintf("%s at %d", m.Kind, m.Place)
}
