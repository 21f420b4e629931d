package core_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

var (
	modelEntities = []string{"", "a", "a:b", "b"}
	modelKinds    = []region.KindFilter{{}, region.OneKind(0x1001), region.InCategory(1)}
	errModelCause = errors.New("the model's own cause")
)

// A fanoutModel drives a Fanout beside plain lists, one action at a time: after each, everything that
// ended is done, and everything that can be known is compared.
type fanoutModel struct {
	f       *core.Fanout[modelEvent]
	located bool
	subs    []*modelSub // all that there ever were, in order
	ctxs    []modelContext
	serial  int // of the last event
	closed  bool
	stats   core.Stats
}

type modelContext struct {
	context.Context
	cancel context.CancelCauseFunc
}

func newFanoutModel(t *rapid.T) *fanoutModel {
	m := &fanoutModel{located: rapid.Bool().Draw(t, "located")}
	cfg := core.Config[modelEvent]{Name: "model"}
	if m.located {
		cfg.Locate = func(e modelEvent) region.Point { return e.at }
	}
	m.f = core.New(cfg)
	for range 3 {
		m.renewContext(len(m.ctxs))
	}
	return m
}

// renewContext replaces the i-th context by one that is not over.
func (m *fanoutModel) renewContext(i int) {
	ctx, cancel := context.WithCancelCause(context.Background())
	if i == len(m.ctxs) {
		m.ctxs = append(m.ctxs, modelContext{})
	}
	m.ctxs[i] = modelContext{ctx, cancel}
}

// point is where the Fanout takes e to be.
func (m *fanoutModel) point(e modelEvent) region.Point {
	if !m.located {
		return region.Point{}
	}
	return e.at
}

func (m *fanoutModel) live() (subs []*modelSub) {
	for _, s := range m.subs {
		if !s.over {
			subs = append(subs, s)
		}
	}
	return subs
}

// event draws the next event. Sequences are anything: the Fanout compares them, and knows no order.
func (m *fanoutModel) event(t *rapid.T) modelEvent {
	m.serial++
	return modelEvent{m.serial, region.Point{
		Entity:   rapid.SampledFrom([]string{"a", "a:b", "a:b:c", "ab", "b", ""}).Draw(t, "event's entity"),
		Kind:     rapid.SampledFrom([]region.Kind{0x1001, 0x1002, 0x2001}).Draw(t, "event's kind"),
		Sequence: rapid.SampledFrom([]uint64{uint64(m.serial), uint64(m.serial), 0, ^uint64(0)}).Draw(t, "event's sequence"),
	}}
}

// add subscribes, and expects what Subscribe must say.
func (m *fanoutModel) add(t *rapid.T, s *modelSub) {
	var err error
	s.sub, err = m.f.Subscribe(s.ctx, s.region, s.sink())
	switch {
	case m.closed:
		if !errors.Is(err, core.ErrClosed) || s.sub != nil {
			t.Fatalf("Subscribe on a closed Fanout: got %v, %v, want ErrClosed", s.sub, err)
		}
	case s.ctx.Err() != nil:
		if !errors.Is(err, core.ErrCancelled) || !errors.Is(err, context.Cause(s.ctx)) || s.sub != nil {
			t.Fatalf("Subscribe with a context that is over: got %v, %v", s.sub, err)
		}
	case err != nil:
		t.Fatalf("Subscribe(%v): %v", s.region, err)
	default:
		m.stats.Subscribed++
		m.subs = append(m.subs, s)
	}
}

func (m *fanoutModel) drawSub(t *rapid.T) *modelSub {
	s := &modelSub{
		ctx: context.Background(),
		region: region.Region{
			Entity: rapid.SampledFrom(modelEntities).Draw(t, "entity"),
			Kind:   rapid.SampledFrom(modelKinds).Draw(t, "kind"),
		},
	}
	if i := rapid.IntRange(-2, len(m.ctxs)-1).Draw(t, "context"); i >= 0 {
		s.ctx = m.ctxs[i].Context
	}
	if rapid.Bool().Draw(t, "a channel") {
		s.wire = make(chan modelEvent, rapid.IntRange(1, 3).Draw(t, "capacity"))
	}
	return s
}

// predict goes through what a Broadcast of e must do when nobody calls back.
func (m *fanoutModel) predict(e modelEvent) (out core.Outcome) {
	live := m.live()
	out.Live = len(live)
	if len(live) > 0 {
		m.stats.Broadcasts++
	}
	p := m.point(e)
	for _, s := range live {
		if !s.region.Match(p) {
			continue
		}
		out.Matched++
		s.offers++
		switch verdict, panics := s.accepts(); verdict {
		case core.Accepted:
			out.Accepted++
			s.expect = append(s.expect, e)
		default:
			out.Pruned++
			s.refused = append(s.refused, e)
			s.pruned(verdict, s.held(), p.Sequence, m.located, panics)
			m.countPruned(verdict, panics != nil)
		}
	}
	m.stats.Matched += uint64(out.Matched)
	m.stats.Accepted += uint64(out.Accepted)
	return out
}

func (m *fanoutModel) countPruned(verdict core.Verdict, panicked bool) {
	if verdict == core.Full {
		m.stats.PrunedFull++
	} else {
		m.stats.PrunedClosed++
	}
	if panicked {
		m.stats.Panics++
	}
}

// cancelled is the model's side of ending those that pick chooses.
func (m *fanoutModel) cancelled(cause error, pick func(*modelSub) bool) {
	for _, s := range m.live() {
		if pick(s) {
			s.endBy(cause)
			m.stats.Cancelled++
		}
	}
}

// check waits for the ends and compares everything.
func (m *fanoutModel) check(t *rapid.T) {
	if err := m.f.Wait(context.Background()); err != nil {
		t.Fatalf("Wait: %v", err)
	}
	m.stats.Live = len(m.live())
	if got := m.f.Stats(); got != m.stats {
		t.Fatalf("Stats:\n got %+v\nwant %+v", got, m.stats)
	}
	if m.f.Len() != m.stats.Live || m.f.HasSubscribers() != (m.stats.Live > 0) {
		t.Fatalf("Len() = %d, HasSubscribers() = %v, want %d live", m.f.Len(), m.f.HasSubscribers(), m.stats.Live)
	}
	if m.stats.Matched != m.stats.Accepted+m.stats.PrunedFull+m.stats.PrunedClosed {
		t.Fatalf("%+v: Matched is not the sum of what became of it", m.stats)
	}
	var listed, want []uint64
	for info := range m.f.Subscriptions() {
		listed = append(listed, info.ID)
	}
	for _, s := range m.live() {
		want = append(want, s.sub.ID())
	}
	slices.Sort(listed)
	if !slices.Equal(listed, want) {
		t.Fatalf("Subscriptions() lists %v, want %v", listed, want)
	}
	for _, s := range m.subs {
		if err := s.check(); err != nil {
			t.Fatalf("subscription %d (%v): %v", s.sub.ID(), s.region, err)
		}
	}
}

// check compares one subscription: its end (G7), and where its events are (G4).
func (s *modelSub) check() error {
	err := s.sub.Err()
	switch {
	case over(s.sub) != s.over:
		return fmt.Errorf("Done closed: %v, want %v; Err %v", over(s.sub), s.over, err)
	case !s.over && (err != nil || len(s.closes) > 0):
		return fmt.Errorf("live, and Err = %v, Close calls %v", err, s.closes)
	case s.over && !s.wantErr(err):
		return fmt.Errorf("ended by %s, and Err = %+v", s.why, err)
	case s.over && (len(s.closes) != 1 || s.closes[0] != err):
		return fmt.Errorf("Close called with %v, want one call with Err = %v", s.closes, err)
	}
	if s.offers != len(s.expect)+len(s.refused) || len(s.refused) > 1 {
		return fmt.Errorf("%d offers counted, %d accepted, refused %v", s.offers, len(s.expect), s.refused)
	}
	if s.wire != nil {
		if len(s.expect) != len(s.received)+len(s.wire) {
			return fmt.Errorf("accepted %d, received %d, held %d", len(s.expect), len(s.received), len(s.wire))
		}
		if !slices.Equal(s.received, s.expect[:len(s.received)]) {
			return fmt.Errorf("received %v, accepted %v", s.received, s.expect)
		}
		return nil
	}
	var accepted, refused []modelEvent
	for _, r := range s.records {
		if r.answer == core.Accepted && !r.panics {
			accepted = append(accepted, r.event)
		} else {
			refused = append(refused, r.event)
		}
	}
	if !slices.Equal(accepted, s.expect) || !slices.Equal(refused, s.refused) {
		return fmt.Errorf("accepted %v and refused %v, want %v and %v", accepted, refused, s.expect, s.refused)
	}
	return nil
}

// drain takes up to n events from a channel sink, held ones of one that is over too.
func (s *modelSub) drain(n int) {
	for range min(n, len(s.wire)) {
		s.received = append(s.received, <-s.wire)
	}
}

// In a bubble, so that a handler can wait until the reaper can do no more, and nothing depends on luck.
func TestFanoutModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		noDeadline := struct{ testing.TB }{t} // a bubble's T knows none, and panics when rapid asks
		rapid.Check(noDeadline, func(t *rapid.T) {
			m := newFanoutModel(t)
			t.Repeat(m.actions())
			m.close()
			m.check(t)
			for _, s := range m.subs {
				s.drain(len(s.wire))
			}
			m.check(t)
		})
	})
}
