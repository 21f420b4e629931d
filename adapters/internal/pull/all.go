// Package pull is what the adapters that are read by Next have in common.
package pull

import (
	"context"
	"iter"
)

// All returns the events as next does, and at the end next's error, with a zero event. It calls cancel where the loop is
// left before the end: by a break, a panic, or runtime.Goexit in its body.
func All[T any](next func(context.Context) (T, error), cancel func()) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ended := false
		defer func() {
			if !ended {
				cancel()
			}
		}()
		for {
			v, err := next(context.Background())
			if ended = err != nil; ended {
				yield(v, err)
				return
			}
			if !yield(v, nil) {
				return
			}
		}
	}
}
