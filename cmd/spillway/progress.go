package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress returns what is called with each number of events broadcast, and what is called at the end. On a
// terminal they draw a bar, and take it away.
func progress(w io.Writer, events int) (step func(int), finished func()) {
	bar := terminalBar(w, events, "events")
	if bar == nil {
		return func(int) {}, func() {}
	}
	return func(n int) { _ = bar.Add(n) }, func() { _ = bar.Finish() }
}

// terminalBar returns a bar of so many of something, or nil where w is no terminal.
func terminalBar(w io.Writer, of int, what string) *progressbar.ProgressBar {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return progressbar.NewOptions(of,
		progressbar.OptionSetWriter(f),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)
}
