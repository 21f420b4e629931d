package sse

// Stats are a Handler's figures. What streams count is in them when they end; Open apart.
type Stats struct {
	Open          int    // streams there are
	Opened        uint64 // streams there were, those that are open too
	RefusedFull   uint64 // requests answered 503: too many streams, stopping, or no log
	RefusedClient uint64 // requests answered 429: too many of one client
	RefusedBad    uint64 // requests answered otherwise: 400 to 410, or a way that can't carry a stream
	Events        uint64
	Notices       uint64
	Bytes         uint64 // of frames
	Gaps          uint64 // how often EventGap was sent
	FellBehind    uint64 // streams without a log that ended for being full
	Stuck         uint64 // streams that ended since the client took nothing for WriteTimeout
	Panics        uint64 // streams that ended by a panic, of Options.Data for one
}

// Stats returns the figures. It waits for nothing.
func (h *Handler) Stats() Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	stats := h.stats
	stats.Open = len(h.streams)
	return stats
}

// count adds a stream's figures to all.
func (s *stream) count(all *Stats) {
	all.Events += s.tally.Events
	all.Notices += s.tally.Notices
	all.Bytes += s.tally.Bytes
	all.Gaps += s.tally.Gaps
	all.FellBehind += s.tally.FellBehind
	all.Stuck += s.tally.Stuck
	if s.begun && !s.finished {
		all.Panics++
	}
}
