package multicast

import "sync/atomic"

// order keeps what a lapped Reader has to know of the sequences that it missed: nothing, where they only ever rise. Then
// the least is one more than what it read last. Where events overlap, one may come to the ring after another with
// a higher sequence; how late the latest was is how much lower the least may be.
type order struct {
	// next is one more than the highest sequence so far.
	//   written by: Offer, upwards, by compare-and-swap
	//   read by:    Offer; Readers that begin
	//   order:      raised before the event's place is claimed, and so before a Reader may be lapped by it
	next atomic.Uint64

	// late is by how much an event has ever been below next.
	//   written by: Offer, upwards, by compare-and-swap
	//   read by:    Readers that were lapped
	//   order:      as next, and looked at once more when the place is claimed
	late atomic.Uint64
}

// coming takes down that an event of this sequence is about to claim its place.
func (o *order) coming(sequence uint64) {
	for {
		next := o.next.Load()
		if sequence < next {
			raise(&o.late, next-sequence)
			return
		}
		if o.next.CompareAndSwap(next, max(sequence, sequence+1)) { // the last number there is has none after it
			return
		}
	}
}

// placed is for the same event when it has claimed its place: another with a higher sequence may have been quicker.
func (o *order) placed(sequence uint64) {
	if next := o.next.Load(); next > sequence+1 {
		raise(&o.late, next-sequence)
	}
}

// least returns what nothing is missed below by a Reader that expected next.
func (o *order) least(next uint64) uint64 {
	return next - min(next, o.late.Load())
}

func raise(to *atomic.Uint64, v uint64) {
	for {
		before := to.Load()
		if before >= v || to.CompareAndSwap(before, v) {
			return
		}
	}
}
