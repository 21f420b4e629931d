package latest_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/spillwayhq/spillway/adapters/latest"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// An event is a value of a key.
type event struct{ key, value int }

func keyOf(e event) int { return e.key }

// The subscription does what a map and a list of the keys that wait do.
func TestAgainstMap(t *testing.T) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	rapid.Check(t, func(t *rapid.T) {
		maxKeys := rapid.IntRange(1, 6).Draw(t, "max keys")
		f := core.New(core.Config[event]{SingleWriter: rapid.Bool().Draw(t, "single writer")})
		s, err := latest.Subscribe(context.Background(), f, region.Region{}, latest.Options{MaxKeys: maxKeys}, keyOf)
		if err != nil {
			t.Fatal(err)
		}
		newest := make(map[int]int)
		seen := make(map[int]bool)
		var waiting []int
		value, lost := 0, uint64(0)
		ended := false
		next := func(t *rapid.T, ctx context.Context) {
			e, err := s.Next(ctx)
			switch {
			case len(waiting) > 0:
				if want := (event{waiting[0], newest[waiting[0]]}); err != nil || e != want {
					t.Fatalf("Next: got %v, %v, want %v", e, err, want)
				}
				waiting = waiting[1:]
			case ended:
				if !errors.Is(err, core.ErrPruned) && err != core.ErrCancelled || err != s.Err() || e != (event{}) {
					t.Fatalf("Next after the end: got %v, %v", e, err)
				}
			case !errors.Is(err, context.Canceled):
				t.Fatalf("Next with nothing there: got %v, %v", e, err)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"broadcast": func(t *rapid.T) {
				value++
				e := event{rapid.IntRange(0, 7).Draw(t, "key"), value}
				o := f.Broadcast(e)
				switch {
				case ended:
					if o != (core.Outcome{}) {
						t.Fatalf("after the end: %+v", o)
					}
				case !seen[e.key] && len(seen) == maxKeys:
					if o.Pruned != 1 {
						t.Fatalf("key %d is one too many: %+v", e.key, o)
					}
					ended = true
					<-s.Done()
				default:
					if o.Accepted != 1 {
						t.Fatalf("%v: %+v", e, o)
					}
					if slices.Contains(waiting, e.key) {
						lost++
					} else {
						waiting = append(waiting, e.key)
					}
					seen[e.key], newest[e.key] = true, value
				}
			},
			"next": func(t *rapid.T) { next(t, over) },
			"": func(t *rapid.T) {
				if s.Lost() != lost || s.Len() != len(waiting) {
					t.Fatalf("lost %d, %d wait; want %d, %d", s.Lost(), s.Len(), lost, len(waiting))
				}
			},
		})
		if !ended {
			s.Cancel()
			<-s.Done()
			ended = true
		}
		for range len(waiting) + 2 {
			next(t, context.Background())
		}
		if err := f.Wait(context.Background()); err != nil {
			t.Fatal(err)
		}
	})
}
