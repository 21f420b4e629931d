//go:build !spillway_steps

package core

// step marks a place where a test stops a goroutine; see steps_on.go. Without the tag it is nothing.
func step(string) {}
