package bench

import (
	"testing"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A baseline that did less than it claims would make every ratio worthless.

func TestRawOfferReachesAllWithRoom(t *testing.T) {
	r := NewRawOffer[int](3, 1)
	seven, eight := 7, 8
	if got := r.Offer(&seven); got != 3 {
		t.Errorf("Offer to three empty channels: accepted %d, want 3", got)
	}
	outs := r.Outputs()
	if got := <-outs[1]; got != 7 {
		t.Errorf("received %d, want 7", got)
	}
	if got := r.Offer(&eight); got != 1 {
		t.Errorf("Offer to one empty channel and two full ones: accepted %d, want 1", got)
	}
}

func TestLinearFiltersAndPrunes(t *testing.T) {
	l := NewLinear(notification.Point)
	w := newWorkload(t, 0, 2)
	first, second := w.Events[0], w.Events[1]
	narrow := l.Subscribe(w.Region(int(w.Order[0])), 1)
	wide := l.Subscribe(region.Region{}, 3)

	steps := []struct {
		name string
		n    notification
		want core.Outcome
	}{
		{"both match", first, core.Outcome{Live: 2, Matched: 2, Accepted: 2}},
		{"another entity", second, core.Outcome{Live: 2, Matched: 1, Accepted: 1}},
		{"the narrow one is full", first, core.Outcome{Live: 2, Matched: 2, Accepted: 1, Pruned: 1}},
		{"the wide one is full", second, core.Outcome{Live: 1, Matched: 1, Pruned: 1}},
		{"nobody is left", first, core.Outcome{}},
	}
	for _, s := range steps {
		if got := l.Broadcast(s.n); got != s.want {
			t.Errorf("%s: outcome %+v, want %+v", s.name, got, s.want)
		}
	}
	if got := l.Len(); got != 0 {
		t.Errorf("Len() = %d after both were pruned, want 0", got)
	}
	for name, c := range map[string]struct {
		out  <-chan notification
		want []uint64
	}{
		"narrow": {narrow, []uint64{first.Sequence}},
		"wide":   {wide, []uint64{first.Sequence, second.Sequence, first.Sequence}},
	} {
		var got []uint64
		for n := range c.out { // ends: whoever is pruned is closed
			got = append(got, n.Sequence)
		}
		if len(got) != len(c.want) {
			t.Errorf("%s received %v, want %v", name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s received %v, want %v", name, got, c.want)
				break
			}
		}
	}
}

func TestLinearWithoutLocate(t *testing.T) {
	l := NewLinear[int](nil)
	l.Subscribe(region.Region{}, 1)
	l.Subscribe(region.Region{Entity: "alice"}, 1)
	if got, want := l.Broadcast(1), (core.Outcome{Live: 2, Matched: 1, Accepted: 1}); got != want {
		t.Errorf("outcome %+v, want %+v: every event is at the zero Point", got, want)
	}
}

func TestMapOfferFindsItsOwn(t *testing.T) {
	w := newWorkload(t, 0, 10)
	keys := w.Keys()
	m := NewMapOffer(keys, 1)
	for i, n := range w.Events {
		if !m.Offer(&n) {
			t.Errorf("event %d was not accepted", i)
		}
		if m.Offer(&n) {
			t.Errorf("event %d was accepted twice by a channel of capacity one", i)
		}
		if got := <-m.Output(keys[w.Order[i]]); got != n {
			t.Errorf("event %d: its own channel held %+v", i, got)
		}
	}
	stranger := newWorkload(t, 10, 1).Events[0]
	if m.Offer(&stranger) {
		t.Error("an event of an unknown entity was accepted")
	}
	other := w.Events[0]
	other.Kind++
	if m.Offer(&other) {
		t.Error("an event of an unknown kind was accepted")
	}
}

func TestFillMapHoldsEveryKey(t *testing.T) {
	keys := newWorkload(t, 0, 100).Keys()
	for _, room := range []int{0, 100} {
		m := FillMap(keys, room)
		for _, k := range keys {
			if m[k] == nil {
				t.Errorf("room %d: %+v is missing", room, k)
			}
		}
	}
}

// TestRecords: all are tallied, or those of a region, and what is out of order is seen.
func TestRecords(t *testing.T) {
	records := make(Records, 6)
	for i, n := range newWorkload(t, 0, 6).Events {
		n.Sequence += 10
		records[i].Notification = n
	}
	if got, want := records.All(), (Tally{Count: 6, Sum: 75, Last: 15}); got != want {
		t.Errorf("All() = %+v, want %+v", got, want)
	}
	third := region.Region{Entity: records[3].Coordinate.Entity()}
	if got, want := records.Of(third), (Tally{Count: 1, Sum: 13, Last: 13}); got != want {
		t.Errorf("Of(%s) = %+v, want %+v", third, got, want)
	}
	records[4].Sequence = 13
	if got := records.All(); got.Disorder != 1 {
		t.Errorf("one twice: %+v, want a Disorder of 1", got)
	}
}
