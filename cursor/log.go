package cursor

import (
	"context"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A Log is a sequence of Envelopes that is only ever added to, at its end, and dropped from, at its beginning. Its
// methods may be called by any number of goroutines at once. Those that take a context may reach over a network,
// and return its cause once it is over; one that is over already does nothing.
type Log interface {
	// ID returns the Log's identity, also when it is closed.
	ID() LogID

	// Append adds the events of a batch, all of them or none, and returns when they are as durable as the engine
	// makes them. They get consecutive sequences in the order of the batch, others' events before or after. The answer
	// has an Envelope for each Draft, in order, and is the caller's; its Payloads are the Drafts'. So is ds again, once
	// Append has returned: a Log keeps nothing of it but what the Drafts say.
	//
	// A Draft whose EventID is that of an event that the Log recognizes (Limits says how long) is a repeat, if it is
	// otherwise the same: nothing is added for it, nothing is expected of its entity, and it is answered as
	// the first time. A batch may hold repeats and new events. Two Drafts of one EventID in a batch are one event. So
	// for the one writer of a Log, who knows its next sequence, an Envelope of that sequence is new, and the next sequence is
	// one more; one below it is a repeat.
	//
	// Expect is compared with what the entity is when the earlier Drafts of the batch have been added.
	//
	// An error says that nothing was added, and if one Draft is to blame it is a *DraftError; or it is an
	// *UnknownError, where a context or a connection ended too late to tell. An empty batch does nothing. A Log that
	// can't go on, a sync having failed, says so by ErrFailed, from then on.
	Append(ctx context.Context, ds []Draft) ([]core.Envelope, error)

	// Read copies events of r into dst, in order, beginning at sequence from, and returns how many, and where to
	// go on: dst[:n] are all events of r from from up to, not including, next. It doesn't wait, and may stop wherever
	// it likes, n being less than len(dst) or 0, as long as it moves on: next is from only where the Log's end is, or
	// where dst has no room. All of r.Clock, which a live subscription cannot ask for, is answered.
	//
	// dst is the caller's, and what lies beyond n is left as it is; the Payloads are shared, read only, and stay as they
	// are for good. With an error, n is 0 and next is from: *CompactedError, *BeyondError, r's own from Validate, ErrClosed,
	// a context's cause, or the engine's. Where retention passes by meanwhile it is a *CompactedError, or else all
	// events are there.
	Read(ctx context.Context, r region.Region, from uint64, dst []core.Envelope) (n int, next uint64, err error)

	// Bounds returns what there is to read.
	Bounds(ctx context.Context) (Bounds, error)

	// Wait returns nil when Bounds.Next is over next, and ErrClosed when the Log is closed. It sleeps until then.
	Wait(ctx context.Context, next uint64) error

	// Limits returns what the engine bounds, also when it is closed.
	Limits() Limits

	// Close ends all calls under way, with their result or ErrClosed, and gives back what the Log holds. It waits for
	// Appends. The error is that of making what was appended durable. Closing again does nothing and returns nil.
	Close() error
}

// Bounds are what a Log holds: the sequences from First up to, not including, Next.
type Bounds struct {
	First uint64 // the first that is kept; Next where none is
	Next  uint64 // what the event to be appended next will have
}

// Selects tells whether r asks for n, its clock included. Nothing is checked, neither r nor n. It is for engines.
func Selects(r *region.Region, n *core.Notification) bool {
	return r.Match(n.Point()) && r.Clock.Match(n.Position.Sequence)
}
