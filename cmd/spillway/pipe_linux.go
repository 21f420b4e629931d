package main

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// untilUnread returns a context that is over, with EPIPE as its cause, when nobody reads out any more: whoever waits for events would
// otherwise see that only when the next is printed. The stop that it returns ends the goroutine that looks, and waits for it.
func untilUnread(parent context.Context, out io.Writer) (ctx context.Context, stop func()) {
	f, ok := out.(*os.File)
	if !ok {
		return parent, func() {}
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&(os.ModeNamedPipe|os.ModeSocket) == 0 {
		return parent, func() {}
	}
	r, w, err := os.Pipe()
	if err != nil { // then it is seen later
		return parent, func() {}
	}
	ctx, cancel := context.WithCancelCause(parent)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		fds := []unix.PollFd{{Fd: int32(f.Fd())}, {Fd: int32(r.Fd())}} // of which errors come without being asked for
		for {
			_, err := unix.Poll(fds, -1)
			switch {
			case errors.Is(err, syscall.EINTR):
				continue
			case err == nil && fds[0].Revents != 0:
				cancel(syscall.EPIPE)
			}
			return
		}
	}()
	return ctx, func() {
		_ = w.Close() // which it sees
		<-gone
		_ = r.Close()
		cancel(nil)
	}
}
