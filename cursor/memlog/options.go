package memlog

import (
	"fmt"
	"time"
)

// Options are what a Log holds at most. The zero Options are good for a million events.
type Options struct {
	// MaxEvents is how many events are kept. 0 is 1,048,576: a process has to end somewhere, where disklog's 0 is any number. A batch may have as many, and 16,384 at most.
	MaxEvents int

	// MaxBytes is how many bytes the payloads of what is kept have together; names and all else are bounded by
	// MaxEvents and MaxEntities. A batch may have as many. 0 is any number.
	MaxBytes int

	// MaxAge is how long an event is kept after its Append, by the Log's clock. 0 is for ever.
	MaxAge time.Duration

	// MaxEntities is how many Coordinates the Log knows in its life: whatever becomes of an entity's events, its
	// clock is kept, or an old Expect would succeed. So an Append that would begin one more is refused with
	// cursor.ErrLimit, for good: where entities come and go, as orders do, it has to be as many as will ever come, or one
	// entity has to stand for several. Each takes some 300 bytes. 0 is 1,048,576; disklog's is any number.
	MaxEntities int
}

const (
	million   = 1 << 20
	maxBatch  = 1 << 14
	maxCopied = 1 << 10 // events that a Read copies
	maxTested = 1 << 12 // events that a Read looks at

	maxDropped = 1 << 12 // events that retention drops while all others wait
)

func (o Options) withDefaults() (Options, error) {
	for _, f := range []struct {
		name  string
		value int
	}{
		{"MaxEvents", o.MaxEvents},
		{"MaxBytes", o.MaxBytes},
		{"MaxEntities", o.MaxEntities},
	} {
		if f.value < 0 {
			return o, fmt.Errorf("spillway/memlog: Options.%s is %d; want 0 for the default, or more", f.name, f.value)
		}
	}
	if o.MaxAge < 0 {
		return o, fmt.Errorf("spillway/memlog: Options.MaxAge is %v; want 0 for ever, or more", o.MaxAge)
	}
	if o.MaxEvents == 0 {
		o.MaxEvents = million
	}
	if o.MaxEntities == 0 {
		o.MaxEntities = million
	}
	return o, nil
}
