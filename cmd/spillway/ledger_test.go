package main

import (
	"context"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/cursor"
)

// openLedger opens the ledger of a folder; what it is told goes to told.
func openLedger(t *testing.T, dir string, events []*core.Envelope, told *[]uint64) (*ledger, error) {
	t.Helper()
	return newLedger(t.Context(), dir, cursor.EachGroup(), events, stdio{err: io.Discard, told: func(next uint64) { *told = append(*told, next) }})
}

// A log is gone on with where it ends, and only if it is of this input.
func TestLedgerKnowsItsInput(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	events := numberedHistory(t, 3000)
	var told []uint64
	l, err := openLedger(t, dir, events, &told)
	if err != nil {
		t.Fatal(err)
	}
	if n := l.append(t.Context(), events[:2500], func(int) {}); n != 2500 || l.err != nil {
		t.Fatalf("%d were appended, %v", n, l.err)
	}
	if want := []uint64{0, 1024, 2048, 2500}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
	if err := l.close(nil); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(es []*core.Envelope) []*core.Envelope
		want   string
	}{
		"the same":         {func(es []*core.Envelope) []*core.Envelope { return es }, ""},
		"as many":          {func(es []*core.Envelope) []*core.Envelope { return es[:2500] }, ""},
		"fewer":            {func(es []*core.Envelope) []*core.Envelope { return es[:2499] }, "the log has 2500 events, and the input only 2499"},
		"the first":        {func(es []*core.Envelope) []*core.Envelope { return changed(es, 0) }, "event 0 of the log is not the input's"},
		"one in the midst": {func(es []*core.Envelope) []*core.Envelope { return changed(es, 1500) }, "event 1500 of the log is not the input's"},
		"the last":         {func(es []*core.Envelope) []*core.Envelope { return changed(es, 2499) }, "event 2499 of the log is not the input's"},
		"one not there":    {func(es []*core.Envelope) []*core.Envelope { return changed(es, 2500) }, ""},
	} {
		told = nil
		l, err := openLedger(t, dir, c.change(events), &told)
		switch {
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want == "" && (l.resumed != 2500 || !slices.Equal(told, []uint64{2500})):
			t.Errorf("%s: it goes on at %d, told %v", name, l.resumed, told)
		}
		if err == nil {
			err = l.close(nil)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// changed returns events of which one is another.
func changed(es []*core.Envelope, i int) []*core.Envelope {
	es = slices.Clone(es)
	e := *es[i]
	e.Time++
	es[i] = &e
	return es
}

// An event that isn't where it was to be ends the replay.
func TestLedgerWithSomebodyElse(t *testing.T) {
	events := numberedHistory(t, 10)
	var told []uint64
	l, err := openLedger(t, filepath.Join(t.TempDir(), "log"), events, &told)
	if err != nil {
		t.Fatal(err)
	}
	foreign := draftOf(events[9])
	foreign.EventID = cursor.NewID()
	if _, err := l.log.Append(t.Context(), []cursor.Draft{foreign}); err != nil {
		t.Fatal(err)
	}
	if n := l.append(t.Context(), events, func(int) {}); n != 0 || l.err == nil || !strings.Contains(l.err.Error(), "event 0 of the input is event 1 of the log") {
		t.Errorf("%d were appended, %v", n, l.err)
	}
	if err := l.close(nil); err != nil {
		t.Error(err)
	}
}

// A context that ends stops the ledger between two appends, and leaves none unknown.
func TestLedgerStopsBetweenAppends(t *testing.T) {
	events := numberedHistory(t, 5000)
	ctx, cancel := context.WithCancel(t.Context())
	var told []uint64
	l, err := openLedger(t, filepath.Join(t.TempDir(), "log"), events, &told)
	if err != nil {
		t.Fatal(err)
	}
	n := l.append(ctx, events, func(int) {
		if len(told) == 3 {
			cancel()
		}
	})
	if b, err := l.log.Bounds(t.Context()); n != 2048 || l.err != nil || err != nil || b.Next != 2048 {
		t.Errorf("%d were appended, %v; %d are there, %v", n, l.err, b.Next, err)
	}
	if err := l.close(nil); err != nil {
		t.Error(err)
	}
}
