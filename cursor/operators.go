package cursor

import (
	"fmt"
	"iter"
)

// The operators below are for streams of any kind: a Cursor's All, a Follower's, a sink's. A stream hands out values, and
// ends, or ends with an error, beside which stands no value. An operator hands the error on in its place, after all that
// came before it, and then ends as well. It starts no goroutine and pulls nothing before it is ranged over; whoever breaks
// off ends the stream under it, too. It can be ranged over as often as that stream can.

// Filter returns those values of s that keep says true of.
func Filter[V any](s iter.Seq2[V, error], keep func(V) bool) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		for v, err := range s {
			if err != nil {
				yield(v, err)
				return
			}
			if keep(v) && !yield(v, nil) {
				return
			}
		}
	}
}

// Map returns what f makes of each value of s.
func Map[V, W any](s iter.Seq2[V, error], f func(V) W) iter.Seq2[W, error] {
	return func(yield func(W, error) bool) {
		for v, err := range s {
			if err != nil {
				var none W
				yield(none, err)
				return
			}
			if !yield(f(v), nil) {
				return
			}
		}
	}
}

// Take returns the first n values of s, and doesn't wait for another. Of an n below 1 it doesn't begin.
func Take[V any](s iter.Seq2[V, error], n int) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		if n < 1 {
			return
		}
		left := n
		for v, err := range s {
			left--
			if !yield(v, err) || err != nil || left == 0 {
				return
			}
		}
	}
}

// Scan folds the values of s, beginning with first, and returns what the fold has come to with each. A fold that changes
// what it is given, a map or a slice, changes what was handed out before, and first.
func Scan[V, A any](s iter.Seq2[V, error], first A, fold func(A, V) A) iter.Seq2[A, error] {
	return func(yield func(A, error) bool) {
		a := first
		for v, err := range s {
			if err != nil {
				var none A
				yield(none, err)
				return
			}
			if a = fold(a, v); !yield(a, nil) {
				return
			}
		}
	}
}

// Batch returns the values of s n at a time, each batch in a slice of its own. What there is when s ends, or before its
// error, is a smaller one. A batch waits until it is full: of a live stream that is quiet, for as long as that is. To
// read what is there, and no longer, is what Cursor.NextBatch does. An n below 1 panics.
func Batch[V any](s iter.Seq2[V, error], n int) iter.Seq2[[]V, error] {
	if n < 1 {
		panic(fmt.Sprintf("spillway/cursor: a Batch of %d; want 1 at least", n))
	}
	return func(yield func([]V, error) bool) {
		var batch []V
		for v, err := range s {
			if err != nil {
				if len(batch) == 0 || yield(batch, nil) {
					yield(nil, err)
				}
				return
			}
			if batch = append(batch, v); len(batch) < n {
				continue
			}
			if !yield(batch, nil) {
				return
			}
			batch = nil
		}
		if len(batch) > 0 {
			yield(batch, nil)
		}
	}
}
