package multicast

import (
	"testing"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// When a crowd has gone, the ring has not kept the room that it took, and each Reader that is left is still there.
func TestReadersGiveRoomBack(t *testing.T) {
	f := core.New(core.Config[int]{})
	m, err := Open(t.Context(), f, region.Region{}, 4)
	if err != nil {
		t.Fatal(err)
	}
	const crowd = 1_000
	readers := make([]*Reader[int], crowd)
	for i := range readers {
		if readers[i], err = m.Reader(t.Context(), FromNext); err != nil {
			t.Fatal(err)
		}
	}
	for i, r := range readers[:crowd-1] {
		r.Cancel()
		left := crowd - 1 - i
		if len(m.readers) != left || m.most < left || m.most/4 > left {
			t.Fatalf("%d are left of %d in a map made for %d, want %d in one for no more than four times as many", len(m.readers), crowd, m.most, left)
		}
	}
	if last := readers[crowd-1]; m.sleep.sole.Load() != last {
		t.Error("the last one is not the sole Reader")
	}
	f.Broadcast(7)
	if v, err := readers[crowd-1].Next(t.Context()); v != 7 || err != nil {
		t.Errorf("the last one read %d, %v; want 7", v, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
}
