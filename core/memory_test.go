package core_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"weak"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A payload is too large for the allocator's tiny blocks, in which neighbours keep each other alive.
type payload struct{ _ [8]*payload }

// A hoard is a sink with a buffer worth collecting.
type hoard struct{ events [1 << 16]*payload }

func (h *hoard) Offer(v *payload) core.Verdict { h.events[0] = v; return core.Accepted }
func (h *hoard) Close(error)                   {}

// collectable: a tombstone between two living subscriptions keeps neither sink nor buffered event,
// even where its owner keeps the Subscription.
func collectable(t *testing.T) {
	for _, r := range []region.Region{{}, about("a"), {Kind: region.OneKind(0x1001)}} {
		f := core.New(core.Config[*payload]{Locate: func(*payload) region.Point { return region.Point{Entity: "a", Kind: 0x1001} }})
		keep := func() *core.Subscription { return subscribe[*payload](t, f, r, new(hoard)) }
		first := keep()
		sub, sink := ended(t, f, r)
		buffered := forgotten(t, f, r)
		last := keep()
		wait(t, f)
		runtime.GC()
		runtime.GC()
		if sink.Value() != nil {
			t.Errorf("region %v: the sink of an ended subscription is kept alive", r)
		}
		if buffered.Value() != nil {
			t.Errorf("region %v: the buffer of an ended subscription is kept alive", r)
		}
		if f.Len() != 2 || !over(sub) || over(first) || over(last) {
			t.Errorf("region %v: Len %d, want the other two alive", r, f.Len())
		}
		runtime.KeepAlive(f)
	}
}

// ended subscribes and cancels a sink that nobody else refers to.
func ended(t *testing.T, f *core.Fanout[*payload], r region.Region) (*core.Subscription, weak.Pointer[hoard]) {
	h := new(hoard)
	s := subscribe(t, f, r, core.Sink[*payload](h))
	f.Broadcast(new(payload))
	s.Cancel()
	<-s.Done()
	return s, weak.Make(h)
}

// forgotten does it with a channel that holds an event.
func forgotten(t *testing.T, f *core.Fanout[*payload], r region.Region) weak.Pointer[payload] {
	s, err := channel.Subscribe(t.Context(), f, r, 4)
	if err != nil {
		t.Fatal(err)
	}
	v := new(payload)
	f.Broadcast(v)
	f.Broadcast(new(payload)) // the other sinks hold this one
	s.Cancel()
	<-s.Done()
	return weak.Make(v)
}

// memoryComesBack: what a crowd of subscriptions took is free when they are gone, while a few live on.
func memoryComesBack(t *testing.T) {
	crowd := 200_000
	if testing.Short() {
		crowd = 20_000
	}
	f := core.New(located())
	alive := subscribe(t, f, about("a"), handler{})
	const wave = 10_000
	names := make([]string, wave)
	for i := range names {
		names[i] = fmt.Sprintf("a:%d", i)
	}
	before := heap()
	for n := 0; n < crowd; n += wave {
		ctx, cancel := context.WithCancel(t.Context())
		var subs []*core.Subscription
		for i, name := range names {
			r := about(name)
			if i%2 == 0 {
				r = about("a")
			}
			subs = append(subs, subscribeFor(t, ctx, f, r, handler{}))
		}
		if f.Len() != wave+1 {
			t.Fatalf("Len: got %d, want %d", f.Len(), wave+1)
		}
		for _, s := range subs[:wave/2] {
			s.Cancel()
		}
		cancel()
		wait(t, f)
	}
	if out := f.Broadcast(event{"a:7", 1}); out != (core.Outcome{Live: 1, Matched: 1, Accepted: 1}) {
		t.Errorf("Broadcast afterwards: got %+v", out)
	}
	if st := f.Stats(); st.Live != 1 || st.Retiring != 0 || int(st.Cancelled) != crowd {
		t.Errorf("Stats: got %+v, want one live, %d cancelled", st, crowd)
	}
	// One wave is 2 MB at least, and the registry's pointers to it 80 KB: what is left of either would show.
	if left := heap() - before; left > 64<<10 {
		t.Errorf("%d bytes are left of %d subscriptions", left, crowd)
	}
	runtime.KeepAlive(names)
	alive.Cancel()
	wait(t, f)
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A noter is a channel that keeps the Subscription that it is attached to.
type noter struct {
	c   chan *[64]byte
	sub **core.Subscription
}

func (n noter) Chan() chan<- *[64]byte       { return n.c }
func (n noter) Offer(*[64]byte) core.Verdict { panic("a channel is not offered") }
func (n noter) Close(error)                  { panic("nothing was subscribed") }
func (n noter) Attach(s *core.Subscription)  { *n.sub = s }

// A Subscription that was refused, and kept since Attach, keeps neither its sink nor what is in its channel.
func TestRefusedKeepsNoBuffer(t *testing.T) {
	f := core.New(core.Config[*[64]byte]{})
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	var sub *core.Subscription
	held := func() weak.Pointer[[64]byte] {
		n := noter{make(chan *[64]byte, 1), &sub}
		v := new([64]byte)
		n.c <- v
		if _, err := f.Subscribe(context.Background(), region.Region{}, n); !errors.Is(err, core.ErrClosed) {
			t.Fatalf("Subscribe: %v, want ErrClosed", err)
		}
		return weak.Make(v)
	}()
	runtime.GC()
	if held.Value() != nil {
		t.Error("what the refused sink's channel holds is still reachable")
	}
	runtime.KeepAlive(sub)
}
