package core_test

import (
	"runtime"
	"testing"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A taker takes every event, and keeps the last.
type taker[E any] struct{ last E }

func (s *taker[E]) Offer(e E) core.Verdict { s.last = e; return core.Accepted }
func (s *taker[E]) Close(error)            {}

// Whatever the events are, a broadcast of them allocates nothing: objects and bytes are counted over a million, since one in a
// thousand would be rounded down to none.
func TestH209PayloadsOfAnyKind(t *testing.T) {
	type small struct {
		name string
		n    int
	}
	n := 0
	t.Run("number", func(t *testing.T) { costsNothing(t, 7) })
	t.Run("text", func(t *testing.T) { costsNothing(t, "a:b:c") })
	t.Run("struct", func(t *testing.T) { costsNothing(t, small{"a", 1}) })
	t.Run("pointer", func(t *testing.T) { costsNothing(t, &n) })
	t.Run("interface", func(t *testing.T) { costsNothing[any](t, small{"a", 1}) })
	t.Run("bytes", func(t *testing.T) { costsNothing(t, []byte("payload")) })
	t.Run("200 bytes", func(t *testing.T) { costsNothing(t, [200]byte{1}) })
	t.Run("nothing", func(t *testing.T) { costsNothing(t, struct{}{}) })
}

func costsNothing[E any](t *testing.T, e E) {
	const others = 50 // objects of the runtime's own, in that time
	broadcasts := 1_000_000
	if raceEnabled {
		broadcasts /= 100 // each costs a hundred times as much
	}
	f := core.New(core.Config[E]{})
	var sinks [3]taker[E]
	for i := range sinks {
		subscribe[E](t, f, region.Region{}, &sinks[i])
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range broadcasts {
		f.Broadcast(e)
	}
	runtime.ReadMemStats(&after)
	objects, bytes := after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc
	if objects > others || bytes > uint64(broadcasts/10) {
		t.Errorf("%d objects and %d bytes were allocated in %d broadcasts", objects, bytes, broadcasts)
	}
	if out := f.Broadcast(e); out.Accepted != len(sinks) {
		t.Errorf("Broadcast: got %+v, want %d accepted", out, len(sinks))
	}
}
