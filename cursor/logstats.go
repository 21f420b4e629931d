package cursor

// LogStats are a Log's figures, as far as its engine has them; the others are zero.
type LogStats struct {
	Bounds   Bounds
	Bytes    uint64 // of the Payloads of what is kept
	Entities uint64 // that the Log knows
	Disk     uint64 // bytes that it takes there
	Level    Level
	Failed   error // why it appends nothing any more; nil while it does

	Append Distribution // nanoseconds of the Appends that added events, since it was opened
	Sync   Distribution // nanoseconds of its syncs, since it was opened
}

// A LogSource is a Log that tells its figures, for metrics. LogStats returns them, also when the Log is closed, and waits for no
// Append and for no network.
type LogSource interface{ LogStats() LogStats }
