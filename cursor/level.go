package cursor

import (
	"fmt"
	"time"
)

// A Level says what a crash of the machine can take back of what a Log has answered. It is the Log's to keep, and goes beside
// every figure that depends on it. A Log that has one has a method
//
//	Level() Level
//
// The zero Level is that of a Log that doesn't say.
type Level struct {
	synced synced
	every  time.Duration
}

type synced uint8

const (
	unsaid synced = iota
	eachGroup
	interval
	never
)

// EachGroup is the Level of a Log that syncs before each Append returns: nothing.
func EachGroup() Level { return Level{synced: eachGroup} }

// Interval is that of one that syncs so often: as much as is appended in that time.
func Interval(every time.Duration) Level { return Level{synced: interval, every: every} }

// NoSync is that of one that leaves it to the system, or is in memory: anything.
func NoSync() Level { return Level{synced: never} }

// Every returns what Interval was given, and 0 for the others.
func (l Level) Every() time.Duration { return l.every }

// String returns "each group", "interval 10ms", "none" or "unstated".
func (l Level) String() string {
	switch l.synced {
	case eachGroup:
		return "each group"
	case interval:
		return fmt.Sprintf("interval %v", l.every)
	case never:
		return "none"
	}
	return "unstated"
}
