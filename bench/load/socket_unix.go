//go:build linux || darwin

package main

import "syscall"

// shrink has a socket that is about to connect receive into a few bytes, and in segments as a network has them. On loopback they are
// of 64 KiB, and the kernel takes megabytes off a sender for whoever reads nothing.
func shrink(fd uintptr, buffer int) error {
	if err := syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, buffer); err != nil {
		return err
	}
	return syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, segment)
}

const segment = 1400
