package judge

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/spillwayhq/spillway/bench"
)

// A host is what is measured for outside tests. As with a testing.B, Fatalf ends the goroutine.
type host struct {
	cleanups []func()
	errs     []error
}

func (h *host) Helper() {}

func (h *host) Cleanup(f func()) { h.cleanups = append(h.cleanups, f) }

func (h *host) Errorf(format string, args ...any) {
	h.errs = append(h.errs, fmt.Errorf(format, args...))
}

func (h *host) Fatalf(format string, args ...any) {
	h.Errorf(format, args...)
	runtime.Goexit()
}

// Measure has measure run for a Host, with a more that is true for so long from when it is first asked. It cleans up
// afterwards, and returns what went wrong.
func Measure(long time.Duration, measure func(h bench.Host, more func() bool)) error {
	h := &host{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var end time.Time
		measure(h, func() bool {
			if end.IsZero() {
				end = time.Now().Add(long)
			}
			return time.Now().Before(end)
		})
	}()
	<-done
	for _, f := range slices.Backward(h.cleanups) {
		f()
	}
	return errors.Join(h.errs...)
}
