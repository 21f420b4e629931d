// Package step marks the places in adapters where a test stops a goroutine, as core's own steps do: a goroutine
// that stops between two steps of a lock-free protocol must hold up no broadcast.
package step
