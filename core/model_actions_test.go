package core_test

import (
	"context"
	"errors"

	"pgregory.net/rapid"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

func (m *fanoutModel) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"subscribe": func(t *rapid.T) { m.add(t, m.drawSub(t)) },
		"subscribe more": func(t *rapid.T) {
			for range 4 {
				m.add(t, m.drawSub(t))
			}
		},
		"broadcast":       m.broadcast,
		"broadcast again": m.broadcast, // more often than the rest
		"broadcast all":   m.broadcastAll,
		"refuse next":     m.refuseNext,
		"drain": func(t *rapid.T) {
			rapid.SampledFrom(m.some(t, m.subs)).Draw(t, "whose").drain(rapid.IntRange(1, 3).Draw(t, "n"))
		},
		"cancel":          m.cancel,
		"cancel again":    m.cancelAgain,
		"end a context":   m.endContext,
		"refused":         m.refused,
		"call back":       m.callBack,
		"call back again": m.callBack,
		"close for good":  m.closeForGood,
		"":                m.check,
	}
}

// some skips the action where there is nobody to choose from.
func (m *fanoutModel) some(t *rapid.T, subs []*modelSub) []*modelSub {
	if len(subs) == 0 {
		t.Skip("nobody")
	}
	return subs
}

func (m *fanoutModel) broadcast(t *rapid.T) {
	e := m.event(t)
	want := m.predict(e)
	if got := m.f.Broadcast(e); got != want {
		t.Fatalf("Broadcast(%+v): got %+v, want %+v", e, got, want)
	}
}

// broadcastAll must be as its Broadcasts one after the other. Those of its events that come after the last
// subscription has ended find nobody, and are not counted.
func (m *fanoutModel) broadcastAll(t *rapid.T) {
	n := rapid.IntRange(0, 5).Draw(t, "n")
	if rapid.IntRange(0, 20).Draw(t, "long") == 0 {
		n += 600 // more than share one stay in the grace
	}
	e := m.event(t)
	var want core.Outcome
	var es []modelEvent
	wires := map[*modelSub]int{}
	for i := range n {
		e.serial, m.serial = m.serial+1, m.serial+1
		es = append(es, e)
		want = m.predictOneOfAll(e, i, want, wires)
	}
	if got := m.f.BroadcastAll(es); got != want {
		t.Fatalf("BroadcastAll of %d like %+v: got %+v, want %+v", n, e, got, want)
	}
}

// predictOneOfAll is predict, for an event before whom others have come that no sink has had yet.
func (m *fanoutModel) predictOneOfAll(e modelEvent, i int, sum core.Outcome, wires map[*modelSub]int) core.Outcome {
	live := m.live()
	if i == 0 {
		sum.Live = len(live)
	}
	if len(live) > 0 {
		m.stats.Broadcasts++
	}
	for _, s := range live {
		if !s.region.Match(m.point(e)) {
			continue
		}
		verdict, panics := s.accepts()
		held := s.held()
		switch {
		case s.wire != nil:
			held += wires[s]
			if verdict = core.Accepted; held == cap(s.wire) {
				verdict = core.Full
			}
		case wires[s] > 0: // it refuses at the first event or not at all
			verdict, panics = core.Accepted, nil
		}
		wires[s]++
		sum.Matched++
		m.stats.Matched++
		s.offers++
		if verdict == core.Accepted {
			sum.Accepted++
			m.stats.Accepted++
			s.expect = append(s.expect, e)
			continue
		}
		sum.Pruned++
		s.refused = append(s.refused, e)
		s.pruned(verdict, held, m.point(e).Sequence, m.located, panics)
		m.countPruned(verdict, panics != nil)
	}
	return sum
}

// refuseNext makes a sink refuse, or panic at, the next event that it is offered.
func (m *fanoutModel) refuseNext(t *rapid.T) {
	var doors []*modelSub
	for _, s := range m.live() {
		if s.wire == nil {
			doors = append(doors, s)
		}
	}
	s := rapid.SampledFrom(m.some(t, doors)).Draw(t, "who")
	s.answer, s.panics = core.Accepted, nil
	switch rapid.SampledFrom([]string{"full", "closed", "no verdict", "panic"}).Draw(t, "how") {
	case "full":
		s.answer = core.Full
	case "closed":
		s.answer = core.Closed
	case "no verdict":
		s.answer = 9
	case "panic":
		s.panics = "the model's panic"
	}
}

func (m *fanoutModel) cancel(t *rapid.T) {
	s := rapid.SampledFrom(m.some(t, m.live())).Draw(t, "who")
	if rapid.Bool().Draw(t, "with a cause") {
		m.cancelled(errModelCause, func(o *modelSub) bool { return o == s })
		s.sub.CancelCause(errModelCause)
		return
	}
	m.cancelled(core.ErrCancelled, func(o *modelSub) bool { return o == s })
	s.sub.CancelCause(nil)
}

// cancelAgain ends what is over already: its Err is final.
func (m *fanoutModel) cancelAgain(t *rapid.T) {
	for _, s := range m.some(t, m.subs) {
		if s.over {
			s.sub.Cancel()
			s.sub.CancelCause(errors.New("too late"))
		}
	}
}

// endContext ends all that one context has, and puts another in its place.
func (m *fanoutModel) endContext(t *rapid.T) {
	i := rapid.IntRange(0, len(m.ctxs)-1).Draw(t, "which")
	old := m.ctxs[i]
	m.cancelled(errModelCause, func(s *modelSub) bool { return s.ctx == old.Context })
	old.cancel(errModelCause)
	if err := m.f.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	late := m.drawSub(t)
	late.ctx = old.Context
	m.add(t, late)
	m.renewContext(i)
}

// refused tries what Subscribe must not take, closed or not.
func (m *fanoutModel) refused(t *rapid.T) {
	s := m.drawSub(t)
	ctx, r := context.Background(), s.region
	if _, err := m.f.Subscribe(ctx, r, nil); !errors.Is(err, core.ErrNilSink) {
		t.Fatalf("Subscribe without a sink: %v", err)
	}
	if _, err := m.f.Subscribe(ctx, r, modelWire{&modelSub{}}); !errors.Is(err, core.ErrNilSink) {
		t.Fatalf("Subscribe with a channel sink without a channel: %v", err)
	}
	r.Clock = region.Clocks(1, 2)
	if _, err := m.f.Subscribe(ctx, r, s.sink()); !errors.Is(err, core.ErrLiveClock) {
		t.Fatalf("Subscribe with a clock: %v", err)
	}
	r = region.Region{Entity: "a:"}
	if _, err := m.f.Subscribe(ctx, r, s.sink()); !errors.Is(err, region.ErrSegment) {
		t.Fatalf("Subscribe to %q: %v", r.Entity, err)
	}
	if len(s.closes) > 0 {
		t.Fatalf("a Subscribe that failed called Close: %v", s.closes)
	}
}

func (m *fanoutModel) close() {
	m.closed = true
	m.cancelled(core.ErrClosed, func(*modelSub) bool { return true })
	_ = m.f.Close()
}

// closeForGood is rare: little can happen afterwards.
func (m *fanoutModel) closeForGood(t *rapid.T) {
	if rapid.IntRange(0, 15).Draw(t, "really") > 0 {
		t.Skip("not yet")
	}
	m.close()
}
