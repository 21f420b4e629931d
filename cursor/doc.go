// Package cursor is for whoever needs every event. A Log keeps the events of a service in one order, under sequences
// that begin at 0; a Cursor reads the part of them that is in its Region, from wherever its owner left off, and waits
// for more at the end.
//
//	log, err := memlog.New(memlog.Options{})
//	made, err := log.Append(ctx, []cursor.Draft{{EventID: cursor.NewID(), Coordinate: alice, Kind: kind}})
//	c, err := cursor.Open(ctx, log, region.Region{Entity: "alice"}, cursor.FromStart())
//	for e, err := range c.All(ctx) {
//
// It promises:
//
//   - An Append is all or nothing, and answered with the Envelopes that everybody else will read. One whose outcome
//     cannot be known says so: [ErrUnknown].
//   - An event that is appended again under its EventID is answered as the first time, and is in the Log once.
//   - Sequences have no holes. An entity's own clock counts its events from 1. The hybrid logical clock goes forward,
//     whatever the wall clock does.
//   - A Cursor hands out each event of its Region once, in the order of the Log, and none is passed over: where
//     retention was quicker, that is [ErrCompacted] with the first event that is left.
//   - A Cursor that has nothing to read sleeps, and moves on over events of other Regions: its Place is never older
//     than what it has seen.
//   - A Follower hands out each event of its Region once, in the order of the Log: pushed while it keeps up, read from the
//     Log when it was pruned, and pushed again: [Follow].
//
// A [Journal] is the one writer where many append and a Fanout broadcasts:
//
//	j := cursor.NewJournal(log, fanout, cursor.JournalOptions{})
//	made, err := j.Append(ctx, drafts) // durable, and broadcast
//
// It promises besides:
//
//   - Nothing is broadcast or answered before it is durable; the Log's [Level] says how durable that is.
//   - The Fanout gets each event once, in the order of the Log. Subscribers never hold up an appender.
//   - Each Append has one answer. Where a context ended or the Log failed in the midst of it, that may be [ErrUnknown].
//   - A [Worker] hands each event of its Region to a handler, at least once, those of one entity in order, and saves a place that never
//     passes one that was neither handled nor set aside as its owner chose. An attempt is counted before it is made. Of two
//     Workers of one name the older is fenced: [ErrFenced].
//   - A [Checkpoint] of another Log, another Region or another [Part] is refused, with both sides.
//
// [Filter], [Map], [Take], [Scan] and [Batch] stand on any stream of values and errors. Several Regions become one stream, each
// event once, by [MergeCursors], over which a quiet one holds nobody up, or for streams of any kind by [Merge], which waits for
// the slowest.
//
// What an engine bounds is in its [Limits]. That an engine keeps to all this is checked by the kit in
// cursor/logtest.
//
// The caller gives each event an EventID before the first attempt to append it, or cannot try again after
// ErrUnknown; leaves Payloads alone once they are appended or read; and makes one call at a time of a Cursor.
//
// It does not promise that a Log outlives its process: that is the engine's to say.
package cursor
