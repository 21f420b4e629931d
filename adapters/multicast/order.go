package multicast

import "sync/atomic"

// order keeps what a lapped Reader has to know of the sequences that it missed: nothing, where they only ever rise. Then
// the least is one more than what it read last. Where events overlap, one may come to the ring after another with
// a higher sequence; how late the latest was is how much lower the least may be. docs/models/order.pml is the proof.
type order struct {
	// next is one more than the highest sequence so far.
	//   written by: Offer, upwards, by compare-and-swap
	//   read by:    Offer; Readers that were lapped, for whether there was any
	//   order:      raised before the event's place is claimed: who claims one above it sees it
	next atomic.Uint64

	// late is by how much an event has ever been below next.
	//   written by: Offer, upwards, by compare-and-swap
	//   read by:    Readers that were lapped
	//   order:      raised before the late event's place is claimed, and so before a Reader may be lapped by it
	late atomic.Uint64

	// lateTo is one more than the place of the last late event, or than one that it has tried to claim.
	//   written by: Offer, upwards, by compare-and-swap
	//   read by:    Readers that were lapped: who begins at it or above has missed nothing that was late
	//   order:      as late
	lateTo atomic.Uint64
}

// coming takes down that an event of this sequence is about to claim its place. It tells whether none before was as high.
func (o *order) coming(sequence uint64) (first bool) {
	for {
		next := o.next.Load()
		if sequence < next {
			return false
		}
		if o.next.CompareAndSwap(next, max(sequence, sequence+1)) { // the last number there is has none after it
			return true
		}
	}
}

// placing is for the same event before each attempt to claim a place: what lies below that place has raised next by now,
// and if some of it has a higher sequence, the event is late. It may not be looked at afterwards: a writer that stopped
// with its place claimed would be lapped before it could say so.
func (o *order) placing(place, sequence uint64, first bool) {
	next := o.next.Load()
	if first && next <= max(sequence, sequence+1) {
		return
	}
	for late := next - sequence; ; {
		before := o.late.Load()
		if before >= late || o.late.CompareAndSwap(before, late) {
			break
		}
	}
	for {
		before := o.lateTo.Load()
		if int64(place+1-before) <= 0 || o.lateTo.CompareAndSwap(before, place+1) { // places wrap
			return
		}
	}
}

// least returns what nothing is missed below by a Reader that was lapped at a place and expected next there.
func (o *order) least(place, next uint64) uint64 {
	if int64(o.lateTo.Load()-place) <= 0 {
		return next
	}
	return next - min(next, o.late.Load())
}
