//go:build spillway_steps

package core_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// Wait waits too for an end that another goroutine has won and not yet put on the retire list: whoever
// saw that end, by a Cancel of its own that came second, has seen it before its Wait.
func TestWaitWaitsForAnEndOnItsWay(t *testing.T) {
	for _, at := range []string{"cancel:won", "cancel:ready", "retire:queued", "retire:linking"} {
		t.Run(at, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				defer core.OnStep(nil)
				f := core.New(located())
				s := subscribe(t, f, region.Region{}, handler{})
				release := make(chan struct{})
				var stopped atomic.Bool
				core.OnStep(func(name string) {
					if name == at && stopped.CompareAndSwap(false, true) {
						<-release
					}
				})
				go s.Cancel()
				synctest.Wait()
				if !stopped.Load() {
					t.Fatal("the canceller never came to its step")
				}
				s.Cancel()
				var waited atomic.Bool
				go func() {
					if err := f.Wait(t.Context()); err != nil {
						t.Error(err)
					}
					waited.Store(true)
				}()
				synctest.Wait()
				if waited.Load() {
					t.Error("Wait has returned before the end was done")
				}
				close(release)
				synctest.Wait()
				if !waited.Load() || !over(s) {
					t.Errorf("afterwards: Wait returned %v, over %v", waited.Load(), over(s))
				}
			})
		})
	}
}
