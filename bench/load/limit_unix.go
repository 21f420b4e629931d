//go:build linux || darwin

package main

import "syscall"

// raiseDescriptors has this process, and those that it starts, have so many descriptors, if it may, and returns how many they have. The
// limit that only root can raise it raises only where that is too low.
func raiseDescriptors(want uint64) uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	raised := limit
	raised.Cur = limit.Max
	if limit.Max < want {
		raised.Cur, raised.Max = want, want
		if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised) == nil {
			return want
		}
		raised = limit
		raised.Cur = limit.Max
	}
	if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised) != nil {
		return limit.Cur
	}
	return raised.Cur
}
