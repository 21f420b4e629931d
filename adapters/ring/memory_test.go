package ring_test

import (
	"runtime"
	"testing"
	"weak"

	"github.com/spillwayhq/spillway/adapters/ring"
	"github.com/spillwayhq/spillway/core"
)

// A payload is large enough to have an allocation of its own.
type payload [64]byte

// send broadcasts n payloads that nobody else refers to.
func send(f *core.Fanout[*payload], n int) (sent []weak.Pointer[payload]) {
	for range n {
		v := new(payload)
		sent = append(sent, weak.Make(v))
		f.Broadcast(v)
	}
	return sent
}

// kept collects garbage and returns which of those sent are still reachable, by their number.
func kept(sent []weak.Pointer[payload]) (left []int) {
	runtime.GC()
	runtime.GC()
	for n, v := range sent {
		if v.Value() != nil {
			left = append(left, n)
		}
	}
	return left
}

// read takes n events, in one way or the other, and keeps none.
func read(t *testing.T, s *ring.Subscription[*payload], n int, batch bool) {
	t.Helper()
	dst := make([]*payload, 2)
	for n > 0 {
		took := 1
		var err error
		if batch {
			took, err = s.NextBatch(t.Context(), dst[:min(n, 2)])
		} else {
			_, err = s.Next(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		n -= took
	}
}

// A ring refers to what it holds, which is its capacity at the most, and to nothing that was read or overwritten.
func TestH95KeepsNothingThatWasRead(t *testing.T) {
	each(t, func(t *testing.T, v variety) {
		for _, batch := range []bool{false, true} {
			f := core.New(core.Config[*payload]{SingleWriter: v.single})
			s := subscribe(t, f, v.of(3))
			sent := send(f, 3)
			read(t, s, 2, batch)
			if left := kept(sent); len(left) != 1 || left[0] != 2 {
				t.Errorf("batch %v: %v are reachable, want the third alone", batch, left)
			}
			read(t, s, 1, batch)
			if left := kept(sent); left != nil {
				t.Errorf("batch %v: all are read, and %v are reachable", batch, left)
			}
			sent = send(f, 3)
			if v == overwriting {
				sent = append(sent, send(f, 4)...)
			}
			if left := kept(sent); len(left) != 3 || left[2] != len(sent)-1 {
				t.Errorf("batch %v: of %d %v are reachable, want the newest three", batch, len(sent), left)
			}
			s.Cancel()
			<-s.Done()
			read(t, s, 3, batch)
			if left := kept(sent); left != nil {
				t.Errorf("batch %v: all are read after the end, and %v are reachable", batch, left)
			}
			runtime.KeepAlive(s)
			runtime.KeepAlive(f)
		}
	})
}

// What a reader left unread goes with the Subscription, though the Fanout lives.
func TestDroppedSubscriptionIsCollected(t *testing.T) {
	each(t, func(t *testing.T, v variety) {
		f := core.New(core.Config[*payload]{SingleWriter: v.single})
		other := subscribe(t, f, v.of(1000))
		sent := func() []weak.Pointer[payload] {
			s := subscribe(t, f, v.of(3))
			sent := send(f, 3)
			s.Cancel()
			<-s.Done()
			return sent
		}()
		read(t, other, 3, true)
		if err := f.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left := kept(sent); left != nil {
			t.Errorf("the ring is gone, and %v are reachable", left)
		}
		runtime.KeepAlive(f)
		other.Cancel()
		<-other.Done()
	})
}
