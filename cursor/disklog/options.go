package disklog

import (
	"fmt"
	"time"

	"github.com/spillwayhq/spillway/cursor"
)

// Options are what a Log holds at most, and how it does so. The zero Options keep everything, and make each Append
// durable. They may differ from one Open to the next.
type Options struct {
	// MaxEvents is how many events are kept. 0 is any number, unlike memlog's: a disk has room for more than a process,
	// and what is durable is not dropped because nobody said how much is too much. A batch may have as many, and 16,384 at most.
	MaxEvents int

	// MaxBytes is how many bytes the payloads of what is kept have together. A batch may have as many, and 64 MiB at
	// most; a payload 16 MiB. 0 is any number.
	MaxBytes int

	// MaxAge is how long an event is kept after its Append, by the Log's clock: up to a hundredth longer, or a second, where no
	// Append comes meanwhile. 0 is for ever.
	MaxAge time.Duration

	// MaxEntities is how many Coordinates the Log knows in its life: whatever becomes of an entity's events, its
	// clock is kept, on the disk. An Append that would begin one more is refused. 0 is any number, unlike memlog's.
	MaxEntities int

	// Repeats is how many events, the last ones, are recognized when they are appended again, as far as they are kept.
	// That takes some 64 bytes of memory for each. 0 is 65,536.
	Repeats int

	// Sync says when what is appended becomes durable: cursor.EachGroup, with an fsync before each Append returns; cursor.Interval,
	// after so long, where a failure shows at the next Append; or cursor.NoSync, when the operating system sees to it, and
	// at Close. What is not durable may be gone after a power cut, and some of it after a crash of the process, too; what
	// is left is always the first part of what was appended, to the end of some batch. The zero Level is EachGroup.
	Sync cursor.Level

	// MustExist has Open fail with ErrNoLog where there is no Log, and make nothing on the disk. One that a crash has left half
	// made is there, has no events, and is made whole.
	MustExist bool

	// ReadOnly has nothing on the disk be changed: a Log that is not there, or not wholly, is ErrNoLog; a last write that was cut short is
	// passed over, and left as it is; nothing is dropped, of whatever age. Append, Compact and a Wait at the end are refused with
	// ErrReadOnly. It is the folder's one opener all the same, since the engine's files change under whoever writes. On a file
	// system that is mounted read only it takes no lock: that nobody writes by another mount is then its caller's to see to. What is not in the engine's tables yet is held in memory.
	ReadOnly bool

	// OnAppend is told of each Append that added events: how many, and how long it took from holding the Log to its answer.
	// OnSync is told of each fsync of the engine's write-ahead log. Both are called by whoever did it, and must not call the Log.
	// nil: nobody is told.
	OnAppend func(events int, took time.Duration)
	OnSync   func(took time.Duration)
}

const (
	maxBatch      = 1 << 14
	maxBatchBytes = 64 << 20
	maxPayload    = 16 << 20
	maxCopied     = 1 << 10 // events that a Read copies
	maxRead       = 1 << 18 // bytes of their payloads, but for the last one's: so much is held for each who reads and is slow to take it
	maxTested     = 1 << 12 // events that a Read looks at, and segments too
	defRepeats    = 1 << 16
)

// mustExist tells whether no Log is to be made.
func (o *Options) mustExist() bool { return o.MustExist || o.ReadOnly }

func (o Options) withDefaults() (Options, error) {
	for _, f := range []struct {
		name  string
		value int
	}{
		{"MaxEvents", o.MaxEvents},
		{"MaxBytes", o.MaxBytes},
		{"MaxEntities", o.MaxEntities},
		{"Repeats", o.Repeats},
	} {
		if f.value < 0 {
			return o, fmt.Errorf("spillway/disklog: Options.%s is %d; want 0 for the default, or more", f.name, f.value)
		}
	}
	if o.MaxAge < 0 {
		return o, fmt.Errorf("spillway/disklog: Options.MaxAge is %v; want 0 for ever, or more", o.MaxAge)
	}
	switch o.Sync {
	case cursor.Level{}:
		o.Sync = cursor.EachGroup()
	case cursor.EachGroup(), cursor.NoSync():
	default:
		if o.Sync.Every() <= 0 {
			return o, fmt.Errorf("spillway/disklog: Options.Sync is an interval of %v; want more than 0", o.Sync.Every())
		}
	}
	if o.Repeats == 0 {
		o.Repeats = defRepeats
	}
	return o, nil
}
