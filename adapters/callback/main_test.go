package callback_test

import (
	"context"
	"testing"

	"go.uber.org/goleak"

	"github.com/spillwayhq/spillway/adapters/callback"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// numbers returns a Fanout of numbers, each at the sequence that it is.
func numbers(single bool) *core.Fanout[int] {
	return core.New(core.Config[int]{
		Name:         "numbers",
		SingleWriter: single,
		Locate:       func(n int) region.Point { return region.Point{Sequence: uint64(n)} },
	})
}

func subscribe[T any](t testing.TB, f *core.Fanout[T], queue int, fn func(T)) *callback.Subscription {
	t.Helper()
	s, err := callback.Subscribe(context.Background(), f, region.Region{}, callback.Options{Queue: queue}, fn)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func broadcast(f *core.Fanout[int], from, to int) {
	for n := from; n < to; n++ {
		f.Broadcast(n)
	}
}

// wait waits for the end of all calls, and of all ends.
func wait[T any](t testing.TB, f *core.Fanout[T], subs ...*callback.Subscription) {
	t.Helper()
	for _, s := range subs {
		if err := s.Wait(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
}
