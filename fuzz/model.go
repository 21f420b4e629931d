package fuzz

import (
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A Model is what a Fanout must do, in plain lists: no concurrency, no index, no reaper. Its ends are
// over at once. One Broadcast at a time, and nobody calls back.
type Model struct {
	Subs   []*ModelSub // all that there ever were, in order
	Closed bool
	Stats  core.Stats // Live is not kept: it is len(Live())
}

// A ModelSub is one subscription of a Model. Its sink is a buffer of Capacity events.
type ModelSub struct {
	Region   region.Region
	Capacity int

	// Refuses is the Verdict, not Accepted, with which it answers the next event that it is offered.
	Refuses core.Verdict

	Held     []uint64 // sequences accepted and not taken yet
	Received []uint64 // taken
	Offered  int      // events that it was offered

	Over    bool
	Cause   error        // why it is over, but for a prune
	Verdict core.Verdict // why it was pruned; Accepted: it was not
	Missed  uint64       // the sequence refused
	HeldBy  int          // how many events it held at the refusal
}

// Live returns the subscriptions that are not over.
func (m *Model) Live() (subs []*ModelSub) {
	for _, s := range m.Subs {
		if !s.Over {
			subs = append(subs, s)
		}
	}
	return subs
}

// Subscribe adds s, unless the Model is closed: then it is core.ErrClosed.
func (m *Model) Subscribe(s *ModelSub) error {
	if m.Closed {
		return core.ErrClosed
	}
	m.Stats.Subscribed++
	m.Subs = append(m.Subs, s)
	return nil
}

// Broadcast offers an event at p to everyone whose Region matches.
func (m *Model) Broadcast(p region.Point) core.Outcome {
	live := m.Live()
	out := core.Outcome{Live: len(live)}
	if len(live) == 0 {
		return out
	}
	m.Stats.Broadcasts++
	for _, s := range live {
		if !s.Region.Match(p) {
			continue
		}
		out.Matched++
		if s.offer(p.Sequence) {
			out.Accepted++
			continue
		}
		out.Pruned++
		if s.Verdict == core.Full {
			m.Stats.PrunedFull++
		} else {
			m.Stats.PrunedClosed++
		}
	}
	m.Stats.Matched += uint64(out.Matched)
	m.Stats.Accepted += uint64(out.Accepted)
	return out
}

// offer gives s one event; false where that has ended it.
func (s *ModelSub) offer(sequence uint64) bool {
	s.Offered++
	s.Verdict, s.Refuses = s.Refuses, core.Accepted
	if s.Verdict == core.Accepted && len(s.Held) == s.Capacity {
		s.Verdict = core.Full
	}
	if s.Verdict == core.Accepted {
		s.Held = append(s.Held, sequence)
		return true
	}
	s.Over, s.Missed, s.HeldBy = true, sequence, len(s.Held)
	return false
}

// End ends s with cause, unless it is over.
func (m *Model) End(s *ModelSub, cause error) {
	if s.Over {
		return
	}
	s.Over, s.Cause = true, cause
	m.Stats.Cancelled++
}

// Close ends all with core.ErrClosed.
func (m *Model) Close() {
	m.Closed = true
	for _, s := range m.Live() {
		m.End(s, core.ErrClosed)
	}
}

// Take moves up to n events from what s holds to what it has received. What one who is over holds stays its own.
func (s *ModelSub) Take(n int) {
	n = min(n, len(s.Held))
	s.Received = append(s.Received, s.Held[:n]...)
	s.Held = s.Held[n:]
}
