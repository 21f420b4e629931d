//go:build spillway_sabotage

package core

import "sync/atomic"

var sabotaged atomic.Bool

// sabotage tells, once in the life of a process, to drop a delivery and count it as accepted: the
// tests of whoever counts deliveries must find it. It does nothing without its build tag.
func sabotage() bool { return !sabotaged.Load() && sabotaged.CompareAndSwap(false, true) }
