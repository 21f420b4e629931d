package core_test

import (
	"context"
	"testing"

	"go.uber.org/goleak"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An event is what the tests of the promises broadcast: who it is about, and its sequence.
type event struct {
	who string
	seq uint64
}

func (e event) Point() region.Point { return region.Point{Entity: e.who, Sequence: e.seq} }

// located is a Config whose events say where they are.
func located() core.Config[event] {
	return core.Config[event]{Name: "promises", Locate: event.Point}
}

// about is the Region of one entity.
func about(who string) region.Region { return region.Region{Entity: who} }

// A handler is a sink that is two functions; one that is nil accepts, or does nothing.
type handler struct {
	offer func(event) core.Verdict
	close func(error)
}

func (h handler) Offer(e event) core.Verdict {
	if h.offer == nil {
		return core.Accepted
	}
	return h.offer(e)
}

func (h handler) Close(cause error) {
	if h.close != nil {
		h.close(cause)
	}
}

// An observer is an Observer that is two functions.
type observer struct {
	subscribed func(core.Info)
	ended      func(core.Info, error)
}

func (o observer) Subscribed(i core.Info) {
	if o.subscribed != nil {
		o.subscribed(i)
	}
}

func (o observer) Ended(i core.Info, cause error) {
	if o.ended != nil {
		o.ended(i, cause)
	}
}

// subscribe subscribes s, until someone ends it.
func subscribe[T any](t testing.TB, f *core.Fanout[T], r region.Region, s core.Sink[T]) *core.Subscription {
	t.Helper()
	return subscribeFor(t, context.Background(), f, r, s)
}

// subscribeFor subscribes s for as long as ctx lasts.
func subscribeFor[T any](t testing.TB, ctx context.Context, f *core.Fanout[T], r region.Region, s core.Sink[T]) *core.Subscription {
	t.Helper()
	sub, err := f.Subscribe(ctx, r, s)
	if err != nil {
		t.Fatalf("Subscribe(%v): %v", r, err)
	}
	return sub
}

// wait waits for the ends that have begun.
func wait[T any](t testing.TB, f *core.Fanout[T]) {
	t.Helper()
	if err := f.Wait(context.Background()); err != nil {
		t.Fatalf("Wait: %v", err)
	}
}

// over tells whether Done is closed.
func over(s interface{ Done() <-chan struct{} }) bool {
	select {
	case <-s.Done():
		return true
	default:
		return false
	}
}

// wantOutcome compares what a Broadcast said.
func wantOutcome(t testing.TB, what string, got, want core.Outcome) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}
