// Package disklog is a Log in a folder, for whoever needs events to outlive the process.
//
//	log, err := disklog.Open("/var/lib/shop/events", disklog.Options{MaxAge: 30 * 24 * time.Hour})
//
// What Append has returned is on the disk, unless Options.Sync says otherwise. A last write that was cut short by a crash is cut
// off, and Stats says so: with each group synced, it was not acknowledged. Without, Stats says that what was acknowledged last may be gone. Anything else that is not as it was written is a [*CorruptError], from
// Open, from what reads it, or from Verify, which reads everything. Nothing is passed over, and nothing is repaired.
//
// The disk fails once: that Append's outcome is unknown, later ones are refused with [cursor.ErrFailed], and what was durable can
// be read until the Log is closed. Opened again, it goes on from what is there.
//
// Workers may keep their places in the Log itself:
//
//	w, err := cursor.StartWorker(ctx, log, cursor.WorkerOptions{Name: "mailer", Checkpoints: log.Checkpoints(), Handle: mail})
//
// One process at a time opens a Log; others get [ErrLocked].
//
// Reading a Region costs about what it holds, and a look at each segment of some 8,000 events. A Region of nothing but a
// clock range is found by looking at all events. What is kept on the disk is drawn in docs/formats/disklog.md; the engine
// is Pebble, for the reasons in docs/decisions/0011-the-engine-of-disklog.md.
//
// What it does not promise: that the events or checkpoints acknowledged last, after the anchor was synced last, are missed if a
// power cut and damage come together.
package disklog
