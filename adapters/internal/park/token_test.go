package park_test

import (
	"context"
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

// An asked is a context that tells of the first time somebody asks whether it is over.
type asked struct {
	context.Context
	once func()
}

func (a *asked) Err() error {
	if once := a.once; once != nil {
		a.once = nil
		once()
	}
	return a.Context.Err()
}

// A reader has looked whether the end has come, and does not say that it parks yet, when the end comes with one event left.
// Another is woken by the end's token, takes the event, and sees nobody to hand the token on to. The first finds
// the end all the same.
func TestEndOnTheWayToSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox()
		sleeper := make(chan error, 1)
		go func() { sleeper <- b.Await(context.Background(), b.take) }()
		synctest.Wait()
		ctx := &asked{Context: context.Background(), once: func() {
			b.mu.Lock()
			b.held = 1 // visible, and nobody is told
			b.mu.Unlock()
			b.End(errOver)
			if err := <-sleeper; err != nil {
				t.Errorf("the one that slept: %v", err)
			}
		}}
		if err := b.Await(ctx, b.take); err != errOver { // were it asleep, everybody would be: synctest says so
			t.Errorf("the one on its way: got %v, want the cause of the end", err)
		}
	})
}

// A reader sleeps in a select where its context can end, and in a plain receive where none can: both are woken alike.
func TestSleepsWithAndWithoutAContext(t *testing.T) {
	for _, canEnd := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			const readers = 3
			ctx := context.Background()
			if canEnd {
				ctx = t.Context()
			}
			b := newBox()
			errs := make(chan error, readers)
			for range readers {
				go func() { errs <- b.Await(ctx, b.take) }()
			}
			synctest.Wait()
			b.put(1)
			if err := <-errs; err != nil {
				t.Errorf("with an event: %v", err)
			}
			b.End(errOver)
			for range readers - 1 {
				if err := <-errs; err != errOver {
					t.Errorf("after the end: got %v, want its cause", err)
				}
			}
		})
	}
}
