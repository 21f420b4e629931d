package callback_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/adapters/callback"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A stubborn sink's Close returns when it is let.
type stubborn chan struct{}

func (s stubborn) Offer(int) core.Verdict { return core.Accepted }
func (s stubborn) Close(error)            { <-s }

// When the context is over no call is taken up, and Wait says so though the Fanout cannot yet: another sink's Close is in
// its way.
func TestWaitAfterTheContextWaitsForNoOtherClose(t *testing.T) {
	for _, name := range []string{"asked before", "asked after"} {
		synctest.Test(t, func(t *testing.T) {
			f := numbers(false)
			release := make(stubborn)
			other, err := f.Subscribe(context.Background(), region.Region{}, release)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			calls := 0
			s, err := callback.Subscribe(ctx, f, region.Region{}, callback.Options{Queue: 1}, func(int) { calls++ })
			if err != nil {
				t.Fatal(err)
			}
			f.Broadcast(1)
			other.Cancel()
			synctest.Wait() // in Close
			waited := make(chan error, 1)
			ask := func() { waited <- s.Wait(context.Background()) }
			if name == "asked before" {
				go ask()
				synctest.Wait()
			}
			cancel()
			if name == "asked after" {
				go ask()
			}
			synctest.Wait()
			select {
			case err := <-waited:
				if err != nil {
					t.Errorf("%s: Wait: %v", name, err)
				}
			default:
				t.Errorf("%s: Wait has not returned, and no call will be taken up", name)
			}
			f.Broadcast(2)
			close(release)
			wait(t, f)
			if calls != 1 {
				t.Errorf("%s: %d calls, want 1: one event came before the end", name, calls)
			}
		})
	}
}
