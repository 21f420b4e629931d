//go:build spillway_steps

package multicast

import (
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/core"
)

// A writer has Readers woken when its event is there to be found, not before: who looks while the writer is still on its
// way finds nothing, and sleeps again.
func TestWokenAfterPublishing(t *testing.T) {
	for _, step := range []string{"multicast:claimed", "multicast:entered", "multicast:written"} {
		t.Run(step, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, _, r, next := openWithReader(t, 4)
				got := make(chan int)
				go func() {
					n, err := r.Next(t.Context())
					if err != nil {
						t.Errorf("Next: %v", err)
					}
					got <- n
				}()
				synctest.Wait() // it sleeps
				stopped, release := make(chan struct{}), make(chan struct{})
				var once atomic.Bool
				core.OnStep(func(name string) {
					if name == step && once.CompareAndSwap(false, true) {
						close(stopped)
						<-release
					}
				})
				defer core.OnStep(nil)
				go f.Broadcast(next)
				<-stopped
				synctest.Wait() // if it was told, it has looked
				close(release)
				if n := <-got; n != next { // were it asleep, everybody would be: synctest says so
					t.Errorf("got %d, want %d", n, next)
				}
				endRing(t, f)
			})
		})
	}
}
