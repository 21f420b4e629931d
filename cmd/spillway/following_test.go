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
	"github.com/spillwayhq/spillway/region"
)

// numberedHistory returns n events as an input's decoder makes them.
func numberedHistory(t *testing.T, n int) []*core.Envelope {
	t.Helper()
	events := history(t, n)
	for i, e := range events {
		e.EventID = numbered(uint64(i) + 1)
	}
	return events
}

// What was appended at the last, and never pushed to a follower that was live, is read before it ends.
func TestFollowingReadsToTheEnd(t *testing.T) {
	events := numberedHistory(t, 2000)
	l, err := newLedger(t.Context(), filepath.Join(t.TempDir(), "log"), cursor.EachGroup(), events, stdio{err: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	appended, over := context.WithCancel(t.Context())
	r := &reader{adapter: "ring", wake: make(chan struct{}, 1)}
	follow(t.Context(), l, r, 16, appended)
	w := r.out.(*following)
	taken, ended := make(chan uint64, len(events)), make(chan struct{})
	go func() {
		defer close(ended)
		w.read(func(e *core.Envelope) { taken <- e.Sequence })
	}()
	n, got := 0, []uint64(nil)
	for w.follower.Stats().Live == 0 && n < len(events)/2 { // then it was told that it had caught up
		n += l.append(t.Context(), events[n:n+1], func(int) {})
		got = append(got, <-taken)
	}
	for range 2 { // as a crash leaves them: in the log, and not broadcast
		if _, err := l.log.Append(t.Context(), []cursor.Draft{draftOf(events[n])}); err != nil {
			t.Fatal(err)
		}
		n++
	}
	over()
	<-ended
	close(taken)
	for seq := range taken {
		got = append(got, seq)
	}
	want := make([]uint64, n)
	for i := range want {
		want[i] = uint64(i)
	}
	if w.failed != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, want %d events; %v", got, n, w.failed)
	}
	r.received = make([]uint32, n)
	if s := w.follower.Stats(); w.after != 2 || s.Live+s.Pulled != uint64(n-2) {
		t.Errorf("%d were read when the follower was left, and %d handed out by it; want 2 and %d", w.after, s.Live+s.Pulled, n-2)
	}
	report, err := newLogReport(l, []*reader{r}, n)
	if s := w.follower.Stats(); err != nil || report.Live != s.Live || report.Pulled != s.Pulled || report.After != 2 {
		t.Errorf("the report says %+v, %v; want what the follower says, %+v", report, err, s)
	}
	if err := l.close(nil); err != nil {
		t.Error(err)
	}
}

// An event that isn't the input's is told.
func TestFollowingKnowsItsEvents(t *testing.T) {
	events := numberedHistory(t, 3)
	for name, change := range map[string]func(e *core.Envelope){
		"as it is":          func(*core.Envelope) {},
		"another id":        func(e *core.Envelope) { e.EventID = numbered(3) },
		"another place":     func(e *core.Envelope) { e.Sequence = 2 },
		"beyond the end":    func(e *core.Envelope) { e.Sequence = 3 },
		"another entity":    func(e *core.Envelope) { e.Coordinate = events[2].Coordinate },
		"another kind":      func(e *core.Envelope) { e.Kind++ },
		"another lane":      func(e *core.Envelope) { e.Position.Lane++ },
		"another depth":     func(e *core.Envelope) { e.Position.Depth++ },
		"another time":      func(e *core.Envelope) { e.Time++ },
		"another payload":   func(e *core.Envelope) { e.Payload = []byte("x") },
		"another cause":     func(e *core.Envelope) { e.CausationID = numbered(1) },
		"another beginning": func(e *core.Envelope) { e.CorrelationID = numbered(1) },
	} {
		e := *events[1]
		e.Position.WallMS, e.Position.Counter, e.Position.Sequence = 1, 2, 3 // the log's own
		change(&e)
		w := &following{events: events}
		w.hand([]core.Envelope{e}, func(*core.Envelope) {})
		if good := name == "as it is"; (w.failed == nil) != good || !good && !strings.Contains(w.failed.Error(), "another than it is in the input") {
			t.Errorf("%s: got %v", name, w.failed)
		}
	}
}

// A subscription that nobody reads, of a replay that was resumed, is counted from where it was there.
func TestCountOfOneThatCameLate(t *testing.T) {
	events := history(t, 12) // of repo0: 0, 3, 6, 9
	for name, c := range map[string]struct {
		held   []uint32
		missed uint64 // said to be missed first; 0: it was not pruned
		want   string
	}{
		"all that were left":    {[]uint32{6, 9}, 0, ""},
		"pruned":                {[]uint32{6}, 9, ""},
		"one is missing":        {[]uint32{6}, 0, "event 9: it matches, and was neither"},
		"pruned, and one is no": {nil, 9, "event 6: it matches, and was neither"},
	} {
		for _, adapter := range []string{"channel", "ring"} {
			r := &reader{region: region.Region{Scope: "repo0"}, adapter: adapter, held: c.held, from: 4}
			if c.missed > 0 {
				r.pruned = &core.PrunedError{Missed: c.missed, HasMissed: true}
			}
			tallies, wrong := newCount(events, nil).all([]*reader{r})
			if got := tallies[0]; got.matched != 2 || got.missed() != 2-len(c.held) {
				t.Errorf("%s: %+v", name, got)
			}
			if (wrong == nil) != (c.want == "") || wrong != nil && !strings.Contains(wrong.Error(), c.want) {
				t.Errorf("%s: got %v, want %q", name, wrong, c.want)
			}
		}
	}
	lapped := &reader{
		region: region.Region{Scope: "repo0"}, adapter: "multicast", from: 4, held: []uint32{6},
		pruned: &core.PrunedError{Missed: 7, HasMissed: true},
	}
	if tallies, wrong := newCount(events, nil).all([]*reader{lapped}); wrong != nil || tallies[0].first == nil || *tallies[0].first != 9 {
		t.Errorf("got %+v, %v; want 9 to be missed first", tallies[0], wrong)
	}
}
