package sse

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

func named(t *testing.T, entity string, sequence uint64) core.Envelope {
	t.Helper()
	c, err := region.NewCoordinate(entity, "s")
	if err != nil {
		t.Fatal(err)
	}
	return core.Envelope{Notification: core.Notification{Coordinate: c, Sequence: sequence}}
}

// The first event that doesn't fit ends all strands: nothing behind it is in the feed, whichever Region it is of, and the error says
// which it was. What two Regions ask for is in it once.
func TestUnionEndsAsOne(t *testing.T) {
	f := core.New(core.Config[core.Envelope]{Locate: core.Envelope.Point})
	u, err := openUnion(t.Context(), f, []region.Region{{Entity: "a"}, {Entity: "b"}, {Scope: "s"}}, 3)
	if err != nil {
		t.Fatal(err)
	}
	for i, entity := range []string{"a", "b", "c"} {
		f.Broadcast(named(t, entity, uint64(i)))
	}
	f.Broadcast(named(t, "b", 3)) // has no room
	room := make([]core.Envelope, 2)
	if n, err := u.NextBatch(t.Context(), room); n != 2 || err != nil {
		t.Fatalf("got %d, %v", n, err)
	}
	for i, entity := range []string{"a", "c", "b"} { // there is room again
		f.Broadcast(named(t, entity, uint64(4+i)))
	}
	got := []uint64{room[0].Sequence, room[1].Sequence}
	var end error
	for end == nil {
		var n int
		n, end = u.NextBatch(t.Context(), room)
		for _, e := range room[:n] {
			got = append(got, e.Sequence)
		}
	}
	if want := []uint64{0, 1, 2}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	pruned, ok := errors.AsType[*core.PrunedError](end)
	if !ok || !pruned.HasMissed || pruned.Missed != 3 {
		t.Errorf("ended with %v, want the event missed first to be 3", end)
	}
	if u.Err() != end {
		t.Errorf("Err is %v, Next's is %v", u.Err(), end)
	}
	if err := f.Wait(context.Background()); err != nil || f.Len() != 0 {
		t.Errorf("%d subscriptions are left, %v", f.Len(), err)
	}
}

// stuck is a sink whose Close waits, and with it all other ends.
type stuck struct{ release chan struct{} }

func (stuck) Offer(core.Envelope) core.Verdict { return core.Accepted }
func (s stuck) Close(error)                    { <-s.release }

// One Region's subscription is ended by its id, and nobody has closed it yet: an event that concerned it alone has passed it, and what comes
// behind that is not put. So who comes back behind the last that came misses nothing.
func TestUnionLosesNoneWhenOneIsEnded(t *testing.T) {
	regions := []region.Region{{Entity: "a"}, {Entity: "b"}, {}}
	for ended := range regions {
		f := core.New(core.Config[core.Envelope]{Locate: core.Envelope.Point})
		other := stuck{make(chan struct{})}
		sub, err := f.Subscribe(t.Context(), region.Region{Entity: "nobody"}, other)
		if err != nil {
			t.Fatal(err)
		}
		u, err := openUnion(t.Context(), f, regions, 8)
		if err != nil {
			t.Fatal(err)
		}
		f.Broadcast(named(t, "b", 6))
		sub.Cancel() // from here on no end is carried through
		why := errors.New("by its id")
		if !f.Cancel((*u.subs.Load())[ended].ID(), why) {
			t.Fatal("there is none of that id")
		}
		for i, entity := range []string{"a", "b", "c", "a", "b", "c"} {
			f.Broadcast(named(t, entity, uint64(7+i)))
		}
		close(other.release)
		if e, err := u.Next(t.Context()); err != nil || e.Sequence != 6 {
			t.Errorf("got %d, %v before the end", e.Sequence, err)
		}
		if e, err := u.Next(t.Context()); !errors.Is(err, why) {
			t.Errorf("without Region %d: %d, %v; want the end, and why", ended, e.Sequence, err)
		}
		if err := f.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// A union that is cancelled, or whose fan-out is closed, ends with that.
func TestUnionEnds(t *testing.T) {
	regions := []region.Region{{Entity: "a"}, {Entity: "b"}}
	for name, c := range map[string]struct {
		end  func(*union, *core.Fanout[core.Envelope])
		want error
	}{
		"cancel": {func(u *union, _ *core.Fanout[core.Envelope]) { u.Cancel() }, core.ErrCancelled},
		"close":  {func(_ *union, f *core.Fanout[core.Envelope]) { _ = f.Close() }, core.ErrClosed},
		"strand": {func(u *union, _ *core.Fanout[core.Envelope]) { (*u.subs.Load())[1].Cancel() }, core.ErrCancelled},
	} {
		f := core.New(core.Config[core.Envelope]{Locate: core.Envelope.Point})
		u, err := openUnion(t.Context(), f, regions, 3)
		if err != nil {
			t.Fatal(err)
		}
		f.Broadcast(named(t, "b", 7))
		c.end(u, f)
		if e, err := u.Next(t.Context()); err != nil || e.Sequence != 7 {
			t.Errorf("%s: got %d, %v before the end", name, e.Sequence, err)
		}
		if _, err := u.Next(t.Context()); !errors.Is(err, c.want) {
			t.Errorf("%s: ended with %v, want %v", name, err, c.want)
		}
	}
	f := core.New(core.Config[core.Envelope]{Locate: core.Envelope.Point})
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := openUnion(t.Context(), f, regions, 3); !errors.Is(err, core.ErrClosed) {
		t.Errorf("of a closed fan-out: %v", err)
	}
}
