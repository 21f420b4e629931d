package multicast

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"weak"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
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

// kept collects garbage and returns how many of those sent are still reachable.
func kept(sent []weak.Pointer[payload]) (n int) {
	runtime.GC()
	runtime.GC()
	for _, v := range sent {
		if v.Value() != nil {
			n++
		}
	}
	return n
}

// most is how many events a ring may keep.
func most(capacity int) int { return max(windows, capacity*23/10) }

// A ring keeps as many events as it has places, whatever was read and whatever wasn't, and not those that were
// written over; a Reader that does not come, or has ended, keeps none besides.
func TestH95KeepsItsPlacesAlone(t *testing.T) {
	for _, single := range []bool{true, false} {
		for _, capacity := range []int{1, 2, 3, 8, 15, 100} {
			t.Run(fmt.Sprintf("single=%v/capacity=%d", single, capacity), func(t *testing.T) {
				f := core.New(core.Config[*payload]{SingleWriter: single})
				m, err := Open(context.Background(), f, region.Region{}, capacity)
				if err != nil {
					t.Fatal(err)
				}
				var readers []*Reader[*payload]
				for range 10 {
					r, err := m.Reader(context.Background(), FromNext)
					if err != nil {
						t.Fatal(err)
					}
					readers = append(readers, r)
				}
				sent := send(f, capacity)
				if got := kept(sent); got != capacity {
					t.Errorf("%d of %d that may be read are reachable", got, capacity)
				}
				for range capacity {
					if _, err := readers[0].Next(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				readers[1].Cancel()
				sent = append(sent, send(f, 20*most(capacity))...)
				if got := kept(sent); got > most(capacity) {
					t.Errorf("%d of %d are reachable, want %d at most", got, len(sent), most(capacity))
				}
				_ = f.Close()
				if err := f.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
				runtime.KeepAlive(m)
				runtime.KeepAlive(readers)
				if got := kept(sent); got != 0 {
					t.Errorf("nobody has the ring any more, and %d are reachable", got)
				}
				runtime.KeepAlive(f)
			})
		}
	}
}

// A Reader that stops in mid-copy keeps the window that it is inside, and nothing of what came since; one window is made
// in its place, however often the ring comes round. When it goes on that is given back.
func TestH95StuckReaderKeepsItsWindow(t *testing.T) {
	for _, single := range []bool{true, false} {
		for _, capacity := range []int{1, 7, 20, 100} {
			f := core.New(core.Config[*payload]{SingleWriter: single})
			m, err := Open(context.Background(), f, region.Region{}, capacity)
			if err != nil {
				t.Fatal(err)
			}
			size := 1 << m.bits
			sent := send(f, size)
			stuck := m.windows[0].Load()
			stuck.readers.Add(1) // as read does, before it copies
			before := make(map[*window[*payload]]bool)
			for i := range m.windows {
				before[m.windows[i].Load()] = true
			}
			sent = append(sent, send(f, 50*windows*size)...)
			made := 0
			for i := range m.windows {
				if w := m.windows[i].Load(); w == stuck {
					t.Errorf("capacity %d: a window that a Reader is inside is used again", capacity)
				} else if !before[w] {
					made++
				}
			}
			if made != 1 {
				t.Errorf("capacity %d: %d windows were made for one that is in use", capacity, made)
			}
			if got := kept(sent[:size]); got != size {
				t.Errorf("capacity %d: %d of the %d in the Reader's window are reachable", capacity, got, size)
			}
			if got := kept(sent); got > size+windows*size {
				t.Errorf("capacity %d: %d are reachable, want the ring's %d and the window's %d at most", capacity, got, windows*size, size)
			}
			stuck.readers.Add(-1)
			runtime.KeepAlive(stuck)
			stuck = nil
			clear(before)
			if got := kept(sent[:size]); got != 0 {
				t.Errorf("capacity %d: the Reader went on, and %d of its window are reachable", capacity, got)
			}
			_ = f.Close()
			if err := f.Wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			runtime.KeepAlive(m)
		}
	}
}

// A Reader that is over is kept by neither its ring nor its context, also where it had lain down to wait and no
// event comes any more.
func TestReaderThatIsOverIsCollected(t *testing.T) {
	f := core.New(core.Config[*payload]{})
	m, err := Open(context.Background(), f, region.Region{}, 4)
	if err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	lives, done := context.WithCancel(t.Context())
	defer done()
	var gone []weak.Pointer[Reader[*payload]]
	for range 10 * mostGone {
		r, err := m.Reader(lives, FromNext)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.look(make([]*payload, 1)); err != nil { // it finds nothing, and is listed
			t.Fatal(err)
		}
		_, _ = r.Next(over)
		r.Cancel()
		gone = append(gone, weak.Make(r))
	}
	for m.sleep.waker.Load() != nothing {
		runtime.Gosched()
	}
	runtime.GC()
	runtime.GC()
	left := 0
	for _, r := range gone {
		if r.Value() != nil {
			left++
		}
	}
	if left > 2*mostGone || len(m.readers) != 0 {
		t.Errorf("%d of %d Readers that are over are reachable, %d are counted", left, len(gone), len(m.readers))
	}
	_ = f.Close()
	if err := f.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	runtime.KeepAlive(m)
}
