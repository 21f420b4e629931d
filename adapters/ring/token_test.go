package ring

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// Two readers sleep, two events come, and there is one token for both: who takes it, by Next or by NextBatch, sees to the
// other, once it has an event.
func TestOneTokenForTwoReaders(t *testing.T) {
	for name, read := range map[string]func(s *Subscription[int], ctx context.Context) error{
		"Next": func(s *Subscription[int], ctx context.Context) error { _, err := s.Next(ctx); return err },
		"NextBatch": func(s *Subscription[int], ctx context.Context) error {
			_, err := s.NextBatch(ctx, make([]int, 1))
			return err
		},
	} {
		for _, canEnd := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := core.New(core.Config[int]{SingleWriter: true})
					s, err := Subscribe(t.Context(), f, region.Region{}, Options{Capacity: 2})
					if err != nil {
						t.Fatal(err)
					}
					ctx := context.Background()
					if canEnd {
						ctx = t.Context()
					}
					errs := make(chan error)
					for range 2 {
						go func() { errs <- read(s, ctx) }()
					}
					synctest.Wait() // both sleep
					r := s.events.(*single[int])
					r.Put(1)
					r.Put(2)
					r.wake()
					for range 2 { // were one asleep beside its event, everybody would be: synctest says so
						if err := <-errs; err != nil {
							t.Error(err)
						}
					}
					r.Put(3)
					if r.wake(); len(s.lot.Token()) != 0 {
						t.Error("a writer thinks that somebody sleeps still")
					}
					s.Cancel()
					<-s.Done()
				})
			})
		}
	}
}
