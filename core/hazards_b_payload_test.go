package core_test

import (
	"context"
	"hash/crc32"
	"slices"
	"testing"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// A payload is as it was when everybody has had it: core writes to none. Where a sink does, the sum of the
// bytes before and after shows it.
func TestH64PayloadIsLeftAlone(t *testing.T) {
	for _, culprit := range []bool{false, true} {
		f := core.New(core.Config[core.Envelope]{Locate: core.Envelope.Point})
		for _, r := range []region.Region{{}, about("a"), {Lane: region.OneLane(0)}} {
			var sinks []core.Sink[core.Envelope]
			for _, verdict := range []core.Verdict{core.Accepted, core.Full, core.Closed} {
				sinks = append(sinks, &looker{verdict: verdict})
			}
			for _, s := range append(sinks, &looker{panics: true}) {
				subscribe(t, f, r, s)
			}
			if _, err := channel.Subscribe(t.Context(), f, r, 1); err != nil {
				t.Fatal(err)
			}
		}
		if culprit {
			subscribe[core.Envelope](t, f, about("a"), &looker{edits: true})
		}
		e := core.Envelope{Payload: slices.Repeat([]byte("payload"), 50)}
		e.Coordinate = mustCoordinate(t, "a", "s")
		before := crc32.ChecksumIEEE(e.Payload)
		for range 3 {
			f.Broadcast(e)
		}
		f.BroadcastAll([]core.Envelope{e, e})
		_ = f.Close()
		wait(t, f)
		if edited := crc32.ChecksumIEEE(e.Payload) != before; edited != culprit {
			t.Errorf("the payload was edited: %v, want %v", edited, culprit)
		}
	}
}

// A looker reads the payload that it is offered, and may write to it, as no sink should.
type looker struct {
	verdict       core.Verdict
	panics, edits bool
	sum           uint32
}

func (l *looker) Offer(e core.Envelope) core.Verdict {
	l.sum += crc32.ChecksumIEEE(e.Payload)
	if l.edits {
		slices.Sort(e.Payload)
	}
	if l.panics {
		panic(errMine)
	}
	return l.verdict
}

func (l *looker) Close(error) {}

func mustCoordinate(t *testing.T, entity, scope string) region.Coordinate {
	t.Helper()
	c, err := region.NewCoordinate(entity, scope)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What an event points to passes to all who accept it: nothing is copied, so whoever broadcasts must not use
// the buffer again. A fresh one for each event keeps what was accepted.
func TestH65PayloadIsHandedOver(t *testing.T) {
	f := core.New(core.Config[core.Envelope]{Locate: core.Envelope.Point})
	s, err := channel.Subscribe(t.Context(), f, region.Region{}, 16)
	if err != nil {
		t.Fatal(err)
	}
	var sent [][]byte
	for i := range byte(16) {
		payload := []byte{i, i}
		sent = append(sent, payload)
		f.Broadcast(core.Envelope{Payload: payload})
	}
	for i := range byte(16) {
		e := <-s.C()
		if &e.Payload[0] != &sent[i][0] || e.Payload[1] != i {
			t.Errorf("payload %d: got %v; want the very bytes that were broadcast", i, e.Payload)
		}
	}
	s.Cancel()
}

// What a user's channel holds is the user's: no end and no look at it takes an event out.
func TestH73CoreTakesNothingOut(t *testing.T) {
	for _, c := range ends[:5] {
		cfg := located()
		cfg.Observer = observer{}
		f := core.New(cfg)
		ctx, cancel := context.WithCancelCause(t.Context())
		p := &pipe{t: t, c: make(chan event, 3), keep: true}
		s := subscribeFor(t, ctx, f, region.Region{}, p)
		f.Broadcast(event{"a", 1})
		for range f.Subscriptions() {
			f.Stats()
		}
		c.by(f, s, cancel)
		wait(t, f)
		f.Broadcast(event{"a", 2})
		if len(p.c) != 1 || <-p.c != (event{"a", 1}) {
			t.Errorf("%s: the channel holds %d events, want the first", c.name, len(p.c))
		}
		cancel(nil)
	}
}
