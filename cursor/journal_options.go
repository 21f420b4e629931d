package cursor

import "errors"

// Why a Journal appends nothing. None of the batch was added, unless the error is an *UnknownError, too.
var (
	// ErrJournalFull: more than MaxQueued events or MaxQueuedBytes are waiting, and AppendAsync doesn't.
	ErrJournalFull = errors.New("spillway/cursor: the journal's queue is full")
	// ErrJournalClosed: Close was called.
	ErrJournalClosed = errors.New("spillway/cursor: the journal is closed")
	// ErrJournalFailed: the Log has failed for good, was closed, or is damaged where the Journal has to read it; or somebody else
	// broadcasts on a Fanout of one writer. The error holds that reason, too.
	ErrJournalFailed = errors.New("spillway/cursor: the journal has failed")
)

// JournalOptions say how much a Journal takes at once. The zero JournalOptions work; what is 0 or less is the default. A bound
// never keeps out a batch that is larger by itself: that one comes alone. An empty batch counts as one event.
type JournalOptions struct {
	// Name is that of its figures, for metrics and logs.
	Name string

	// MaxGroup and MaxGroupBytes are how many events, and bytes of their Payloads, are committed together at most: 4,096
	// and 4 MiB. They are never more than the Log takes in a batch, or recognizes as repeats.
	MaxGroup      int
	MaxGroupBytes int

	// MaxQueued and MaxQueuedBytes are how many events, and bytes of their Payloads, AppendAsync lets wait: 65,536 and
	// 64 MiB. An Append holds its batch itself while it waits, in the queue or before it, and so is not kept out.
	MaxQueued      int
	MaxQueuedBytes int
}

func (o JournalOptions) withDefaults() JournalOptions {
	for _, f := range []struct {
		field *int
		value int
	}{
		{&o.MaxGroup, 4096},
		{&o.MaxGroupBytes, 4 << 20},
		{&o.MaxQueued, 1 << 16},
		{&o.MaxQueuedBytes, 64 << 20},
	} {
		if *f.field <= 0 {
			*f.field = f.value
		}
	}
	return o
}
