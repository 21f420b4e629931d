package core_test

import (
	"fmt"
	"testing"

	"github.com/spillwayhq/spillway/adapters/channel"
	"github.com/spillwayhq/spillway/core"
	"github.com/spillwayhq/spillway/region"
)

// What a subscription that doesn't match could cost a broadcast is counted here, not timed: calls of
// user code, and allocations.
func TestG10NoCostForOthers(t *testing.T) {
	t.Run("no Offer, no Held", func(t *testing.T) {
		f := core.New(located())
		asked := 0
		for i := range 1000 {
			subscribe(t, f, about(fmt.Sprintf("b:%d", i)), &gauge{asked: &asked})
		}
		subscribe(t, f, about("a"), handler{})
		for seq := range uint64(100) {
			wantOutcome(t, "Broadcast", f.Broadcast(event{"a", seq}), core.Outcome{Live: 1001, Matched: 1, Accepted: 1})
		}
		if asked != 0 {
			t.Errorf("sinks that don't match were called %d times, want 0", asked)
		}
	})
	t.Run("Locate at most once, and only when needed", func(t *testing.T) {
		for _, c := range []struct {
			name    string
			regions []region.Region
			answer  core.Verdict
			want    int
		}{
			{"nobody", nil, core.Accepted, 0},
			{"everything, accepted", []region.Region{{}, {}, {}}, core.Accepted, 0},
			{"everything, refused", []region.Region{{}, {}, {}}, core.Full, 1},
			{"one Region", []region.Region{about("a")}, core.Accepted, 1},
			{"many Regions", []region.Region{about("a"), about("a:b"), about("c"), {Kind: region.OneKind(0x1001)}}, core.Accepted, 1},
			{"both, refused", []region.Region{{}, about("a"), {}, about("a:b")}, core.Full, 1},
		} {
			t.Run(c.name, func(t *testing.T) {
				calls := 0
				f := core.New(core.Config[event]{Locate: func(e event) region.Point { calls++; return e.Point() }})
				for _, r := range c.regions {
					subscribe(t, f, r, handler{offer: func(event) core.Verdict { return c.answer }})
				}
				f.Broadcast(event{"a:b", 1})
				if calls != c.want {
					t.Errorf("Broadcast: Locate called %d times, want %d", calls, c.want)
				}
				calls = 0
				if c.answer == core.Accepted {
					f.BroadcastAll(make([]event, 300))
					if calls != 300*c.want {
						t.Errorf("BroadcastAll of 300: Locate called %d times, want %d", calls, 300*c.want)
					}
				}
				_ = f.Close()
				wait(t, f)
			})
		}
	})
	t.Run("gone with the last Region", func(t *testing.T) {
		calls := 0
		f := core.New(core.Config[event]{Locate: func(e event) region.Point { calls++; return e.Point() }})
		subscribe(t, f, region.Region{}, handler{})
		s := subscribe(t, f, about("a"), handler{})
		s.Cancel()
		<-s.Done()
		if f.Broadcast(event{"a", 1}); calls != 0 {
			t.Errorf("Locate called %d times for a Region that is gone, want 0", calls)
		}
	})
	t.Run("Subscribe offers nothing to others", func(t *testing.T) {
		f := core.New(located())
		offers := 0
		subscribe(t, f, region.Region{}, handler{offer: func(event) core.Verdict { offers++; return core.Accepted }})
		for i := range 1000 {
			s := subscribe(t, f, about(fmt.Sprint(i)), handler{})
			s.Cancel()
		}
		wait(t, f)
		if offers != 0 || f.Stats().Broadcasts != 0 {
			t.Errorf("got %d offers, %d broadcasts, want none", offers, f.Stats().Broadcasts)
		}
	})
	t.Run("no allocation", noAllocation)
}

// A gauge says what it holds, and counts being asked anything.
type gauge struct {
	handler
	asked          *int
	held, capacity int
}

func (g *gauge) Offer(e event) core.Verdict { *g.asked++; return g.handler.Offer(e) }
func (g *gauge) Held() (held, capacity int) { *g.asked++; return g.held, g.capacity }

// A warned is a LagObserver.
type warned struct {
	observer
	lagging func(core.Info)
}

func (w warned) Lagging(i core.Info) {
	if w.lagging != nil {
		w.lagging(i)
	}
}

func noAllocation(t *testing.T) {
	const size = 2048
	for _, c := range []struct {
		name    string
		regions []region.Region
		chans   bool
		told    core.Observer
		single  bool
	}{
		{name: "nobody"},
		{name: "offers", regions: []region.Region{{}, {}, {}}},
		{name: "channels", regions: []region.Region{{}, {}, {}}, chans: true},
		{name: "offers in Regions", regions: []region.Region{about("a"), about("a:b"), {Lane: region.OneLane(0)}, about("c")}},
		{name: "channels in Regions", regions: []region.Region{{}, about("a"), about("a:b"), {Kind: region.OneKind(0)}}, chans: true},
		{name: "channels and a LagObserver", regions: []region.Region{{}, about("a")}, chans: true, told: warned{}},
		{name: "offers and a LagObserver", regions: []region.Region{{}, about("a")}, told: warned{}},
		{name: "SingleWriter", regions: []region.Region{{}, about("a")}, chans: true, single: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := located()
			cfg.Observer, cfg.SingleWriter = c.told, c.single
			f := core.New(cfg)
			var readers []*channel.Subscription[event]
			asked := 0
			for _, r := range c.regions {
				if !c.chans {
					subscribe[event](t, f, r, &gauge{asked: &asked, capacity: 8})
					continue
				}
				s, err := channel.Subscribe(t.Context(), f, r, size)
				if err != nil {
					t.Fatal(err)
				}
				readers = append(readers, s)
			}
			drain := func() {
				for _, s := range readers {
					for len(s.C()) > 0 {
						<-s.C()
					}
				}
			}
			e, many := event{"a:b:c", 1}, make([]event, 600)
			for i := range many {
				many[i] = e
			}
			if n := testing.AllocsPerRun(1000, func() { f.Broadcast(e) }); n != 0 {
				t.Errorf("Broadcast: %v allocations, want 0", n)
			}
			drain()
			if n := testing.AllocsPerRun(50, func() { f.BroadcastAll(many); drain() }); n != 0 {
				t.Errorf("BroadcastAll: %v allocations, want 0", n)
			}
			if f.Len() != len(c.regions) {
				t.Errorf("Len: got %d, want %d: the measurement pruned someone", f.Len(), len(c.regions))
			}
			_ = f.Close()
			wait(t, f)
		})
	}
}
