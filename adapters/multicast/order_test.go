package multicast

import (
	"context"
	"errors"
	"testing"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// missed returns what a Reader says that it missed first, which was lapped.
func missed(t *testing.T, r *Reader[int]) uint64 {
	t.Helper()
	_, err := r.Next(context.Background())
	var pruned *core.PrunedError
	if !errors.As(err, &pruned) || !pruned.HasMissed {
		t.Fatalf("got %v, want a prune that says what was missed", err)
	}
	return pruned.Missed
}

// A writer with the lower sequence is overtaken before it has its place, claims the next, and stops there. Who is lapped
// by others meanwhile has missed its event.
func TestMissedKnowsWhoStoppedWithAPlace(t *testing.T) {
	for _, capacity := range []int{1, 2, 5} {
		f := numbers(false)
		m := openAt(t, f, capacity, 0)
		r, err := m.Reader(context.Background(), FromNext)
		if err != nil {
			t.Fatal(err)
		}
		first := m.order.coming(5)
		f.Broadcast(7)
		if v, err := r.Next(context.Background()); v != 7 || err != nil {
			t.Fatalf("got %d, %v", v, err)
		}
		if place := m.claimAt(5, first); place != 1 {
			t.Fatalf("place %d, want 1", place)
		}
		for n := range capacity {
			f.Broadcast(8 + n)
		}
		if got := missed(t, r); got > 5 {
			t.Errorf("capacity %d: missed %d first; 5 was missed", capacity, got)
		}
		m.Cancel()
		if err := f.Wait(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

// That an event was late once is of no concern to a Reader that begins after it, or has read past it.
func TestMissedForgetsWhatWasLateBefore(t *testing.T) {
	f := numbers(false)
	m := openAt(t, f, 2, 0)
	for _, n := range []int{10, 3, 20} {
		f.Broadcast(n)
	}
	r, err := m.Reader(context.Background(), FromNext)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		f.Broadcast(30 + n)
	}
	if got := missed(t, r); got != 21 {
		t.Errorf("missed %d first, want 21: one more than the last before the Reader began", got)
	}
	m.Cancel()
	if err := f.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// Locate is the writer's: it may keep something between its calls. Readers that join, read and are lapped call it never.
func TestReadersDoNotCallLocate(t *testing.T) {
	calls := 0
	f := core.New(core.Config[int]{SingleWriter: true, Locate: func(n int) region.Point {
		calls++
		return region.Point{Sequence: uint64(n)}
	}})
	m := openAt(t, f, 4, 0)
	const events = 13
	for n := range events {
		f.Broadcast(n)
	}
	for _, from := range []Start{FromOldest, FromNext} {
		r, err := m.Reader(context.Background(), from)
		if err != nil {
			t.Fatal(err)
		}
		if from == FromOldest {
			if n, err := r.NextBatch(context.Background(), make([]int, 3)); n != 3 || err != nil {
				t.Fatalf("got %d, %v", n, err)
			}
		}
		defer r.Cancel()
	}
	if calls != events {
		t.Errorf("Locate was called %d times for %d events", calls, events)
	}
	m.Cancel()
	if err := f.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
}
