package callback

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/spillwayhq/spillway/adapters/internal/queue"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A subscription does what a slice of its limit does, and a function that is called with one event at a time, also where the
// queue's numbers pass the integer limit.
func TestAgainstSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { rapid.SyncTest(t, againstSlice) })
}

func againstSlice(t *rapid.T) {
	limit := rapid.IntRange(1, 4).Draw(t, "limit")
	single := rapid.Bool().Draw(t, "single writer")
	first := -rapid.Uint64Range(0, 8).Draw(t, "before the limit")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var calls []int
	gate := make(chan func())
	defer close(gate) // where the test fails in a call, that panics, and so ends
	f := core.New(core.Config[int]{SingleWriter: single})
	sink, err := newSink(ctx, limit, single, func(n int) {
		calls = append(calls, n)
		(<-gate)()
	})
	if err != nil {
		t.Fatal(err)
	}
	sink.queue = queueAt(limit, single, first)
	sub, err := f.Subscribe(ctx, region.Region{}, sink)
	if err != nil {
		t.Fatal(err)
	}
	s := &Subscription{sub: sub, runner: sink}

	var called, waiting []int
	busy, halted := false, false
	var end error // what Err is
	over := func(cause error) {
		if end == nil {
			end = cause
		}
	}
	sent := 0
	t.Repeat(map[string]func(*rapid.T){
		"broadcast": func(t *rapid.T) {
			sent++
			want := core.Outcome{Live: 1, Matched: 1, Accepted: 1}
			switch {
			case end != nil:
				want = core.Outcome{}
			case len(waiting) == limit:
				want.Accepted, want.Pruned = 0, 1
				over(core.ErrPruned)
			default:
				waiting = append(waiting, sent)
			}
			if got := f.Broadcast(sent); got != want {
				t.Fatalf("Broadcast with %d of %d waiting: got %+v, want %+v", len(waiting), limit, got, want)
			}
		},
		"return": func(t *rapid.T) {
			if !busy {
				t.Skip("nobody is called")
			}
			busy = false
			gate <- func() {}
		},
		"end": func(t *rapid.T) {
			switch rapid.IntRange(0, 19).Draw(t, "which end") { // few, or nothing else would happen
			case 0:
				halted = true
				over(core.ErrCancelled)
				s.Cancel()
			case 1:
				halted = true
				over(context.Canceled)
				cancel()
			case 2:
				over(core.ErrClosed)
				_ = f.Close()
			case 3, 4:
				if busy {
					busy, halted = false, true
					boom := errors.New("boom")
					over(boom)
					gate <- func() { panic(boom) }
				}
			}
		},
		"": func(t *rapid.T) {
			synctest.Wait()
			if !busy && !halted && len(waiting) > 0 {
				busy, called, waiting = true, append(called, waiting[0]), waiting[1:]
			}
			if !slices.Equal(calls, called) || s.Len() != len(waiting) {
				t.Fatalf("called with %v, %d wait; want %v and %v", calls, s.Len(), called, waiting)
			}
			if !errors.Is(s.Err(), end) {
				t.Fatalf("Err: got %v, want %v", s.Err(), end)
			}
			quiet := !busy && (halted || end != nil && len(waiting) == 0)
			if isOver(sink) != quiet {
				t.Fatalf("over: %v; busy %v, halted %v, ended %v, %v wait", isOver(sink), busy, halted, end, waiting)
			}
		},
	})
	cancel()
	if busy {
		gate <- func() {}
	}
	if err := s.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// queueAt returns a queue whose first event has the number first.
func queueAt(limit int, single bool, first uint64) queue.Queue[int] {
	if single {
		q := new(queue.Single[int])
		q.Init(limit, first)
		return q
	}
	q := new(queue.Shared[int])
	q.Init(limit, first)
	return q
}
