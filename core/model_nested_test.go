package core_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/spillwayhq/spillway/core"
)

// A nestedStep is what a handler does from inside Offer: it broadcasts, subscribes, cancels or closes.
type nestedStep struct {
	event  modelEvent // broadcast where its serial isn't 0
	fresh  *modelSub  // subscribed
	target *modelSub  // cancelled
	close  bool

	out core.Outcome // of the broadcast
	err error        // of the Subscribe
}

// A nesting is one Broadcast inside which a handler calls back. In which order the sinks have their turns is
// nobody's promise, so that it is not predicted: what the sinks saw is taken as it is, and the promises
// are held against it.
type nesting struct {
	m      *fanoutModel
	outer  modelEvent
	out    core.Outcome
	steps  []nestedStep
	before []*modelSub       // live when it began
	marks  map[*modelSub]int // how many events each had been given
}

func (m *fanoutModel) callBack(t *rapid.T) {
	n := nesting{m: m, before: m.live(), marks: map[*modelSub]int{}}
	var doors []*modelSub
	for _, s := range n.before {
		n.marks[s] = len(s.records)
		if s.wire == nil {
			doors = append(doors, s)
			continue
		}
		n.marks[s] = len(s.received) + len(s.wire)
	}
	caller := rapid.SampledFrom(m.some(t, doors)).Draw(t, "who calls back")
	n.outer = m.risingEvent(t)
	if !caller.region.Match(m.point(n.outer)) {
		t.Skip("it is not offered the event")
	}
	for range rapid.IntRange(1, 4).Draw(t, "steps") {
		n.steps = append(n.steps, m.drawStep(t, n.before))
	}
	for _, s := range doors {
		if s != caller && rapid.IntRange(0, 2).Draw(t, "refuses too") == 0 {
			s.answer = core.Full
		}
	}
	caller.callback = n.run
	n.out = m.f.Broadcast(n.outer)
	if err := m.f.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := n.settle(); err != nil {
		t.Fatalf("steps %+v inside a Broadcast of %+v: %v", n.steps, n.outer, err)
	}
}

// risingEvent is an event whose sequence is greater than those before.
func (m *fanoutModel) risingEvent(t *rapid.T) modelEvent {
	e := m.event(t)
	e.at.Sequence = uint64(e.serial)
	return e
}

func (m *fanoutModel) drawStep(t *rapid.T, live []*modelSub) nestedStep {
	switch rapid.SampledFrom([]string{"broadcast", "broadcast", "subscribe", "cancel", "cancel", "close"}).Draw(t, "step") {
	case "broadcast":
		return nestedStep{event: m.risingEvent(t)}
	case "subscribe":
		return nestedStep{fresh: m.drawSub(t)}
	case "cancel":
		return nestedStep{target: rapid.SampledFrom(live).Draw(t, "target")}
	}
	return nestedStep{close: rapid.IntRange(0, 9).Draw(t, "close") == 0}
}

// run is the call back. After each step the reaper goes as far as it can while the Broadcast is inside.
// Nothing is judged here: core would take a failed test's panic for the sink's.
func (n *nesting) run() {
	for i := range n.steps {
		switch s := &n.steps[i]; {
		case s.event.serial != 0:
			s.out = n.m.f.Broadcast(s.event)
		case s.fresh != nil:
			s.fresh.sub, s.err = n.m.f.Subscribe(s.fresh.ctx, s.fresh.region, s.fresh.sink())
		case s.target != nil:
			s.target.sub.CancelCause(errModelCause)
		case s.close:
			_ = n.m.f.Close()
		}
		synctest.Wait()
	}
}

// settle judges what has happened, and takes it into the model.
func (n *nesting) settle() error {
	closed := false
	for _, s := range n.steps {
		closed = closed || s.close
		if s.fresh == nil {
			continue
		}
		if (s.err == nil) == closed || closed && !errors.Is(s.err, core.ErrClosed) {
			return fmt.Errorf("Subscribe from inside Offer: %v; closed: %v", s.err, closed)
		}
		if s.err == nil {
			n.m.subs = append(n.m.subs, s.fresh)
			n.m.stats.Subscribed++
		}
	}
	accepted, refused := map[int]int{}, 0
	for _, s := range n.m.live() {
		if err := n.settleOne(s, accepted, &refused); err != nil {
			return fmt.Errorf("subscription %d (%v), Err %v: %w", s.sub.ID(), s.region, s.sub.Err(), err)
		}
	}
	outs := map[int]core.Outcome{n.outer.serial: n.out}
	for _, s := range n.steps {
		if s.event.serial != 0 {
			outs[s.event.serial] = s.out
		}
	}
	for serial, out := range outs {
		if out.Accepted != accepted[serial] || out.Matched != out.Accepted+out.Pruned {
			return fmt.Errorf("event %d was accepted by %d, its Outcome is %+v", serial, accepted[serial], out)
		}
		if out.Live > 0 {
			n.m.stats.Broadcasts++
		}
		n.m.stats.Matched += uint64(out.Matched)
		n.m.stats.Accepted += uint64(out.Accepted)
		refused -= out.Pruned
	}
	if refused != 0 {
		return fmt.Errorf("%d more subscriptions were pruned than the Outcomes say", refused)
	}
	n.m.closed = n.m.closed || closed
	return nil
}

// settleOne judges one subscription that was live before or has come meanwhile.
func (n *nesting) settleOne(s *modelSub, accepted map[int]int, refused *int) error {
	isNew := !slices.Contains(n.before, s)
	got, err := n.taken(s)
	if err != nil {
		return err
	}
	due, cancelled, closed := n.due(s, isNew)
	var missed []modelEvent
	for _, e := range due {
		if !slices.Contains(got, e) {
			missed = append(missed, e)
		}
	}
	for _, e := range got {
		accepted[e.serial]++
		if !slices.Contains(due, e) && (!isNew || e != n.outer) {
			return fmt.Errorf("accepted %+v, which it should not have been offered; due were %v", e, due)
		}
	}
	for i, r := range s.records {
		if i >= n.marks[s] && r.panics {
			n.m.stats.Panics++ // also where the sink had ended before
		}
	}
	s.expect = append(s.expect, got...)
	s.offers += len(got)
	s.records = slices.DeleteFunc(s.records, func(r offerRecord) bool {
		return (r.answer != core.Accepted || r.panics) && !errors.Is(s.sub.Err(), core.ErrPruned)
	})
	var pruned *core.PrunedError
	switch err := s.sub.Err(); {
	case err == nil:
		if cancelled || closed || len(missed) > 0 {
			return fmt.Errorf("lives, though cancelled: %v, closed: %v, missed: %v", cancelled, closed, missed)
		}
	case errors.As(err, &pruned):
		*refused++
		return n.settlePruned(s, pruned, missed, isNew)
	case errors.Is(err, errModelCause) && cancelled:
		s.endBy(errModelCause)
		n.m.stats.Cancelled++
	case errors.Is(err, core.ErrClosed) && closed:
		s.endBy(core.ErrClosed)
		n.m.stats.Cancelled++
	default:
		return errors.New("nobody ended it so")
	}
	return nil
}

// settlePruned holds the PrunedError against what was missed: those events of broadcasts inside one another
// that reached it and that it did not take. What began before its Subscribe may have come past it or not.
func (n *nesting) settlePruned(s *modelSub, p *core.PrunedError, missed []modelEvent, isNew bool) error {
	if isNew && !slices.Contains(s.expect, n.outer) && s.region.Match(n.m.point(n.outer)) && (len(missed) == 0 || p.Missed == n.outer.at.Sequence) {
		missed = append(missed, n.outer)
	}
	if p.HasMissed != n.m.located || len(missed) == 0 {
		return fmt.Errorf("pruned with HasMissed = %v; missed %v", p.HasMissed, missed)
	}
	least := slices.MinFunc(missed, func(a, b modelEvent) int { return a.serial - b.serial })
	if n.m.located && p.Missed != least.at.Sequence {
		return fmt.Errorf("Missed = %d; it missed %v", p.Missed, missed)
	}
	s.offers++
	if s.wire == nil {
		last := len(s.records) // of several refusals one counts: the one that ended it
		for i, r := range s.records {
			if r.answer != core.Accepted || r.panics {
				s.refused = append(s.refused[:0], r.event)
				last = i
				break
			}
		}
		s.records = slices.DeleteFunc(s.records, func(r offerRecord) bool {
			return (r.answer != core.Accepted || r.panics) && r != s.records[last]
		})
	} else {
		s.refused = append(s.refused, least)
	}
	s.end("a refusal inside a call back", func(err error) bool { return errors.Is(err, core.ErrPruned) && err == error(p) })
	n.m.countPruned(p.Verdict, false)
	return nil
}

// taken returns what s accepted during the Broadcast: none twice.
func (n *nesting) taken(s *modelSub) (got []modelEvent, err error) {
	if s.wire != nil {
		s.drain(len(s.wire))
		got = slices.Clone(s.received[n.marks[s]:])
	} else {
		offered := map[int]bool{}
		for _, r := range s.records[n.marks[s]:] {
			if offered[r.event.serial] {
				return nil, fmt.Errorf("was offered %+v twice", r.event)
			}
			offered[r.event.serial] = true
			if r.answer == core.Accepted && !r.panics {
				got = append(got, r.event)
			}
		}
	}
	for i, e := range got {
		if slices.Contains(got[i+1:], e) {
			return nil, fmt.Errorf("accepted %+v twice", e)
		}
	}
	return got, nil
}

// due returns the events that s must have been offered unless it ended before, and whether it was
// ended by a step. What is broadcast after that must not reach it.
func (n *nesting) due(s *modelSub, isNew bool) (due []modelEvent, cancelled, closed bool) {
	in := !isNew
	if in && s.region.Match(n.m.point(n.outer)) {
		due = append(due, n.outer)
	}
	for _, step := range n.steps {
		switch {
		case step.fresh == s:
			in = true
		case step.target == s && in:
			cancelled = true
		case step.close && in:
			closed = true
		case step.event.serial != 0 && in && !cancelled && !closed && s.region.Match(n.m.point(step.event)):
			due = append(due, step.event)
		}
	}
	return due, cancelled, closed
}
