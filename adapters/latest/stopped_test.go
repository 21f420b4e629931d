//go:build spillway_steps

package latest_test

import (
	"context"
	"testing"

	"github.com/spillwayhq/spillway/adapters/latest"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A writer that has put its event into the cell, and stops before the key is on the list, hides neither that event nor
// those of the writers after it.
func TestStoppedWriterHidesNothing(t *testing.T) {
	defer core.OnStep(nil)
	type event struct{ key, n int }
	for _, step := range []string{"latest:filled", "latest:swapped", "latest:linking"} {
		f := core.New(core.Config[event]{})
		s, err := latest.Subscribe(context.Background(), f, region.Region{}, latest.Options{MaxKeys: 2}, func(e event) int { return e.key })
		if err != nil {
			t.Fatal(err)
		}
		stopped, resume, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
		first := true
		core.OnStep(func(name string) {
			if name == step && first {
				first = false
				close(stopped)
				<-resume
			}
		})
		go func() {
			defer close(done)
			f.Broadcast(event{key: 1, n: 1})
		}()
		<-stopped
		for n := 2; n < 10; n++ {
			f.Broadcast(event{key: 1, n: n})
			f.Broadcast(event{key: 2, n: n})
			for range 2 { // an event not there would be waited for: a stopped writer would hang this
				if e, err := s.Next(t.Context()); err != nil || e.n != n {
					t.Fatalf("%s: got %+v, %v; want event %d of either key", step, e, err, n)
				}
			}
		}
		close(resume)
		<-done
		received := 16
		for s.Len() > 0 { // the stopped one's, where it had not put it into the cell
			if e, err := s.Next(t.Context()); err != nil || e.n != 1 {
				t.Fatalf("%s: got %+v, %v; want event 1", step, e, err)
			}
			received++
		}
		if received+int(s.Lost()) != 17 {
			t.Errorf("%s: %d received and %d lost, want 17 together", step, received, s.Lost())
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if e, err := s.Next(t.Context()); err == nil {
			t.Errorf("%s: got %+v after the end, want the error", step, e)
		}
	}
}
