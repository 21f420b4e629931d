package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spillwayhq/spillway/bench"
)

// A host is what a row is measured for. As with a testing.B, Fatalf ends the goroutine.
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

// alone measures a row in this process and writes the Result for measureApart.
func alone(w io.Writer, r bench.Row, long time.Duration) error {
	result, err := measure(r, long)
	if err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(result)
}

// measureApart has a process of its own measure a row: what a row leaves behind, a hundred thousand goroutines' stacks for
// example, would slow down the baselines of those after it.
func measureApart(ctx context.Context, r bench.Row, long time.Duration) (result bench.Result, err error) {
	self, err := os.Executable()
	if err != nil {
		return result, err
	}
	cmd := exec.CommandContext(ctx, self, "--alone", "--row", r.Name(), "--time", long.String())
	var out, notes bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &notes
	if err := cmd.Run(); err != nil {
		return result, fmt.Errorf("%w: %s", err, strings.TrimSpace(notes.String()))
	}
	return result, json.Unmarshal(out.Bytes(), &result)
}

// measure measures a row for so long, cleans up after it, and returns what went wrong.
func measure(r bench.Row, long time.Duration) (result bench.Result, err error) {
	h := &host{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var end time.Time
		result = r.Measure(h, func() bool {
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
	return result, errors.Join(h.errs...)
}
