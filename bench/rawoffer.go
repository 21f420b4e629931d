package bench

// A RawOffer offers every event to each of a fixed set of buffered channels: the least that fan-out
// to channels can cost. Nobody is ever pruned, nobody can come or go, and nothing is filtered.
//
// One goroutine at a time may offer; others may receive meanwhile.
type RawOffer[T any] struct {
	chans []chan T
}

// NewRawOffer returns a RawOffer to n channels of the given capacity.
func NewRawOffer[T any](n, capacity int) *RawOffer[T] {
	chans := make([]chan T, n)
	for i := range chans {
		chans[i] = make(chan T, capacity)
	}
	return &RawOffer[T]{chans: chans}
}

// Offer sends what v points to, to each channel that has room, and returns how many had. By pointer it is
// a copy less than by value, which Broadcast has to make.
func (r *RawOffer[T]) Offer(v *T) (accepted int) {
	for _, c := range r.chans {
		select {
		case c <- *v:
			accepted++
		default:
		}
	}
	return accepted
}

// Outputs returns the channels, to read from.
func (r *RawOffer[T]) Outputs() []<-chan T {
	outs := make([]<-chan T, len(r.chans))
	for i, c := range r.chans {
		outs[i] = c
	}
	return outs
}
