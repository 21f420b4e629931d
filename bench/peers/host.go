package main

import (
	"errors"
	"fmt"
	"slices"
)

// A host is a bench.Host outside tests.
type host struct {
	cleanups []func()
	errs     []error
}

// over is what Fatalf panics with.
type over struct{ err error }

// Helper does nothing.
func (h *host) Helper() {}

// Cleanup has f called by close, the last one first.
func (h *host) Cleanup(f func()) { h.cleanups = append(h.cleanups, f) }

// Errorf notes an error for close.
func (h *host) Errorf(format string, args ...any) {
	h.errs = append(h.errs, fmt.Errorf(format, args...))
}

// Fatalf ends what is going on, up to the deferred close.
func (h *host) Fatalf(format string, args ...any) { panic(over{fmt.Errorf(format, args...)}) }

// close, deferred, cleans up and adds to err what went wrong.
func (h *host) close(err *error) {
	switch v := recover().(type) {
	case nil:
	case over:
		h.errs = append(h.errs, v.err)
	default:
		panic(v)
	}
	for _, f := range slices.Backward(h.cleanups) {
		f()
	}
	*err = errors.Join(append(h.errs, *err)...)
}
