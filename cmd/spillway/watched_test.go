package main

import (
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/core"
)

// Nothing that others wrote is an order to the terminal.
func TestWatchedIsSafe(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain é 漢":    "plain é 漢",
		"\x1b[2J":      `\x1b[2J`,
		"a\nb\r\tc":    `a\nb\r\tc`,
		"\u202eabc":    `\u202eabc`,
		"\u009b31m":    `\u009b31m`,
		"bad \xff end": `bad \xff end`,
	} {
		if got := safe(text); got != want {
			t.Errorf("%q is shown as %s, want %s", text, got, want)
		}
		var b strings.Builder
		e := newWatchedEvent(&core.Envelope{Payload: []byte(text)}, nil)
		if err := pretty(false)(&b, e); err != nil || !strings.HasSuffix(b.String(), want+"\n") || strings.Count(b.String(), "\n") != 1 {
			t.Errorf("%q is printed as %q, %v", text, b.String(), err)
		}
	}
	var b strings.Builder
	e := newWatchedEvent(&core.Envelope{Payload: []byte(strings.Repeat("é", 1000))}, nil)
	if err := pretty(true)(&b, e); err != nil || strings.Count(b.String(), "é") != mostShown || !strings.Contains(b.String(), "\x1b[1m") {
		t.Errorf("printed as %q, %v", b.String(), err)
	}
}

// An event whose source gave no time has that of the log.
func TestWatchedTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ source, log, want uint64 }{{5, 7, 5}, {0, 7, 7}, {1 << 63, 7, 1 << 52}, {0, 0, 0}} {
		e := core.Envelope{Time: c.source}
		e.Position.WallMS = c.log
		if got := newWatchedEvent(&e, nil).Time.UnixMilli(); got != int64(c.want) {
			t.Errorf("%d of the source and %d of the log are %d, want %d", c.source, c.log, got, c.want)
		}
	}
}
