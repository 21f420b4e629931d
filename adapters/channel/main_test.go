package channel_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open returns a Fanout of numbers, each at the sequence that it is, and a channel on it.
func open(t testing.TB, capacity int) (*core.Fanout[int], *channel.Subscription[int]) {
	t.Helper()
	f := core.New(core.Config[int]{
		Name:   "numbers",
		Locate: func(n int) region.Point { return region.Point{Sequence: uint64(n)} },
	})
	return f, subscribe(t, f, capacity)
}

func subscribe[T any](t testing.TB, f *core.Fanout[T], capacity int) *channel.Subscription[T] {
	t.Helper()
	s, err := channel.Subscribe(t.Context(), f, region.Region{}, capacity)
	if err != nil {
		t.Fatalf("Subscribe: %v", err)
	}
	return s
}

func broadcast(f *core.Fanout[int], from, to int) {
	for n := from; n < to; n++ {
		f.Broadcast(n)
	}
}
