package core

import (
	"context"
	"fmt"
	"testing"

	"github.com/spillwayhq/spillway/region"
)

// What is read through a pointer in place of being called is told from what is not.
func TestOwnPointIsKnown(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want bool
	}{
		{"Notification.Point", isOwnPoint(Notification.Point), true},
		{"Envelope.Point", isOwnPoint(Envelope.Point), true},
		{"a function of a Notification", isOwnPoint(func(n Notification) region.Point { return n.Point() }), false},
		{"a function of an Envelope", isOwnPoint(func(e Envelope) region.Point { return e.Point() }), false},
		{"another type's", isOwnPoint(func(int) region.Point { return region.Point{} }), false},
		{"none", isOwnPoint[Notification](nil), false},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, c.got, c.want)
		}
	}
}

// A gatherer keeps what it is offered.
type gatherer[T any] struct{ got []T }

func (g *gatherer[T]) Offer(v T) Verdict { g.got = append(g.got, v); return Accepted }
func (g *gatherer[T]) Close(error)       {}

// An event goes where its Point says, whether that is read in place or asked for.
func TestOwnPointLeadsToTheSame(t *testing.T) {
	place, err := region.NewCoordinate("a:b", "shop")
	if err != nil {
		t.Fatal(err)
	}
	n := Notification{Coordinate: place, Kind: 0x1002, Sequence: 7, Position: region.Position{Lane: 3}}
	regions := []region.Region{
		{},
		{Entity: "a"},
		{Entity: "a:b", Scope: "shop", Kind: region.OneKind(0x1002), Lane: region.OneLane(3)},
		{Entity: "b"},
		{Scope: "street"},
		{Kind: region.OneKind(0x1003)},
		{Lane: region.OneLane(4)},
	}
	want := deliveries(t, regions, n, func(n Notification) region.Point { return n.Point() })
	if want != "1 1 1 0 0 0 0" {
		t.Errorf("with a function of the test's: got %s", want)
	}
	if got := deliveries(t, regions, n, Notification.Point); got != want {
		t.Errorf("Notification.Point: got %s, want %s", got, want)
	}
	e := Envelope{Notification: n, Payload: []byte("payload")}
	if got := deliveries(t, regions, e, Envelope.Point); got != want {
		t.Errorf("Envelope.Point: got %s, want %s", got, want)
	}
}

// deliveries tells how many of the events each region gets.
func deliveries[T any](t *testing.T, regions []region.Region, v T, locate func(T) region.Point) string {
	t.Helper()
	f := New(Config[T]{Locate: locate})
	sinks := make([]gatherer[T], len(regions))
	for i, r := range regions {
		if _, err := f.Subscribe(context.Background(), r, &sinks[i]); err != nil {
			t.Fatal(err)
		}
	}
	f.Broadcast(v)
	counts := make([]any, len(sinks))
	for i, s := range sinks {
		counts[i] = len(s.got)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(counts...)
}

// A Fanout reads its own events in place, those of another Locate it does not: that one is believed, whatever it says.
func TestLocateIsBelieved(t *testing.T) {
	elsewhere := func(Notification) region.Point { return region.Point{Entity: "b"} }
	if got := deliveries(t, []region.Region{{Entity: "a"}, {Entity: "b"}}, Notification{}, elsewhere); got != "0 1" {
		t.Errorf("with a Locate that says b: got %s, want 0 1", got)
	}
	if f := New(Config[Notification]{Locate: elsewhere}); f.direct {
		t.Error("another Locate is taken for Notification.Point")
	}
	if f := New(Config[Notification]{Locate: Notification.Point}); !f.direct {
		t.Error("Notification.Point is called")
	}
	if f := New(Config[Envelope]{Locate: Envelope.Point}); !f.direct {
		t.Error("Envelope.Point is called")
	}
}

// Point leaves no field out, and leaves none as it was.
func TestPoint(t *testing.T) {
	place, err := region.NewCoordinate("a:b", "shop")
	if err != nil {
		t.Fatal(err)
	}
	n := Notification{Coordinate: place, Kind: 0x1002, Sequence: 7, Position: region.Position{Lane: 3, Sequence: 9}}
	want := region.Point{Entity: "a:b", Scope: "shop", Kind: 0x1002, Lane: 3, Sequence: 7}
	in := region.Point{Entity: "x", Scope: "x", Kind: 1, Lane: 1, Sequence: 1}
	n.pointTo(&in)
	if n.Point() != want || (Envelope{Notification: n}).Point() != want || in != want {
		t.Errorf("got %+v, %+v, and in place %+v; want %+v", n.Point(), Envelope{Notification: n}.Point(), in, want)
	}
}

// An event that Locate panics on before it is offered to anyone is in no count, however it came.
func TestLocatePanicsUncounted(t *testing.T) {
	f := New(Config[int]{Locate: func(v int) region.Point {
		if v < 0 {
			panic("no place")
		}
		return region.Point{}
	}})
	var s gatherer[int]
	if _, err := f.Subscribe(context.Background(), region.Region{Entity: "a"}, &s); err != nil {
		t.Fatal(err)
	}
	for name, broadcast := range map[string]func(){
		"Broadcast":    func() { f.Broadcast(-1) },
		"BroadcastAll": func() { f.BroadcastAll([]int{-1, 1}) },
	} {
		func() {
			defer func() {
				if r := recover(); r != "no place" {
					t.Errorf("%s: recovered %v, want the panic of Locate", name, r)
				}
			}()
			broadcast()
		}()
		if n := f.Stats().Broadcasts; n != 0 {
			t.Errorf("%s: %d broadcasts, want none", name, n)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Wait(t.Context()); err != nil { // nobody is left inside
		t.Fatal(err)
	}
}

func TestPopulation(t *testing.T) {
	var p population
	p += 3 * oneLive
	p += 2 * (oneRetiring - oneLive)
	if p.live() != 1 || p.retiring() != 2 || p.closed() {
		t.Errorf("got %d live, %d retiring, closed %v; want 1, 2, false", p.live(), p.retiring(), p.closed())
	}
	p += closedWhole
	p += oneRetiring - oneLive
	if p.live() != 0 || p.retiring() != 3 || !p.closed() {
		t.Errorf("after Close: got %d live, %d retiring, closed %v; want 0, 3, true", p.live(), p.retiring(), p.closed())
	}
	p -= 3 * oneRetiring
	if p.live() != 0 || p.retiring() != 0 || !p.closed() {
		t.Errorf("at the end: got %d live, %d retiring, closed %v; want 0, 0, true", p.live(), p.retiring(), p.closed())
	}
}
