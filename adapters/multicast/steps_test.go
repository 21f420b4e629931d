//go:build spillway_steps

package multicast

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/spillwayhq/spillway/core"
)

// A Reader that begins while its Ring ends is refused, or reads what the Ring holds: it is not taken for one that is
// lapped, because it has no place yet.
func TestReaderBeginsWhileTheRingEnds(t *testing.T) {
	f := numbers(false)
	m := openAt(t, f, 2, 0)
	for n := range 7 {
		f.Broadcast(n)
	}
	stopped, release := make(chan struct{}), make(chan struct{})
	var once atomic.Bool
	core.OnStep(func(name string) {
		if name == "multicast:counted-in" && once.CompareAndSwap(false, true) {
			close(stopped)
			<-release
		}
	})
	defer core.OnStep(nil)
	var r *Reader[int]
	var err error
	begun := make(chan struct{})
	go func() {
		defer close(begun)
		r, err = m.Reader(context.Background(), FromNext)
	}()
	<-stopped
	_ = f.Close()
	if waited := f.Wait(context.Background()); waited != nil {
		t.Fatal(waited)
	}
	close(release)
	<-begun
	if r != nil {
		_, err = r.Next(context.Background())
	}
	if err != core.ErrClosed {
		t.Errorf("got %v, want %v", err, core.ErrClosed)
	}
}
