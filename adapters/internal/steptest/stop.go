//go:build spillway_steps

package steptest

import (
	"sync/atomic"
	"testing"

	"github.com/spillwayhq/spillway/core"
)

// StopAt runs do on a goroutine of its own until that, or another that it waits for, comes to the step; it returns what
// lets it go on to its end. What it may need to come there is done meanwhile.
func StopAt(t *testing.T, step string, do func(), meanwhile ...func()) (goOn func()) {
	t.Helper()
	stopped, release, returned := make(chan struct{}), make(chan struct{}), make(chan struct{})
	once := new(atomic.Bool)
	core.OnStep(func(name string) {
		if name == step && once.CompareAndSwap(false, true) {
			close(stopped)
			<-release
		}
	})
	t.Cleanup(func() { core.OnStep(nil) })
	go func() { defer close(returned); do() }()
	for _, help := range meanwhile {
		help()
	}
	select {
	case <-stopped:
	case <-returned:
		t.Fatalf("it came to its end, and not to %q", step)
	}
	return func() { close(release); <-returned }
}
