//go:build spillway_steps

package core

import "sync/atomic"

// onStep is what Step calls; nil: nothing.
//
//	written by: OnStep, one Store
//	read by:    Step
//	order:      none needed: a test sets it before it starts what it stops
var onStep atomic.Pointer[func(name string)]

// Step calls the function that a test has set with OnStep. It exists under the build tag
// spillway_steps alone; core and the adapters call it at every place where a goroutine that stops
// must hold up no broadcast.
func Step(name string) {
	if f := onStep.Load(); f != nil {
		(*f)(name)
	}
}

// OnStep sets the function that Step calls; nil: none. It returns after no earlier function can be
// called anew.
func OnStep(f func(name string)) {
	if f == nil {
		onStep.Store(nil)
		return
	}
	onStep.Store(&f)
}

func step(name string) { Step(name) }
