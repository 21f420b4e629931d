package park_test

import (
	"sync"
	"testing"
	"testing/synctest"
)

// Two readers have looked for the last time and do not wait yet when two events come: there is one token for both, and who
// takes it sees to the other.
func TestOneTokenForTwoReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox()
		release := make(chan struct{})
		b.looked = func(look int) {
			if look == 2 || look == 4 { // the second of each
				<-release
			}
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if err := b.Await(t.Context(), b.take); err != nil {
					t.Errorf("Await: %v", err)
				}
			})
			synctest.Wait()
		}
		b.put(2)
		close(release)
		wg.Wait() // were one asleep beside its event, everybody would be: synctest says so
	})
}
