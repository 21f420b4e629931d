package bench

import (
	"strings"
	"testing"
	"unsafe"
)

func TestWorkloadIsWhatRowsAskFor(t *testing.T) {
	const n = 10_000
	w := newWorkload(t, 0, n)
	seen := make(map[string]bool)
	visited := make([]bool, n)
	inPlace := 0
	for i, e := range w.Events {
		at := w.Order[i]
		if visited[at] {
			t.Fatalf("event %d visits entity %d again", i, at)
		}
		visited[at] = true
		if int(at) == i {
			inPlace++
		}
		got, want := e.Coordinate.Entity(), w.Entities[at]
		if got != want {
			t.Fatalf("event %d is about %q, want %q", i, got, want)
		}
		if unsafe.StringData(got) == unsafe.StringData(want) {
			t.Fatalf("event %d shares the memory of its entity's name", i)
		}
		if seen[got] {
			t.Fatalf("%q is there twice", got)
		}
		seen[got] = true
		if c := strings.Count(got, ":"); c != 2 {
			t.Fatalf("%q has %d segments, want 3", got, c+1)
		}
		if e.Sequence != uint64(i) || e.Kind != w.Kind {
			t.Fatalf("event %d has sequence %d and kind %v, want %d and %v", i, e.Sequence, e.Kind, i, w.Kind)
		}
		if !w.Region(int(at)).Match(e.Point()) {
			t.Fatalf("event %d is outside the region of its entity", i)
		}
	}
	if inPlace > n/100 {
		t.Errorf("%d of %d events are visited where their entity lies: not scattered", inPlace, n)
	}
	for _, e := range newWorkload(t, n, n).Entities {
		if seen[e] {
			t.Fatalf("%q is in two workloads that don't overlap", e)
		}
	}
}

func TestWorkloadIsTheSameForOneSeed(t *testing.T) {
	a, b := newWorkload(t, 5, 100), newWorkload(t, 5, 100)
	for i := range a.Events {
		if a.Events[i] != b.Events[i] || a.Order[i] != b.Order[i] {
			t.Fatalf("event %d: %+v and %+v", i, a.Events[i], b.Events[i])
		}
	}
}

func TestNotificationIsAsLargeAsTargetsSay(t *testing.T) {
	if got := unsafe.Sizeof(notification{}); got != 120 {
		t.Errorf("a Notification takes %d bytes; every row's figures are for 120", got)
	}
}
