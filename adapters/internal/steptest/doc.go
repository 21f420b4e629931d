// Package steptest is how the tests of the adapters stop goroutines at the places that package step marks: one at a time, at
// every place there is (Suspend), or at a place that a test chooses (StopAt). It is empty without the build
// tag spillway_steps.
package steptest
