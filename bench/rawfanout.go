package bench

import "sync"

// A RawFanout sends every event to each of a fixed set of buffered channels, and waits where one is full: the plainest
// way to have every reader get every event, and the quickest that is made of channels. One goroutine reads each.
type RawFanout[T any] struct {
	chans   []chan T
	readers sync.WaitGroup
}

// NewRawFanout returns a RawFanout to n channels of the given capacity, each read by read on a goroutine of its own.
func NewRawFanout[T any](n, capacity int, read func(in <-chan T)) *RawFanout[T] {
	r := &RawFanout[T]{chans: make([]chan T, n)}
	for i := range r.chans {
		c := make(chan T, capacity)
		r.chans[i] = c
		r.readers.Go(func() { read(c) })
	}
	return r
}

// Send sends what v points to, to each channel.
func (r *RawFanout[T]) Send(v *T) {
	for _, c := range r.chans {
		c <- *v
	}
}

// Close ends the readers, after what was sent.
func (r *RawFanout[T]) Close() {
	for _, c := range r.chans {
		close(c)
	}
	r.readers.Wait()
}
