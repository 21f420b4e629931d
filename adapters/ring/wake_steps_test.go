//go:build spillway_steps

package ring

import (
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/adapters/internal/steptest"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A writer wakes a reader when its event is there to be found, not before: one that looks while the writer is still on
// its way finds nothing, and sleeps again.
func TestWokenAfterPublishing(t *testing.T) {
	for step, o := range map[string]struct {
		Options
		single bool
	}{
		"queue:written": {Options{Capacity: 2}, true},
		"queue:claimed": {Options{Capacity: 2}, false},
		"ring:written":  {Options{Capacity: 2, WhenFull: Overwrite}, false},
	} {
		t.Run(step, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := core.New(core.Config[int]{SingleWriter: o.single})
				s, err := Subscribe(t.Context(), f, region.Region{}, o.Options)
				if err != nil {
					t.Fatal(err)
				}
				got := make(chan int)
				go func() {
					n, err := s.Next(t.Context())
					if err != nil {
						t.Errorf("Next: %v", err)
					}
					got <- n
				}()
				synctest.Wait() // it sleeps
				goOn := steptest.StopAt(t, step, func() { f.Broadcast(7) })
				synctest.Wait() // if it was told, it has looked
				goOn()
				if n := <-got; n != 7 { // were it asleep, everybody would be: synctest says so
					t.Errorf("got %d, want 7", n)
				}
				s.Cancel()
				<-s.Done()
			})
		})
	}
}
