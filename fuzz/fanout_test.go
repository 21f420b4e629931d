package fuzz_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/fuzz"
	"github.com/spillwayhq/spillway/region"
)

var errOwn = errors.New("a cause of the fuzzer's own")

// A match is a Fanout, its model, and the tape that both are played.
type match struct {
	t        *testing.T
	tape     *indexTape
	f        *core.Fanout[region.Point]
	model    fuzz.Model
	players  []*player
	ctx      context.Context
	cancel   context.CancelCauseFunc
	sequence uint64
}

// FuzzFanout reads bytes as what subscribers and one writer do. After each operation the Fanout has
// said, counted and delivered what the model has, and has ended whom the model has ended, so.
func FuzzFanout(f *testing.F) {
	const (
		place     = "\x02\x00\x01\x10\x01\x07" // a:b, scope a, kind 0x1001, lane 7
		broadcast = "\x01" + place
		other     = "\x01\x05\x00\x00\x20\x00\x00"     // b
		tray2     = "\x00\x00\x00\x01"                 // everything, room for two
		tube1     = "\x00\x00\x01\x10"                 // entity a, a channel of one
		tube2     = "\x00\x07\x02\x01\x07\x10\x01\x11" // a:b, scope a, lane 7, one kind, a channel of two
		leased    = "\x00\x08\x00\x01\x22"             // category 1, with the context
	)
	f.Add([]byte{})
	f.Add([]byte(tray2 + tube1 + tube2 + leased + broadcast + other + broadcast + "\x05\x00\x07" + broadcast + broadcast + broadcast))
	f.Add([]byte(tray2 + tray2 + "\x04\x00\x00" + "\x04\x01\x01" + broadcast + tube1 + broadcast + broadcast + "\x05\x02\x01"))
	f.Add([]byte(tube2 + leased + tray2 + broadcast + "\x06\x00\x00" + "\x06\x02\x01" + broadcast + "\x07" + leased + broadcast))
	f.Add([]byte(tube2 + tube1 + leased + tray2 + "\x03\x05" + place + place + place + place + place + "\x05\x02\x03" + broadcast))
	f.Add([]byte(tube1 + leased + "\x08" + tray2 + broadcast))
	f.Fuzz(func(t *testing.T, ops []byte) {
		if len(ops) > 256 {
			t.Skip("long tapes find nothing that short ones don't, and take their time")
		}
		m := &match{t: t, tape: &indexTape{ops}}
		m.f = core.New(core.Config[region.Point]{Name: "fuzz", Locate: func(p region.Point) region.Point { return p }})
		m.ctx, m.cancel = context.WithCancelCause(context.Background())
		for len(m.tape.rest) > 0 {
			m.play(m.tape.byte() % 9)
			m.compare()
		}
		m.play(8)
		m.compare()
		m.cancel(nil)
	})
}

func (m *match) play(op byte) {
	switch op {
	case 0:
		m.subscribe()
	case 1, 2:
		p := m.point()
		if got, want := m.f.Broadcast(p), m.model.Broadcast(p); got != want {
			m.t.Fatalf("Broadcast(%+v): got %+v, want %+v", p, got, want)
		}
	case 3:
		m.broadcastAll()
	case 4:
		m.refuse()
	case 5:
		if p := m.pick(); p != nil {
			n := int(m.tape.byte() % 8)
			p.sink.take(n)
			p.twin.Take(n)
		}
	case 6:
		if p := m.pick(); p != nil {
			cause := []error{core.ErrCancelled, errOwn}[m.tape.byte()%2]
			p.sub.CancelCause(cause)
			m.model.End(p.twin, cause)
		}
	case 7:
		m.endContext()
	case 8:
		_ = m.f.Close()
		m.model.Close()
	}
}

// pick returns the player that the tape names; nil while there is none.
func (m *match) pick() *player {
	b := int(m.tape.byte())
	if len(m.players) == 0 {
		return nil
	}
	return m.players[b%len(m.players)]
}

func (m *match) point() region.Point {
	p := m.tape.point()
	p.Sequence = m.sequence
	m.sequence++
	return p
}

func (m *match) subscribe() {
	r := m.tape.region()
	how := m.tape.byte()
	s := &fuzz.ModelSub{Region: r, Capacity: int(how%4) + 1}
	p := &player{twin: s, sink: &tray{capacity: s.Capacity}}
	if how&16 != 0 {
		p.sink = &tube{c: make(chan region.Point, s.Capacity)}
	}
	p.ctx = context.Background()
	if how&32 != 0 {
		p.ctx = m.ctx
	}
	var err error
	want := r.Validate()
	p.sub, err = m.f.Subscribe(p.ctx, r, p.sink)
	if want == nil {
		want = m.model.Subscribe(s)
	}
	if (err == nil) != (want == nil) || err != nil && err.Error() != want.Error() {
		m.t.Fatalf("Subscribe(%+v): got %v, want %v", r, err, want)
	}
	if err == nil {
		m.players = append(m.players, p)
	}
}

func (m *match) broadcastAll() {
	var ps []region.Point
	var want core.Outcome
	for range m.tape.byte() % 16 {
		ps = append(ps, m.point())
		out := m.model.Broadcast(ps[len(ps)-1])
		if len(ps) == 1 {
			want.Live = out.Live
		}
		want.Matched += out.Matched
		want.Accepted += out.Accepted
		want.Pruned += out.Pruned
	}
	if got := m.f.BroadcastAll(ps); got != want {
		m.t.Fatalf("BroadcastAll(%+v): got %+v, want %+v", ps, got, want)
	}
}

// refuse makes an offered sink refuse the next event.
func (m *match) refuse() {
	p, b := m.pick(), m.tape.byte()
	if p == nil {
		return
	}
	if s, ok := p.sink.(*tray); ok {
		s.refuses = []core.Verdict{core.Full, core.Closed}[b%2]
		p.twin.Refuses = s.refuses
	}
}

// endContext ends all that the context has, and begins another.
func (m *match) endContext() {
	for _, p := range m.players {
		if p.ctx == m.ctx {
			m.model.End(p.twin, errOwn)
		}
	}
	m.cancel(errOwn)
	m.ctx, m.cancel = context.WithCancelCause(context.Background())
}

// compare waits for the ends and holds everything against the model.
func (m *match) compare() {
	if err := m.f.Wait(context.Background()); err != nil {
		m.t.Fatalf("Wait: %v", err)
	}
	want := m.model.Stats
	want.Live = len(m.model.Live())
	if got := m.f.Stats(); got != want || m.f.Len() != want.Live {
		m.t.Fatalf("Stats:\n got %+v\nwant %+v\nLen() = %d", got, want, m.f.Len())
	}
	for _, p := range m.players {
		received, held, closes := p.sink.state()
		err := p.sub.Err()
		if (err != nil) != p.twin.Over || len(closes) > 1 || p.twin.Over && (len(closes) != 1 || closes[0] != err) {
			m.t.Fatalf("subscription %d: Err %v, Close calls %v; over: %v", p.sub.ID(), err, closes, p.twin.Over)
		}
		if !slices.Equal(received, p.twin.Received) || !slices.Equal(held, p.twin.Held) {
			m.t.Fatalf("subscription %d: received %v, holds %v; want %v and %v", p.sub.ID(), received, held, p.twin.Received, p.twin.Held)
		}
		refused := 0
		if p.twin.Over && p.twin.Cause == nil {
			refused = 1
		}
		if len(received)+len(held)+refused != p.twin.Offered {
			m.t.Fatalf("subscription %d: offered %d, received %v, held %v, refused %d", p.sub.ID(), p.twin.Offered, received, held, refused)
		}
		if p.twin.Over {
			m.compareEnd(p)
		}
	}
}

func (m *match) compareEnd(p *player) {
	select {
	case <-p.sub.Done():
	default:
		m.t.Fatalf("subscription %d is over and Done is open", p.sub.ID())
	}
	err, twin := p.sub.Err(), p.twin
	if twin.Cause != nil {
		if !errors.Is(err, twin.Cause) || errors.Is(err, core.ErrPruned) {
			m.t.Fatalf("subscription %d: Err %v, want %v", p.sub.ID(), err, twin.Cause)
		}
		return
	}
	var pruned *core.PrunedError
	if !errors.As(err, &pruned) {
		m.t.Fatalf("subscription %d: Err %v, want a prune", p.sub.ID(), err)
	}
	want := core.PrunedError{
		Fanout: "fuzz", ID: p.sub.ID(), Region: twin.Region, Verdict: twin.Verdict,
		Missed: twin.Missed, HasMissed: true, Held: twin.HeldBy,
	}
	if *pruned != want {
		m.t.Fatalf("subscription %d: got %+v, want %+v", p.sub.ID(), *pruned, want)
	}
}
