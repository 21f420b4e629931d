// Package checkpointfile stores Checkpoints in the files of a folder, for any number of processes of one machine.
//
//	store, err := checkpointfile.Open("/var/lib/shop/checkpoints")
//	w, err := cursor.StartWorker(ctx, log, cursor.WorkerOptions{Name: "mailer", Checkpoints: store, Handle: mail})
//
// It promises:
//
//   - A Checkpoint whose Save has returned nil is there after a power cut: written beside, synced, renamed, and the
//     folder synced.
//   - It is there whole. Two generations are kept: where one can't be read the other is used, and Checkpoint.Damaged says so.
//     Where neither can be read it is an error, and nobody begins anew.
//   - Whoever was an owner before the last Claim saves nothing any more, whichever generation is left.
//   - No name leads out of the folder.
//
// The folder is on a file system that keeps locks and syncs folders, and is one machine's: not NFS. To forget a
// Checkpoint, end its workers and remove its files.
package checkpointfile
