//go:build !spillway_steps

package step

// At is nothing without the build tag spillway_steps.
//
// It has a type parameter so that it costs nothing in generic code either: a compiler that instantiates a queue for a
// user's package has the bodies at hand of the generic functions that it calls, and not of all others.
func At[S ~string](S) {}
